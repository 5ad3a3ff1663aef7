//! Events: what happened, in order. Every change writes one in its own transaction ([`Tx::event`](crate::Tx::event)).
//!
//! | file | what it holds |
//! |---|---|
//! | [`activity`] | the feed on the page of each thing, as far as its reader may know |
//! | [`audit`] | everything, for admins: filters, export |
//! | [`sentence`] | what an event says in plain English |
//!
//! Notices, webhooks, live pages, activity feeds and the audit view are made from them; nothing else tells what changed.

pub mod activity;
pub mod audit;
pub mod sentence;

use std::fmt;
use std::str::FromStr;

use domain::PersonId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use crate::{Backend, Result};

/// A place in the order of events. As text it is a cursor: `[0-9-]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The transaction that wrote the event.
    transaction: u64,
    /// The event.
    id: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.transaction, self.id)
    }
}

impl FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (transaction, id) = text.split_once('-').unwrap_or((text, ""));
        Ok(Self { transaction: transaction.parse()?, id: id.parse()? })
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The table's key.
    #[serde(skip)]
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The table's key of who did it; nobody: the product itself.
    #[serde(skip)]
    pub actor_id: Option<PersonId>,
    /// Who did it, by name.
    pub actor_name: Option<String>,
    /// The same by address.
    pub actor: Option<String>,
    /// `<noun>.<what happened>`.
    pub verb: String,
    /// The noun of what it happened to.
    pub subject_kind: String,
    /// The name that has in the API.
    pub subject_key: String,
    /// What mattered of it before.
    pub before: Option<Value>,
    /// What matters of it now.
    pub after: Option<Value>,
    /// The request that did it.
    pub request_id: String,
}

impl Event {
    /// The number of the RFC that it happened to.
    fn rfc(&self) -> Option<i64> {
        (self.subject_kind == "rfc").then(|| self.subject_key.parse().ok()).flatten()
    }
}

/// The place after the newest event that nobody can come before any more.
pub async fn newest(backend: &Backend) -> Result<Position> {
    let row = sqlx::query!(
        r#"select position::text as "transaction!", id from events
           where position < pg_snapshot_xmin(pg_current_snapshot())
           order by position desc, id desc limit 1"#
    )
    .fetch_optional(backend.pool())
    .await?;
    Ok(row.map_or_else(Position::default, |row| Position { transaction: parsed(&row.transaction), id: row.id }))
}

/// The events after a place, the oldest first, each with its own place. What is returned once stays before everything
/// that is returned later: nothing is missed.
pub async fn after(backend: &Backend, place: Position, limit: i64) -> Result<Vec<(Position, Event)>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select events.id, events.position::text as "position!", events.at, events.actor_id,
                  people.name as "actor_name?", people.email as "actor?: String", events.verb, events.subject_kind,
                  events.subject_key, events.before, events.after, events.request_id
           from events left join people on people.id = events.actor_id
           where (events.position, events.id) > ($1::text::xid8, $2)
             and events.position < pg_snapshot_xmin(pg_current_snapshot())
           order by events.position, events.id limit $3"#,
        place.transaction.to_string(),
        place.id,
        limit,
    )
    .fetch_all(backend.pool())
    .await?;
    Ok(rows.into_iter().map(Row::placed).collect())
}

/// The events after a place that are about one of these subjects, the oldest first: what somebody missed who follows these
/// and nothing else. `kinds` and `keys` belong together, pair by pair.
pub async fn after_about(
    backend: &Backend,
    place: Position,
    kinds: &[String],
    keys: &[String],
    limit: i64,
) -> Result<Vec<(Position, Event)>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select events.id, events.position::text as "position!", events.at, events.actor_id,
                  people.name as "actor_name?", people.email as "actor?: String", events.verb, events.subject_kind,
                  events.subject_key, events.before, events.after, events.request_id
           from events left join people on people.id = events.actor_id
           where (events.subject_kind, events.subject_key) in (select * from unnest($3::text[], $4::text[]))
             and (events.position, events.id) > ($1::text::xid8, $2)
             and events.position < pg_snapshot_xmin(pg_current_snapshot())
           order by events.position, events.id limit $5"#,
        place.transaction.to_string(),
        place.id,
        kinds,
        keys,
        limit,
    )
    .fetch_all(backend.pool())
    .await?;
    Ok(rows.into_iter().map(Row::placed).collect())
}

/// These events; in no order.
pub(crate) async fn find(connection: &mut PgConnection, ids: &[i64]) -> Result<Vec<Event>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select events.id as "id!", events.position::text as "position!", events.at as "at!", events.actor_id,
                  people.name as "actor_name?", people.email as "actor?: String", events.verb as "verb!",
                  events.subject_kind as "subject_kind!", events.subject_key as "subject_key!", events.before, events.after,
                  events.request_id as "request_id!"
           from events left join people on people.id = events.actor_id where events.id = any($1)"#,
        ids,
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.placed().1).collect())
}

/// Whether there are events of a transaction that this cluster has not come to: they were restored from another one.
pub async fn came_from_elsewhere(connection: &mut PgConnection) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from events where position >= pg_snapshot_xmax(pg_current_snapshot())) as "found!""#
    );
    Ok(found.fetch_one(connection).await?)
}

/// An event as the database gives it.
struct Row {
    id: i64,
    position: String,
    at: jiff_sqlx::Timestamp,
    actor_id: Option<PersonId>,
    actor_name: Option<String>,
    actor: Option<String>,
    verb: String,
    subject_kind: String,
    subject_key: String,
    before: Option<Value>,
    after: Option<Value>,
    request_id: String,
}

impl Row {
    fn placed(self) -> (Position, Event) {
        let place = Position { transaction: parsed(&self.position), id: self.id };
        let event = Event {
            id: self.id,
            at: self.at.to_jiff(),
            actor_id: self.actor_id,
            actor_name: self.actor_name,
            actor: self.actor,
            verb: self.verb,
            subject_kind: self.subject_kind,
            subject_key: self.subject_key,
            before: self.before,
            after: self.after,
            request_id: self.request_id,
        };
        (place, event)
    }
}

/// Postgres numbers its transactions with 64 bits.
fn parsed(transaction: &str) -> u64 {
    transaction.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Subject, testing};

    #[tokio::test]
    async fn a_reader_in_order_misses_nothing_that_is_committed_late() {
        let test = testing::backend().await;
        let verbs = async |place: &mut Position| {
            let mut seen = Vec::new();
            for (at, event) in after(&test, *place, 100).await.unwrap() {
                seen.push(event.verb);
                *place = at;
            }
            seen
        };
        let mut place = Position::default();
        let mut slow = test.begin_unsigned().await.unwrap();
        slow.event("test.slow", &Subject::team("x"), None, None).await.unwrap();
        let mut quick = test.begin_unsigned().await.unwrap();
        quick.event("test.quick", &Subject::team("x"), None, None).await.unwrap();
        quick.commit(()).await.unwrap();
        assert!(verbs(&mut place).await.is_empty(), "the earlier one may still come");
        slow.commit(()).await.unwrap();
        // Transactions of other databases in the cluster hold the order up too.
        let mut seen = verbs(&mut place).await;
        while seen.len() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            seen.extend(verbs(&mut place).await);
        }
        assert_eq!(seen, ["test.slow", "test.quick"]);
        assert!(verbs(&mut place).await.is_empty());
        assert_eq!(place, newest(&test).await.unwrap());
        assert_eq!(place.to_string().parse::<Position>(), Ok(place));
    }
}
