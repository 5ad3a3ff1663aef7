//! What catalogue files say, whatever their format, before it is compared with what is here.

use std::collections::{BTreeMap, BTreeSet};

use domain::service::Tier;
use serde::{Deserialize, Serialize};

use super::yaml::{self, Node, Value};
use super::{backstage, runbook};
use crate::imports::{Line, Outcome, Place};
use crate::services::Link;

/// What a file says about a service. What it does not say is absent; what is said of names is in our words (slugs).
/// This is also what is kept of it until the next import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    pub(super) name: Option<String>,
    pub(super) tier: Option<Tier>,
    pub(super) team: Option<String>,
    pub(super) description: Option<String>,
    pub(super) depends_on: Vec<String>,
    pub(super) links: Vec<Link>,
    pub(super) labels: Vec<String>,
}

/// A service in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SaidService {
    pub(super) place: Place,
    pub(super) slug: String,
    pub(super) said: Said,
    /// The owner as it is written there.
    pub(super) owner: Option<Written>,
    /// What it needs, as it is written there.
    pub(super) needs: Vec<Written>,
}

/// A name in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) place: Place,
    /// As it stands there.
    pub(super) text: String,
    /// The slug it means; empty when it cannot mean one.
    pub(super) slug: String,
}

/// What a file says about a team. This is also what is kept of it until the next import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SaidOfTeam {
    pub(super) name: Option<String>,
    /// Addresses.
    pub(super) members: Vec<String>,
}

/// A team in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SaidTeam {
    pub(super) place: Place,
    pub(super) slug: String,
    pub(super) name: Option<String>,
    /// Members as they are written there: names of users, or addresses.
    pub(super) members: Vec<Written>,
}

/// All files of one import.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The files that could be read, by name, and what each is known as the next time.
    files: BTreeMap<String, String>,
    pub(super) teams: Vec<SaidTeam>,
    pub(super) services: Vec<SaidService>,
    /// Users: name in the file to address.
    pub(super) users: BTreeMap<String, String>,
    /// Users' teams: team's slug, user.
    pub(super) memberships: Vec<(String, Written)>,
    /// What there is to say about the files themselves.
    pub(super) lines: Vec<Line>,
    /// Fields that were not taken over, each once: where first, and how often.
    unread: BTreeMap<(String, String), (Place, i64)>,
}

impl Catalog {
    /// Adds a file that is known by its name. One that cannot be read is a line; nothing of it is taken over.
    pub fn add(&mut self, file: &str, bytes: &[u8]) {
        self.add_from(file, file, bytes);
    }

    /// The same for a file that is known by more than it is called, such as its whole path.
    pub fn add_from(&mut self, file: &str, known_as: &str, bytes: &[u8]) {
        if bytes.len() > domain::limits::CATALOG_FILE_BYTES {
            let limit = domain::limits::CATALOG_FILE_BYTES / (1024 * 1024);
            return self.refuse_file(file, 0, format!("The file is larger than {limit} MiB."));
        }
        match yaml::documents(bytes) {
            Ok(documents) => {
                let (services, teams) = (self.services.len(), self.teams.len());
                if documents.is_empty() {
                    let message = "The file says nothing.".to_owned();
                    self.note(Place { file: file.to_owned(), line: 0 }, "file", file, message);
                }
                for document in &documents {
                    self.add_document(file, document);
                }
                let first = self.services.get(services).map(|service| &service.slug);
                let first = first.or_else(|| self.teams.get(teams).map(|team| &team.slug));
                let known_as = shortened(known_as, 700);
                // Every repository has a catalog-info.yaml: what it describes first tells it from the others.
                let source = match first {
                    Some(first) if documents.iter().any(|document| document.get("kind").is_some()) => {
                        format!("{known_as}#{first}")
                    }
                    _ => known_as,
                };
                self.files.insert(file.to_owned(), source);
            }
            Err(yaml::Unreadable { line, why }) => self.refuse_file(file, line, why),
        }
    }

    /// Whether no file could be read.
    pub(super) fn is_unread(&self) -> bool {
        self.files.is_empty()
    }

    /// What the files are known as.
    pub(super) fn sources(&self) -> Vec<String> {
        self.files.values().cloned().collect()
    }

    /// What the file of this place is known as.
    pub(super) fn source(&self, place: &Place) -> &str {
        self.files.get(&place.file).map_or("", String::as_str)
    }

    /// The name of the file that is known as `source`.
    pub(super) fn file(&self, source: &str) -> &str {
        self.files.iter().find(|(_, known)| *known == source).map_or("", |(file, _)| file.as_str())
    }

    fn refuse_file(&mut self, file: &str, line: u64, message: String) {
        let place = Place { file: file.to_owned(), line };
        self.say(Outcome::Refused, place, "file", file, message);
    }

    fn add_document(&mut self, file: &str, document: &Node) {
        if document.get("kind").is_some() {
            backstage::read(self, file, document);
        } else if document.get("services").is_some() {
            runbook::read(self, file, document);
        } else {
            let place = Place { file: file.to_owned(), line: document.line };
            let message = format!(
                "This document is neither an entity with a \"kind\" nor a catalogue with \"services\" (it is {}); passed over.",
                document.what(),
            );
            self.note(place, "document", file, message);
        }
    }

    /// All files are added: what they say twice is said once, and reported.
    pub fn close(&mut self) {
        let memberships = std::mem::take(&mut self.memberships);
        // The first of several teams with a name is the one that counts.
        let teams = self.teams.iter().enumerate().rev().map(|(index, team)| (team.slug.clone(), index));
        let teams: BTreeMap<String, usize> = teams.collect();
        let members = self.teams.iter().flat_map(|team| team.members.iter().map(|user| (&team.slug, &user.slug)));
        let mut members: BTreeSet<(String, String)> =
            members.map(|(team, user)| (team.clone(), user.clone())).collect();
        for (team, user) in memberships {
            match teams.get(&team) {
                Some(_) if !members.insert((team.clone(), user.slug.clone())) => {}
                Some(index) => self.teams[*index].members.push(user),
                None => {
                    let message = format!("{} belongs to it, but no file describes it; passed over.", user.text);
                    self.note(user.place, "member", &team, message);
                }
            }
        }
        let (services, lines) =
            first_of_each(std::mem::take(&mut self.services), |service| (&service.slug, &service.place));
        self.services = services;
        self.lines.extend(lines);
        let (teams, lines) = first_of_each(std::mem::take(&mut self.teams), |team| (&team.slug, &team.place));
        self.teams = teams;
        self.lines.extend(lines);
        for ((kind, field), (place, times)) in std::mem::take(&mut self.unread) {
            let message = match times {
                1 => "This field has no place here; it was not taken over.".to_owned(),
                times => format!("This field has no place here; it was not taken over, {times} times."),
            };
            self.note(place, "field", &format!("{kind} {field}"), message);
        }
    }

    /// Remembers a field that was not taken over.
    pub(super) fn unread(&mut self, kind: &str, field: String, place: Place) {
        let (_, times) = self.unread.entry((kind.to_owned(), field)).or_insert((place, 0));
        *times += 1;
    }

    /// Something to know.
    pub(super) fn note(&mut self, place: Place, sort: &str, subject: &str, message: String) {
        self.say(Outcome::Noted, place, sort, subject, message);
    }

    /// An entry that cannot be taken over.
    pub(super) fn refuse(&mut self, place: Place, subject: &str, message: String) {
        self.say(Outcome::Refused, place, "entry", subject, message);
    }

    fn say(&mut self, outcome: Outcome, place: Place, sort: &str, subject: &str, message: String) {
        self.lines.push(line(outcome, place, sort, subject, message));
    }
}

/// A line without values that differ.
pub(super) fn line(outcome: Outcome, place: Place, sort: &str, subject: &str, message: String) -> Line {
    let subject = if subject.trim().is_empty() { "(without a name)" } else { subject };
    let (sort, subject) = (sort.to_owned(), shortened(subject, 200));
    Line { outcome, sort, subject, place, message: shortened(&message, 1000), changes: Vec::new() }
}

/// At most so many characters, with a sign when some are missing.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
}

/// The first of everything with the same name; the others are lines.
fn first_of_each<T>(all: Vec<T>, of: impl Fn(&T) -> (&String, &Place)) -> (Vec<T>, Vec<Line>) {
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    let mut lines = Vec::new();
    let mut firsts = Vec::with_capacity(all.len());
    for one in all {
        let (slug, place) = of(&one);
        if let Some(first) = seen.get(slug) {
            let message = format!("The name stands at {} already; that one counts, this one does not.", said_at(first));
            lines.push(line(Outcome::Noted, place.clone(), "repeated name", slug, message));
            continue;
        }
        seen.insert(slug.clone(), place.clone());
        firsts.push(one);
    }
    (firsts, lines)
}

fn said_at(place: &Place) -> String {
    format!("{}:{}", place.file, place.line)
}

/// Reads the fields of one document or entry, and reports what it cannot read.
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a mut Catalog,
    pub(super) file: &'a str,
    /// What the entry is called in messages.
    pub(super) subject: String,
}

impl Reader<'_> {
    pub(super) fn place(&self, node: &Node) -> Place {
        Place { file: self.file.to_owned(), line: node.line }
    }

    /// The node at a path of names.
    pub(super) fn at<'n>(node: &'n Node, path: &str) -> Option<&'n Node> {
        path.split('/').try_fold(node, Node::get)
    }

    /// Text at a path, if it says something. Anything else is reported.
    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<(String, Place)> {
        let node = Self::at(node, path).filter(|node| !node.is_empty())?;
        self.text_of(node, path)
    }

    fn text_of(&mut self, node: &Node, path: &str) -> Option<(String, Place)> {
        let place = self.place(node);
        if let Value::Text(text) = &node.value {
            return Some((text.trim().to_owned(), place));
        }
        let field = path.replace('/', ".");
        let message = format!("{field} is {}; text is expected. Passed over.", node.what());
        let subject = self.subject.clone();
        self.catalog.note(place, "value", &subject, message);
        None
    }

    /// Texts of a list at a path; one text alone is a list of one. What is no text is reported.
    pub(super) fn texts(&mut self, node: &Node, path: &str) -> Vec<(String, Place)> {
        let Some(node) = Self::at(node, path).filter(|node| !node.is_empty()) else { return Vec::new() };
        match &node.value {
            Value::List(items) => {
                items.iter().filter(|item| !item.is_empty()).filter_map(|item| self.text_of(item, path)).collect()
            }
            _ => self.text_of(node, path).into_iter().collect(),
        }
    }

    /// One line of text that fits: spaces and line breaks become one space, what is too long is cut and reported.
    pub(super) fn fitting(&mut self, text: &str, place: &Place, what: &str, characters: usize) -> String {
        let one_line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let one_line = one_line.collect::<Vec<_>>().join(" ");
        self.cut(one_line, place, what, characters)
    }

    /// A name that fits; the slug where nothing of it can be shown.
    pub(super) fn name(&mut self, text: &str, place: &Place, slug: &str) -> String {
        let name = self.fitting(text, place, "The name", domain::limits::NAME_CHARS);
        if name.is_empty() { slug.to_owned() } else { name }
    }

    /// Text that fits: what is too long is cut and reported.
    pub(super) fn cut(&mut self, text: String, place: &Place, what: &str, characters: usize) -> String {
        let text = text.replace('\0', "\u{fffd}");
        let length = text.chars().count();
        if length <= characters {
            return text;
        }
        let message = format!("{what} has {length} characters; it was cut after {characters}.");
        let subject = self.subject.clone();
        self.catalog.note(place.clone(), "value", &subject, message);
        shortened(&text, characters)
    }

    /// Adds a link when it is a web address; another one is reported.
    pub(super) fn link(&mut self, links: &mut Vec<Link>, title: &str, (url, place): (String, Place)) {
        let subject = self.subject.clone();
        match domain::text::web_address("links", &url) {
            Ok(url) if links.iter().any(|link| link.url == url) => {}
            Ok(_) if links.len() >= domain::limits::SERVICE_LINKS => {
                let message =
                    format!("A service has at most {} links; {url} is left out.", domain::limits::SERVICE_LINKS);
                self.catalog.note(place, "value", &subject, message);
            }
            Ok(url) => {
                let title = self.fitting(title, &place, "The title of a link", domain::limits::NAME_CHARS);
                links.push(Link { title: if title.is_empty() { "Link".to_owned() } else { title }, url });
            }
            Err(_) => {
                let message = format!("{} is no web address; the link is left out.", shortened(&url, 200));
                self.catalog.note(place, "value", &subject, message);
            }
        }
    }

    /// Adds a label once; more than fit are reported.
    pub(super) fn label(&mut self, labels: &mut Vec<String>, (label, place): (String, Place)) {
        let label = self.fitting(&label, &place, "A label", domain::limits::NAME_CHARS);
        if label.is_empty() || labels.contains(&label) {
            return;
        }
        if labels.len() >= domain::limits::SERVICE_LABELS {
            let message =
                format!("A service has at most {} labels; {label} is left out.", domain::limits::SERVICE_LABELS);
            let subject = self.subject.clone();
            return self.catalog.note(place, "value", &subject, message);
        }
        labels.push(label);
    }

    /// Reports the fields under `node` that say something and are not among `known` (paths with `/`; a list's items stand
    /// under its own path), and names that stand twice.
    pub(super) fn report_unread(&mut self, node: &Node, kind: &str, known: &[&str]) {
        self.report_under(node, kind, ("", ""), known);
    }

    /// `path` is the way here, as in `known`, and as a person writes it.
    fn report_under(&mut self, node: &Node, kind: &str, path: (&str, &str), known: &[&str]) {
        match &node.value {
            Value::Nothing | Value::Text(_) => {}
            Value::List(items) => {
                for item in items {
                    self.report_under(item, kind, path, known);
                }
            }
            Value::Map(members) => {
                let mut seen = BTreeSet::new();
                for (name, member) in members {
                    if !seen.insert(name) {
                        let message = format!("The field {name} stands here twice; the first one counts.");
                        let (place, subject) = (self.place(member), self.subject.clone());
                        self.catalog.note(place, "repeated field", &subject, message);
                        continue;
                    }
                    let (here, shown) = match path {
                        ("", _) => (name.clone(), name.clone()),
                        (path, shown) => (format!("{path}/{name}"), format!("{shown}.{name}")),
                    };
                    let below = known
                        .iter()
                        .any(|known| known.strip_prefix(here.as_str()).is_some_and(|rest| rest.starts_with('/')));
                    if member.is_empty() || known.contains(&here.as_str()) {
                        continue;
                    }
                    if below && !matches!(member.value, Value::Text(_)) {
                        self.report_under(member, kind, (&here, &shown), known);
                    } else {
                        let place = self.place(member);
                        self.catalog.unread(kind, shortened(&shown, 150), place);
                    }
                }
            }
        }
    }
}

/// The slug that a name means; none when nothing of it could stand in an address.
pub(super) fn slug_of(name: &str) -> Option<String> {
    let slug = domain::text::slugify(name, "");
    (!slug.is_empty()).then_some(slug)
}
