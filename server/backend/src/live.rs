//! Live pages: what a page listens to, and who may hear of an event.
//!
//! A page names [`Topic`]s. Whether its reader may hear of an event is asked event by event, with the RFC's people as they
//! are then: an [`Audience`] is read from the database, and the policy decides about it.

use std::collections::HashMap;
use std::fmt;

use domain::policy::{Action, RfcAccess, allows};
use domain::{Actor, PersonId, Refusal};

use crate::events::Event;
use crate::{Backend, Result};

/// What a page may listen to: an RFC, written `rfc:12` as events name it, or one's own [`Topic::INBOX`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The noun, as events have it.
    pub kind: String,
    /// The name it has in the API; empty for the inbox.
    pub key: String,
}

impl Topic {
    /// The kind of the topic "my inbox".
    pub const INBOX: &str = "inbox";

    /// Reads a topic.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (kind, key) = text.split_once(':').unwrap_or((text, ""));
        let known = match kind {
            Self::INBOX => key.is_empty(),
            "rfc" => (1..=18).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_digit()),
            _ => false,
        };
        if known {
            return Ok(Self { kind: kind.to_owned(), key: key.to_owned() });
        }
        Err(Refusal::field("topics", "Name what to listen to, for example rfc:12 or inbox, with commas between."))
    }

    /// Whether an event is about this.
    pub fn is_of(&self, event: &Event) -> bool {
        self.kind == event.subject_kind && self.key == event.subject_key
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() { f.write_str(&self.kind) } else { write!(f, "{}:{}", self.kind, self.key) }
    }
}

/// Who may hear of what happens to a subject.
#[derive(Debug, Clone)]
pub enum Audience {
    /// Whoever is signed in.
    Everybody,
    /// Whoever may read this RFC.
    Rfc(RfcAccess),
    /// It is gone, or nothing to listen to.
    Nobody,
}

impl Audience {
    /// Ok, or the refusal that the subject's own page would give.
    pub fn check(&self, actor: &Actor) -> Result<(), Refusal> {
        match self {
            Self::Everybody => allows(actor, Action::Read),
            Self::Rfc(access) => allows(actor, Action::ReadRfc(access)),
            Self::Nobody => Err(Refusal::not_found("RFC")),
        }
    }
}

/// The audiences of these subjects (kind and key) as they are now, in the same order.
pub async fn audiences(backend: &Backend, subjects: &[(&str, &str)]) -> Result<Vec<Audience>> {
    let number = |key: &str| key.parse::<i64>().ok();
    let mut numbers: Vec<_> =
        subjects.iter().filter(|(kind, _)| *kind == "rfc").filter_map(|(_, key)| number(key)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let rfcs = if numbers.is_empty() { HashMap::new() } else { rfcs(backend, &numbers).await? };
    let audience = |(kind, key): &(&str, &str)| match *kind {
        "rfc" => number(key).and_then(|number| rfcs.get(&number).cloned()).map_or(Audience::Nobody, Audience::Rfc),
        Topic::INBOX => Audience::Everybody,
        _ => Audience::Nobody,
    };
    Ok(subjects.iter().map(audience).collect())
}

/// What the policy needs to know of RFCs, by number; one that is not there is left out.
async fn rfcs(backend: &Backend, numbers: &[i64]) -> Result<HashMap<i64, RfcAccess>> {
    let rows = sqlx::query!(
        r#"select number, status,
             array(select person_id from rfc_authors where rfc_id = r.id) as "authors!: Vec<PersonId>",
             array(select person_id from rfc_shares where rfc_id = r.id) as "shared_with!: Vec<PersonId>"
           from rfcs r where number = any($1)"#,
        numbers,
    )
    .fetch_all(backend.pool())
    .await?;
    let access = rows.into_iter().map(|row| {
        let status = crate::rfcs::word(&row.status)?;
        Ok((row.number, RfcAccess { status, authors: row.authors, shared_with: row.shared_with }))
    });
    access.collect()
}

#[cfg(test)]
mod tests {
    use domain::Role;

    use super::*;
    use crate::events::Position;
    use crate::rfcs::create::{self, NewRfc};
    use crate::rfcs::status::{self, ChangeStatus};
    use crate::rfcs::update::{self, UpdateRfc};
    use crate::{Expected, events, testing};

    #[test]
    fn only_what_events_are_about_can_be_listened_to() {
        for good in ["inbox", "rfc:12"] {
            assert_eq!(Topic::parse(good).map(|topic| topic.to_string()).as_deref(), Ok(good));
        }
        let long = format!("rfc:{}", "9".repeat(19));
        for bad in ["", "rfc", "rfc:", "rfc:\0", "rfc:x", "inbox:7", "service:checkout", "person:a@b", "*", &long] {
            assert!(Topic::parse(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_draft_is_heard_of_by_those_who_may_read_it_now() {
        let test = testing::backend().await;
        let author = testing::person(&test, "Ana", Role::Member, None).await;
        let friend = testing::person(&test, "Finn", Role::Reader, None).await;
        let admin = testing::person(&test, "Ada", Role::Admin, None).await;
        let new = NewRfc { title: "T".into(), kind: "slo".into(), body: "B".into(), services: Vec::new() };
        let number = create::create(&test, &author, new).await.unwrap().number;
        let key = number.to_string();
        let hear = async || {
            let audience = audiences(&test, &[("rfc", &key)]).await.unwrap().remove(0);
            [&author, &friend, &admin].map(|actor| audience.check(actor).is_ok())
        };
        assert_eq!(hear().await, [true, false, false]);
        let share = async |people: Vec<String>| {
            let change = UpdateRfc { shared_with: Some(people), ..UpdateRfc::default() };
            let version = crate::rfcs::read::read(&test, &author, number, None).await.unwrap().version;
            update::update(&test, &author, number, Expected::Version(version), change).await.unwrap();
        };
        share(vec![friend.email.clone()]).await;
        assert_eq!(hear().await, [true, true, false]);
        share(Vec::new()).await;
        assert_eq!(hear().await, [true, false, false]);
        let change = ChangeStatus { to: "in_review".into(), reason: None };
        status::change_status(&test, &author, number, change).await.unwrap();
        assert_eq!(hear().await, [true, true, true]);
    }

    #[tokio::test]
    async fn what_is_gone_or_nothing_to_listen_to_is_heard_of_by_nobody() {
        let test = testing::backend().await;
        let admin = testing::actor(2, Role::Admin);
        let subjects = [("rfc", "99"), ("rfc", "x"), ("person", "a@example.com"), ("hook", "1"), (Topic::INBOX, "")];
        let audiences = audiences(&test, &subjects).await.unwrap();
        let hears: Vec<_> = audiences.iter().map(|audience| audience.check(&admin).is_ok()).collect();
        assert_eq!(hears, [false, false, false, false, true]);
    }

    #[tokio::test]
    async fn what_was_missed_is_found_by_its_subject() {
        let test = testing::backend().await;
        let mut places = Vec::new();
        for key in ["core", "search", "core"] {
            let mut tx = test.begin_unsigned().await.unwrap();
            tx.event("test.done", &crate::Subject::team(key), None, None).await.unwrap();
            tx.commit(()).await.unwrap();
            // Other tests have transactions open in the same cluster.
            let mut newest = events::newest(&test).await.unwrap();
            while places.last().map_or(Position::default(), |place| *place) == newest {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                newest = events::newest(&test).await.unwrap();
            }
            places.push(newest);
        }
        let missed = async |place: Position, key: &str, limit: i64| {
            let found = events::after_about(&test, place, &["team".into()], &[key.into()], limit).await.unwrap();
            found.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
        };
        assert_eq!(missed(Position::default(), "core", 9).await, [places[0], places[2]]);
        assert_eq!(missed(Position::default(), "core", 1).await, [places[0]]);
        assert_eq!(missed(places[0], "core", 9).await, [places[2]]);
        assert!(missed(places[2], "core", 9).await.is_empty());
    }
}
