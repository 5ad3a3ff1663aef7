//! The service catalogue of a collection of runbooks, `service-catalog.yml`: one document with `services`.
//!
//! `tier` names a layer (`sv`, `db`, `lb`): a label, not a tier, unless it is 1, 2 or 3. The first of `teams` owns.

use domain::limits;
use domain::service::Tier;

use super::catalog::{Catalog, Reader, Said, SaidService, SaidTeam, Written, slug_of};
use super::yaml::{Node, Value};
use crate::imports::Place;
use crate::services::Link;

const DOCUMENT: &[&str] = &["tiers", "services", "teams"];
const TEAM: &[&str] = &["name", "friendly_name"];
const SERVICE: &[&str] = &[
    "name",
    "friendly_name",
    "tier",
    "teams",
    "team",
    "owner",
    "label",
    "business/requirement",
    "technical/project",
    "technical/documents/design",
    "technical/documents/architecture",
    "technical/documents/readiness_review",
    "technical/documents/service",
    "technical/documents/security",
    "technical/dependencies/service",
    "technical/logging/name",
    "technical/logging/permalink",
    "operations/runbooks",
    "operations/playbooks",
    "operations/error_budget",
];

/// Reads the document.
pub(super) fn read(catalog: &mut Catalog, file: &str, document: &Node) {
    let mut reader = Reader { catalog, file, subject: "catalogue".to_owned() };
    reader.report_unread(document, "Catalogue", DOCUMENT);
    for (node, is_service) in [("teams", false), ("services", true)]
        .into_iter()
        .filter_map(|(name, is_service)| Some((document.get(name)?, is_service)))
    {
        let Value::List(entries) = &node.value else {
            if !node.is_empty() {
                let place = reader.place(node);
                let message = format!("A list is expected here; this is {}.", node.what());
                reader.catalog.refuse(place, "catalogue", message);
            }
            continue;
        };
        for entry in entries {
            entry_of(&mut reader, entry, is_service);
        }
    }
}

fn entry_of(reader: &mut Reader<'_>, entry: &Node, is_service: bool) {
    let place = reader.place(entry);
    let what = if is_service { "service" } else { "team" };
    what.clone_into(&mut reader.subject);
    let Some((name, _)) = reader.text(entry, "name") else {
        return reader.catalog.refuse(place, what, format!("This {what} has no name."));
    };
    let Some(slug) = slug_of(&name) else {
        let message = "No letter or digit of this name could stand in an address.".to_owned();
        return reader.catalog.refuse(place, &name, message);
    };
    reader.subject = format!("{what} {name}");
    let shown = reader.text(entry, "friendly_name").unwrap_or_else(|| (name.clone(), place.clone()));
    let shown = reader.name(&shown.0, &shown.1, &slug);
    if is_service {
        let service = service(reader, entry, shown, slug, place);
        reader.report_unread(entry, "Service", SERVICE);
        reader.catalog.services.push(service);
    } else {
        reader.report_unread(entry, "Team", TEAM);
        reader.catalog.teams.push(SaidTeam { place, slug, name: Some(shown), members: Vec::new() });
    }
}

fn service(reader: &mut Reader<'_>, entry: &Node, name: String, slug: String, place: Place) -> SaidService {
    let description = reader
        .text(entry, "business/requirement")
        .map(|(text, place)| reader.cut(text, &place, "The description", limits::DESCRIPTION_CHARS));
    let mut labels = Vec::new();
    let mut tier = None;
    if let Some((layer, place)) = reader.text(entry, "tier") {
        tier = layer.parse().ok().and_then(|number| Tier::parse(number).ok());
        if tier.is_none() {
            reader.label(&mut labels, (layer, place));
        }
    }
    for label in reader.texts(entry, "label") {
        reader.label(&mut labels, label);
    }
    let links = links(reader, entry);
    let mut teams = reader.texts(entry, "teams");
    for other in ["team", "owner"] {
        if teams.is_empty() {
            teams = reader.texts(entry, other);
        }
    }
    if let [(first, _), others @ ..] = &teams[..]
        && !others.is_empty()
    {
        let others: Vec<&str> = others.iter().map(|(team, _)| team.as_str()).collect();
        let message =
            format!("Several teams are named; the first, {first}, owns it. The others: {}.", others.join(", "));
        let subject = reader.subject.clone();
        reader.catalog.note(teams[0].1.clone(), "further team", &subject, message);
    }
    let owner = teams.into_iter().next().map(|(text, place)| {
        let slug = slug_of(&text).unwrap_or_default();
        Written { place, text, slug }
    });
    let needs = needs(reader, entry);
    let said = Said { name: Some(name), tier, description, links, labels, ..Said::default() };
    SaidService { place, slug, said, owner, needs }
}

fn needs(reader: &mut Reader<'_>, entry: &Node) -> Vec<Written> {
    let Some(Node { value: Value::List(items), .. }) = Reader::at(entry, "technical/dependencies") else {
        return Vec::new();
    };
    let mut needs = Vec::with_capacity(items.len());
    for item in items {
        let place = reader.place(item);
        let said = match &item.value {
            Value::Text(text) => Some((text.clone(), place.clone())),
            _ => reader.text(item, "service"),
        };
        let (text, place) = said.unwrap_or_else(|| (String::new(), place));
        let slug = slug_of(&text).unwrap_or_default();
        needs.push(Written { place, text, slug });
    }
    needs
}

fn links(reader: &mut Reader<'_>, entry: &Node) -> Vec<Link> {
    let mut links = Vec::new();
    for (path, title) in [
        ("operations/runbooks", "Runbook"),
        ("operations/playbooks", "Playbook"),
        ("technical/documents/service", "Documentation"),
        ("technical/documents/design", "Design"),
        ("technical/documents/architecture", "Architecture"),
        ("technical/documents/readiness_review", "Readiness review"),
        ("technical/documents/security", "Security"),
        ("technical/project", "Project"),
        ("operations/error_budget", "Error budget"),
    ] {
        let urls = reader.texts(entry, path);
        let many = urls.len() > 1;
        for (url, place) in urls {
            // Several of one sort are told apart by the last part of their address.
            let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let title = if many && !last.is_empty() { format!("{title}: {last}") } else { title.to_owned() };
            reader.link(&mut links, &title, (url, place));
        }
    }
    if let Some(Node { value: Value::List(items), .. }) = Reader::at(entry, "technical/logging") {
        for item in items {
            if let Some(url) = reader.text(item, "permalink") {
                let title =
                    reader.text(item, "name").map_or_else(|| "Log".to_owned(), |(name, _)| format!("Log: {name}"));
                reader.link(&mut links, &title, url);
            }
        }
    }
    links
}
