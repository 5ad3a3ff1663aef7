//! What a file says, what it said last, and what is here: three ways into one.
//!
//! A value that is here as the file said it last follows the file. A value that is another was changed by hand: it stays,
//! and the difference is reported. What was never said by a file and is empty here is filled. What the file no longer says
//! stays and is reported. Nothing is ever taken away.

use super::catalog::{Said, SaidOfTeam, shortened};
use crate::imports::Change;
use crate::services::Link;
use crate::services::change::Content;
use domain::limits;
use domain::service::Tier;

/// Stands for a value that is not there, in a difference.
const NOTHING: &str = "(nothing)";
/// Stands for a value that the file said once.
const NO_LONGER: &str = "(no longer in the file)";
/// Stands for a value that somebody took away here.
const TAKEN_AWAY: &str = "(taken away here)";

/// What came of it.
#[derive(Debug, PartialEq)]
pub(super) struct Merged<C, S> {
    /// What is to be here.
    pub(super) content: C,
    /// What changes here.
    pub(super) changes: Vec<Change>,
    /// What the file says and is not followed in.
    pub(super) kept: Vec<Change>,
    /// What to keep of the file for the next time.
    pub(super) said: S,
    /// Dependencies that are new here.
    pub(super) dependencies: i64,
}

/// A service that is here.
pub(super) fn service(here: &Content, last: Option<&Said>, said: &Said) -> Merged<Content, Said> {
    let mut ways = Ways::default();
    let none = Said::default();
    let last = last.unwrap_or(&none);
    let number = |tier: &Tier| tier.number().to_string();
    let (name, said_name) = ways.text("name", &here.name, last.name.as_deref(), said.name.as_deref());
    let (tier, said_tier) = ways.text(
        "tier",
        &number(&here.tier),
        last.tier.as_ref().map(number).as_deref(),
        said.tier.as_ref().map(number).as_deref(),
    );
    let team = here.team.clone().unwrap_or_default();
    let (team, said_team) = ways.text("owner", &team, last.team.as_deref(), said.team.as_deref());
    let (description, said_description) =
        ways.text("description", &here.description, last.description.as_deref(), said.description.as_deref());
    let before = here.depends_on.len();
    let (mut depends_on, mut said_depends_on) =
        ways.set("needs", &here.depends_on, &last.depends_on, &said.depends_on, limits::SERVICE_DEPENDENCIES);
    let dependencies = i64::try_from(depends_on.len() - before).unwrap_or_default();
    depends_on.sort_unstable();
    said_depends_on.sort_unstable();
    let (links, said_links) = ways.set("links", &here.links, &last.links, &said.links, limits::SERVICE_LINKS);
    let (labels, said_labels) = ways.set("labels", &here.labels, &last.labels, &said.labels, limits::SERVICE_LABELS);
    let parsed = |tier: &str| tier.parse().ok().and_then(|number| Tier::parse(number).ok());
    let content = Content {
        name,
        tier: parsed(&tier).unwrap_or(here.tier),
        team: Some(team).filter(|team| !team.is_empty()),
        description,
        depends_on,
        links,
        labels,
    };
    let said = Said {
        name: said_name,
        tier: said_tier.as_deref().and_then(parsed),
        team: said_team,
        description: said_description,
        depends_on: said_depends_on,
        links: said_links,
        labels: said_labels,
    };
    Merged { content, changes: ways.changes, kept: ways.kept, said, dependencies }
}

/// A team that is here.
pub(super) fn team(
    here: &(String, Vec<String>),
    last: Option<&SaidOfTeam>,
    said: &SaidOfTeam,
) -> Merged<(String, Vec<String>), SaidOfTeam> {
    let mut ways = Ways::default();
    let none = SaidOfTeam::default();
    let last = last.unwrap_or(&none);
    let (name, said_name) = ways.text("name", &here.0, last.name.as_deref(), said.name.as_deref());
    let (members, said_members) = ways.set("members", &here.1, &last.members, &said.members, usize::MAX);
    let said = SaidOfTeam { name: said_name, members: said_members };
    Merged { content: (name, members), changes: ways.changes, kept: ways.kept, said, dependencies: 0 }
}

/// Something in a set.
trait Member: Clone {
    fn is(&self, other: &Self) -> bool;
    fn say(&self) -> String;
}

impl Member for String {
    fn is(&self, other: &Self) -> bool {
        self == other
    }

    fn say(&self) -> String {
        self.clone()
    }
}

impl Member for Link {
    /// A link is where it leads; its title may be changed by hand.
    fn is(&self, other: &Self) -> bool {
        self.url == other.url
    }

    fn say(&self) -> String {
        self.url.clone()
    }
}

#[derive(Default)]
struct Ways {
    changes: Vec<Change>,
    kept: Vec<Change>,
}

impl Ways {
    /// What is to be here, and what to keep of the file. Empty: nothing is here.
    fn text(&mut self, field: &str, here: &str, last: Option<&str>, said: Option<&str>) -> (String, Option<String>) {
        let owned = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match said {
            None => {
                let gone = last.filter(|last| !last.is_empty() && *last == here);
                if gone.is_some() {
                    self.kept.push(change(field, here, NO_LONGER));
                }
                (here.to_owned(), gone.and_then(owned))
            }
            Some(said) if said == here => (here.to_owned(), owned(said)),
            Some(said) if last.map_or_else(|| here.is_empty(), |last| last == here) => {
                self.changes.push(change(field, here, said));
                (said.to_owned(), owned(said))
            }
            Some(said) => {
                self.kept.push(change(field, here, said));
                (here.to_owned(), owned(said))
            }
        }
    }

    /// The same for a set, member by member.
    fn set<M: Member>(&mut self, field: &str, here: &[M], last: &[M], said: &[M], most: usize) -> (Vec<M>, Vec<M>) {
        let has = |set: &[M], member: &M| set.iter().any(|other| other.is(member));
        let (mut result, mut keep, mut added) = (here.to_vec(), Vec::new(), Vec::new());
        for member in said {
            if has(&keep, member) {
                continue;
            }
            if !has(&result, member) {
                if has(last, member) {
                    self.kept.push(change(field, TAKEN_AWAY, &member.say()));
                } else if result.len() >= most {
                    self.kept.push(change(field, &format!("(no more than {most})"), &member.say()));
                    continue;
                } else {
                    result.push(member.clone());
                    added.push(member.say());
                }
            }
            keep.push(member.clone());
        }
        for member in last.iter().filter(|member| !has(said, member) && has(here, member)) {
            self.kept.push(change(field, &member.say(), NO_LONGER));
            keep.push(member.clone());
        }
        if !added.is_empty() {
            let before: Vec<String> = here.iter().map(Member::say).collect();
            let after: Vec<String> = result.iter().map(Member::say).collect();
            self.changes.push(change(field, &before.join(", "), &after.join(", ")));
        }
        (result, keep)
    }
}

fn change(field: &str, before: &str, after: &str) -> Change {
    let say = |text: &str| if text.is_empty() { NOTHING.to_owned() } else { shortened(text, 600) };
    Change { field: field.to_owned(), before: say(before), after: say(after) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Content {
        Content {
            name: "Checkout".into(),
            tier: Tier::Critical,
            team: Some("core".into()),
            description: String::new(),
            depends_on: vec!["ledger".into()],
            links: Vec::new(),
            labels: vec!["db".into()],
        }
    }

    fn said(name: &str, team: Option<&str>, labels: &[&str], needs: &[&str]) -> Said {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Said {
            name: Some(name.into()),
            team: team.map(str::to_owned),
            labels: owned(labels),
            depends_on: owned(needs),
            ..Said::default()
        }
    }

    fn fields(changes: &[Change]) -> Vec<&str> {
        changes.iter().map(|change| change.field.as_str()).collect()
    }

    #[test]
    fn what_nobody_touched_follows_the_file_and_what_somebody_changed_stays() {
        let last = said("Checkout", Some("core"), &["db"], &["ledger"]);
        let now = said("Checkout v2", Some("payments"), &["db", "pci"], &["ledger", "mail"]);
        let merged = service(&here(), Some(&last), &now);
        assert_eq!(fields(&merged.changes), ["name", "owner", "needs", "labels"]);
        assert!(merged.kept.is_empty());
        assert_eq!((merged.content.name.as_str(), merged.dependencies), ("Checkout v2", 1));
        assert_eq!(merged.content.labels, ["db", "pci"]);

        let mut touched = here();
        (touched.name, touched.team, touched.labels) = ("Kasse".into(), None, Vec::new());
        let merged = service(&touched, Some(&last), &now);
        assert_eq!(fields(&merged.kept), ["name", "owner", "labels"]);
        assert_eq!((merged.content.name.as_str(), &merged.content.team), ("Kasse", &None));
        assert_eq!(merged.content.labels, ["pci"], "the new one is added, the one taken away stays away");
        // The next time it is the same again.
        let again = service(&merged.content, Some(&merged.said), &now);
        assert_eq!((again.content, again.said), (merged.content, merged.said));
        assert!(again.changes.is_empty());
        assert_eq!(fields(&again.kept), ["name", "owner", "labels"]);
    }

    #[test]
    fn what_was_made_by_hand_is_only_filled() {
        let now = Said {
            description: Some("Takes the money.".into()),
            ..said("checkout", Some("other"), &["pci"], &["mail"])
        };
        let merged = service(&here(), None, &now);
        assert_eq!(fields(&merged.changes), ["description", "needs", "labels"]);
        assert_eq!(fields(&merged.kept), ["name", "owner"]);
        assert_eq!(merged.content.tier, Tier::Critical);
        assert_eq!(merged.content.labels, ["db", "pci"]);
    }

    #[test]
    fn what_the_file_no_longer_says_stays_and_is_said_every_time() {
        let last = Said { tier: Some(Tier::Critical), ..said("Checkout", Some("core"), &["db"], &["ledger"]) };
        let now = Said { name: Some("Checkout".into()), ..Said::default() };
        let merged = service(&here(), Some(&last), &now);
        assert!(merged.changes.is_empty());
        assert_eq!(merged.content, here());
        assert_eq!(fields(&merged.kept), ["tier", "owner", "needs", "labels"]);
        assert_eq!(merged.kept[0].after, NO_LONGER);
        assert_eq!(service(&here(), Some(&merged.said), &now).kept, merged.kept);
    }
}
