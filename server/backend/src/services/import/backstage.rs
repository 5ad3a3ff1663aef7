//! Backstage's `catalog-info.yaml`: entities, one a document.
//! Format: <https://backstage.io/docs/features/software-catalog/descriptor-format>.
//!
//! * `Component` is a service. Type (other than `service`), lifecycle, tags, labels and system become labels.
//! * `Group` is a team; its members are people who have an account already, named by an address or by a `User` whose
//!   profile has one.
//! * `System` is a label of its components.
//! * Other kinds have no place here and are reported.

use domain::limits;

use super::catalog::{Catalog, Reader, Said, SaidService, SaidTeam, Written, slug_of};
use super::yaml::{Node, Value};
use crate::imports::Place;

const COMPONENT: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata/name",
    "metadata/namespace",
    "metadata/title",
    "metadata/description",
    "metadata/labels",
    "metadata/tags",
    "metadata/links/url",
    "metadata/links/title",
    "metadata/links/icon",
    "metadata/links/type",
    "metadata/annotations/backstage.io/source-location",
    "metadata/annotations/backstage.io/view-url",
    "metadata/annotations/backstage.io/techdocs-ref",
    "spec/type",
    "spec/lifecycle",
    "spec/owner",
    "spec/system",
    "spec/dependsOn",
];
const GROUP: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata/name",
    "metadata/namespace",
    "metadata/title",
    "spec/profile/displayName",
    "spec/members",
];
const USER: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata/name",
    "metadata/namespace",
    "metadata/title",
    "spec/profile/displayName",
    "spec/profile/email",
    "spec/memberOf",
];
const SYSTEM: &[&str] = &["apiVersion", "kind", "metadata/name", "metadata/namespace", "metadata/title"];

/// Reads one entity.
pub(super) fn read(catalog: &mut Catalog, file: &str, entity: &Node) {
    let mut reader = Reader { catalog, file, subject: "entity".to_owned() };
    let place = reader.place(entity);
    let Some((kind, _)) = reader.text(entity, "kind") else {
        return catalog.refuse(place, "entity", "The entity has no kind.".to_owned());
    };
    let Some((name, name_place)) = reader.text(entity, "metadata/name") else {
        let message = format!("This {kind} has no metadata.name.");
        return catalog.refuse(place, &kind, message);
    };
    reader.subject = format!("{kind} {name}");
    let Some(slug) = slug_of(&name) else {
        let message = "No letter or digit of this name could stand in an address.".to_owned();
        return catalog.refuse(name_place, &format!("{kind} {name}"), message);
    };
    match kind.to_ascii_lowercase().as_str() {
        "component" => {
            let service = component(&mut reader, entity, &name, slug, place);
            reader.report_unread(entity, "Component", COMPONENT);
            catalog.services.push(service);
        }
        "group" => {
            let team = group(&mut reader, entity, &name, slug, place);
            reader.report_unread(entity, "Group", GROUP);
            catalog.teams.push(team);
        }
        "user" => {
            user(&mut reader, entity, &name, &place);
            reader.report_unread(entity, "User", USER);
        }
        "system" => {
            reader.report_unread(entity, "System", SYSTEM);
            let message =
                format!("A system is no thing of its own here; its components carry the label system:{name}.");
            catalog.note(place, "system", &name, message);
        }
        _ => {
            let message = format!("Entities of the kind {kind} have no place here; passed over.");
            catalog.note(place, "kind", &format!("{kind} {name}"), message);
        }
    }
}

fn component(reader: &mut Reader<'_>, entity: &Node, name: &str, slug: String, place: Place) -> SaidService {
    let shown = reader.text(entity, "metadata/title").unwrap_or_else(|| (name.to_owned(), place.clone()));
    let shown = reader.name(&shown.0, &shown.1, &slug);
    let description = reader
        .text(entity, "metadata/description")
        .map(|(text, place)| reader.cut(text, &place, "The description", limits::DESCRIPTION_CHARS));
    let mut labels = Vec::new();
    for tag in reader.texts(entity, "metadata/tags") {
        reader.label(&mut labels, tag);
    }
    if let Some(Node { value: Value::Map(pairs), .. }) = Reader::at(entity, "metadata/labels") {
        for (name, value) in pairs {
            if let Value::Text(text) = &value.value {
                let place = reader.place(value);
                reader.label(&mut labels, (format!("{name}={text}"), place));
            }
        }
    }
    if let Some(kind) = reader.text(entity, "spec/type").filter(|(kind, _)| kind != "service") {
        reader.label(&mut labels, kind);
    }
    if let Some(lifecycle) = reader.text(entity, "spec/lifecycle") {
        reader.label(&mut labels, lifecycle);
    }
    if let Some((system, place)) = reader.text(entity, "spec/system") {
        reader.label(&mut labels, (format!("system:{}", reference(&system).1), place));
    }
    let links = links(reader, entity);
    let owner = reader.text(entity, "spec/owner").map(|(text, place)| {
        let (kind, name) = reference(&text);
        let slug = if matches!(kind, "" | "group") { slug_of(name).unwrap_or_default() } else { String::new() };
        Written { place, text, slug }
    });
    let needs = reader.texts(entity, "spec/dependsOn").into_iter().map(|(text, place)| {
        let (kind, name) = reference(&text);
        let slug = if matches!(kind, "" | "component") { slug_of(name).unwrap_or_default() } else { String::new() };
        Written { place, text, slug }
    });
    let needs = needs.collect();
    let said = Said { name: Some(shown), description, links, labels, ..Said::default() };
    SaidService { place, slug, said, owner, needs }
}

fn links(reader: &mut Reader<'_>, entity: &Node) -> Vec<crate::services::Link> {
    let mut links = Vec::new();
    if let Some(Node { value: Value::List(items), .. }) = Reader::at(entity, "metadata/links") {
        for item in items {
            if let Some(url) = reader.text(item, "url") {
                let title = reader.text(item, "title").map_or_else(|| url.0.clone(), |(title, _)| title);
                reader.link(&mut links, &title, url);
            }
        }
    }
    if let Some(Node { value: Value::Map(annotations), .. }) = Reader::at(entity, "metadata/annotations") {
        for (name, title) in [
            ("backstage.io/source-location", "Source"),
            ("backstage.io/view-url", "View"),
            ("backstage.io/techdocs-ref", "Documentation"),
        ] {
            let said = annotations.iter().find(|(annotation, _)| annotation == name);
            if let Some((_, Node { line, value: Value::Text(text), .. })) = said {
                // `url:https://…`; `dir:.` means a folder of the repository, which is nowhere to go to.
                let url = text.strip_prefix("url:").unwrap_or(text);
                if url.starts_with("http") {
                    let place = Place { file: reader.file.to_owned(), line: *line };
                    reader.link(&mut links, title, (url.trim().to_owned(), place));
                }
            }
        }
    }
    links
}

fn group(reader: &mut Reader<'_>, entity: &Node, name: &str, slug: String, place: Place) -> SaidTeam {
    let shown = reader
        .text(entity, "spec/profile/displayName")
        .or_else(|| reader.text(entity, "metadata/title"))
        .unwrap_or_else(|| (name.to_owned(), place.clone()));
    let shown = reader.name(&shown.0, &shown.1, &slug);
    let members = reader.texts(entity, "spec/members").into_iter().map(|(text, place)| {
        let slug = reference(&text).1.to_owned();
        Written { place, text, slug }
    });
    let members = members.collect();
    SaidTeam { place, slug, name: Some(shown), members }
}

fn user(reader: &mut Reader<'_>, entity: &Node, name: &str, place: &Place) {
    if let Some((email, _)) = reader.text(entity, "spec/profile/email") {
        reader.catalog.users.insert(name.to_owned(), email);
    } else {
        let message = "This user has no spec.profile.email, so nobody here can be them; passed over.".to_owned();
        let subject = reader.subject.clone();
        reader.catalog.note(place.clone(), "member", &subject, message);
    }
    for (team, place) in reader.texts(entity, "spec/memberOf") {
        if let Some(team) = slug_of(reference(&team).1) {
            let user = Written { place, text: name.to_owned(), slug: name.to_owned() };
            reader.catalog.memberships.push((team, user));
        }
    }
}

/// Kind (small letters, or nothing) and name of `[kind:][namespace/]name`.
fn reference(text: &str) -> (&str, &str) {
    let (kind, rest) = text.split_once(':').unwrap_or(("", text));
    let name = rest.rsplit_once('/').map_or(rest, |(_, name)| name);
    let kind = match kind {
        "Group" => "group",
        "Component" => "component",
        "User" => "user",
        other => other,
    };
    (kind, name.trim())
}
