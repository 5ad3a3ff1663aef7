//! What becomes of one service or team of a file, given what is here. Pure: the same for the differences shown and for
//! the change made.

use domain::limits;
use domain::service::Tier;

use super::catalog::{Catalog, Said, SaidOfTeam, SaidService, SaidTeam, line};
use super::merge;
use super::steps::Work;
use super::world::{HereService, HereTeam, World};
use crate::imports::{Counts, Line, Outcome, Place};
use crate::services::change::Content;

/// What becomes of a service or team.
#[derive(Debug)]
pub(super) struct Decision<C, S> {
    /// Its name here.
    pub(super) slug: String,
    /// What is to be written, if anything.
    pub(super) write: Option<C>,
    /// What to keep of the file, if that is new.
    pub(super) said: Option<S>,
    /// What there is to say about it.
    pub(super) lines: Vec<Line>,
    /// What is only counted.
    pub(super) counts: Counts,
}

/// A service. What it needs of the services in the files and is not here yet comes later, with the step that is `last`.
pub(super) fn service(world: &World, work: &Work, service: &SaidService, last: bool) -> Decision<Content, Said> {
    let mut lines = Vec::new();
    let mut counts = Counts::default();
    let place = &service.place;
    let slug = world.called.get(&service.slug).unwrap_or(&service.slug).clone();
    let here = world.services.get(&slug);
    let (said, later) = resolve(world, work, service, &slug, &mut lines);
    if slug != service.slug {
        let message = format!("It is called {slug} here since it was renamed; the file goes into it.");
        lines.push(line(Outcome::Noted, place.clone(), "renamed service", &service.slug, message));
    }
    let (mut content, mut keep) = match here {
        None => {
            let mut made = line(Outcome::New, place.clone(), "service", &slug, introduction(&said, work.tier));
            made.subject.clone_from(&slug);
            lines.push(made);
            counts.add("counted dependency", i64::try_from(said.depends_on.len()).unwrap_or_default());
            let content = Content {
                name: said.name.clone().unwrap_or_else(|| slug.clone()),
                tier: said.tier.unwrap_or(work.tier),
                team: said.team.clone(),
                description: said.description.clone().unwrap_or_default(),
                depends_on: said.depends_on.clone(),
                links: said.links.clone(),
                labels: said.labels.clone(),
            };
            (content, said)
        }
        Some(HereService { archived: true, .. }) => {
            counts.add("unchanged service", 1);
            let message = "It is archived here and stays so; nothing of it is changed.".to_owned();
            lines.push(line(Outcome::Kept, place.clone(), "archived service", &slug, message));
            let lines = if last { Vec::new() } else { lines };
            return Decision { slug, write: None, said: None, lines, counts };
        }
        Some(here) => {
            let merged = merge::service(&here.content, here.last.as_ref(), &said);
            counts.add("counted dependency", merged.dependencies);
            differences(&mut lines, &mut counts, place, ("service", &slug), merged.changes, merged.kept);
            (merged.content, merged.said)
        }
    };
    for waiting in &later {
        content.depends_on.retain(|name| name != waiting);
        keep.depends_on.retain(|name| name != waiting);
    }
    let write = here.is_none_or(|here| here.content != content).then_some(content);
    let source = Some(work.catalog.source(place));
    let known = here.is_some_and(|here| here.last.as_ref() == Some(&keep) && here.source.as_deref() == source);
    let said = (!known).then_some(keep);
    if last {
        // All of it was said with the service itself.
        return Decision { slug, write, said, lines: Vec::new(), counts: Counts::default() };
    }
    Decision { slug, write, said, lines, counts }
}

/// A team.
pub(super) fn team(world: &World, catalog: &Catalog, team: &SaidTeam) -> Decision<(String, Vec<String>), SaidOfTeam> {
    let mut lines = Vec::new();
    let mut counts = Counts::default();
    let mut members = Vec::new();
    for member in &team.members {
        match address(catalog, &member.slug).and_then(|email| world.people.get(&email.to_lowercase())) {
            Some(email) if members.contains(email) => {}
            Some(email) => members.push(email.clone()),
            None => {
                let message = format!("{} has no account here and is not added.", member.text);
                lines.push(line(Outcome::Noted, member.place.clone(), "member", &team.slug, message));
            }
        }
    }
    let slug = team.slug.clone();
    let said = SaidOfTeam { name: team.name.clone(), members };
    let here = world.teams.get(&slug);
    let (content, keep) = match here {
        None => {
            let n = said.members.len();
            let message = if n == 0 { String::new() } else { format!("Members: {}.", said.members.join(", ")) };
            lines.push(line(Outcome::New, team.place.clone(), "team", &slug, message));
            ((said.name.clone().unwrap_or_else(|| slug.clone()), said.members.clone()), said)
        }
        Some(here) => {
            let merged = merge::team(&here.content, here.last.as_ref(), &said);
            differences(&mut lines, &mut counts, &team.place, ("team", &slug), merged.changes, merged.kept);
            (merged.content, merged.said)
        }
    };
    let write = here.is_none_or(|here| here.content != content).then_some(content);
    let source = Some(catalog.source(&team.place));
    let known = here.is_some_and(|here| here.last.as_ref() == Some(&keep) && here.source.as_deref() == source);
    Decision { slug, write, said: (!known).then_some(keep), lines, counts }
}

/// The address that a member's name means.
pub(super) fn address(catalog: &Catalog, member: &str) -> Option<String> {
    let itself = || member.contains('@').then(|| member.to_owned());
    catalog.users.get(member).cloned().or_else(itself)
}

impl World {
    /// The world after a decision about a service.
    pub(super) fn with_service(&mut self, source: &str, decision: Decision<Content, Said>) {
        let Decision { slug, write, said, .. } = decision;
        self.called.entry(slug.clone()).or_insert_with(|| slug.clone());
        let here = self.services.remove(&slug);
        let content = write.or_else(|| here.as_ref().map(|here| here.content.clone()));
        if let Some(content) = content {
            let archived = here.as_ref().is_some_and(|here| here.archived);
            let last = said.or_else(|| here.and_then(|here| here.last));
            self.services.insert(slug, HereService { content, archived, last, source: Some(source.to_owned()) });
        }
    }

    /// The world after a decision about a team.
    pub(super) fn with_team(&mut self, source: &str, decision: Decision<(String, Vec<String>), SaidOfTeam>) {
        let Decision { slug, write, said, .. } = decision;
        let here = self.teams.remove(&slug);
        if let Some(content) = write.or_else(|| here.as_ref().map(|here| here.content.clone())) {
            let last = said.or_else(|| here.and_then(|here| here.last));
            self.teams.insert(slug, HereTeam { content, last, source: Some(source.to_owned()) });
        }
    }
}

/// What the file says in our names, what of that comes later, and lines for what means nothing here.
fn resolve(
    world: &World,
    work: &Work,
    service: &SaidService,
    slug: &str,
    lines: &mut Vec<Line>,
) -> (Said, Vec<String>) {
    let mut said = service.said.clone();
    if let Some(owner) = &service.owner {
        if world.teams.contains_key(&owner.slug) {
            said.team = Some(owner.slug.clone());
        } else {
            let message = format!("No team is called {}; nobody is made its owner.", owner.text);
            lines.push(line(Outcome::Noted, owner.place.clone(), "owner", slug, message));
        }
    }
    let mut later = Vec::new();
    for need in &service.needs {
        let means = match world.called.get(&need.slug) {
            _ if need.slug.is_empty() => None,
            _ if need.slug == service.slug => Some(slug.to_owned()),
            Some(now) => Some(now.clone()),
            None if work.all.contains(&need.slug) => {
                later.push(need.slug.clone());
                Some(need.slug.clone())
            }
            None => None,
        };
        match means {
            Some(means) if said.depends_on.contains(&means) => {}
            Some(means) if said.depends_on.len() >= limits::SERVICE_DEPENDENCIES => {
                let message =
                    format!("It needs more than {} services; {means} is left out.", limits::SERVICE_DEPENDENCIES);
                lines.push(line(Outcome::Noted, need.place.clone(), "dependency", slug, message));
            }
            Some(means) => said.depends_on.push(means),
            None => {
                let message = if need.text.is_empty() {
                    "A dependency names no service; left out.".to_owned()
                } else {
                    format!("It needs {}, which is no service here or in the files; left out.", need.text)
                };
                lines.push(line(Outcome::Noted, need.place.clone(), "dependency", slug, message));
            }
        }
    }
    said.depends_on.sort_unstable();
    (said, later)
}

fn differences(
    lines: &mut Vec<Line>,
    counts: &mut Counts,
    place: &Place,
    (sort, slug): (&str, &str),
    changes: Vec<crate::imports::Change>,
    kept: Vec<crate::imports::Change>,
) {
    if changes.is_empty() {
        counts.add(&format!("unchanged {sort}"), 1);
    } else {
        lines.push(Line { changes, ..line(Outcome::Changed, place.clone(), sort, slug, String::new()) });
    }
    if !kept.is_empty() {
        let message = "It was changed here, or the file no longer says it; what is here stays.".to_owned();
        lines.push(Line { changes: kept, ..line(Outcome::Kept, place.clone(), sort, slug, message) });
    }
}

/// A new service in a sentence.
fn introduction(said: &Said, tier: Tier) -> String {
    let owner = said.team.as_deref().map_or_else(|| "nobody owns it".to_owned(), |team| format!("owner {team}"));
    let needs = match said.depends_on.len() {
        0 => String::new(),
        _ => format!(" · needs {}", said.depends_on.join(", ")),
    };
    format!("{} · {owner}{needs}", said.tier.unwrap_or(tier).label())
}
