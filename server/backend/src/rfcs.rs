//! RFCs: writing them, publishing revisions, reviewing them in threads.
//!
//! | file | what it holds |
//! |---|---|
//! | [`create`], [`update`], [`status`] | the RFC itself: first save, title and people, publishing, withdrawing, deleting a draft |
//! | [`read`], [`list`], [`home`] | what pages and the API show |
//! | [`revisions`] | the immutable texts, one after the other |
//! | [`threads`], [`comments`] | review threads and what is said in them |
//! | [`anchors`] | where each thread is in each revision |
//! | [`render`] | Markdown to sanitised HTML with the source of every word |
//! | [`renderings`] | the kept HTML of revisions |
//! | `concerns` | whom the events of RFCs concern |
//! | [`import`] | RFCs from a folder of Markdown files |
//!
//! An RFC is named by its number. Threads and comments are named by opaque strings.

pub mod anchors;
pub mod comments;
pub(crate) mod concerns;
pub mod create;
pub mod home;
pub mod import;
pub mod list;
pub mod read;
pub mod render;
pub mod renderings;
pub mod revisions;
pub mod status;
#[cfg(test)]
mod tests;
pub mod threads;
pub mod update;

use std::collections::HashSet;

use domain::policy::RfcAccess;
use domain::rfc::Status;
use domain::{Actor, PersonId, Refusal};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

pub use crate::services::ServiceRef;
use crate::{Backend, Error, Result};

/// A person, as shown beside what they did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRef {
    /// Their address, which names them in the API.
    pub email: String,
    /// Their name.
    pub name: String,
}

/// What the rules need to know of an RFC, read inside the transaction that changes it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) number: i64,
    pub(crate) title: String,
    /// The newest revision.
    pub(crate) revision: i32,
    pub(crate) version: i64,
    pub(crate) access: RfcAccess,
}

/// How an RFC's row is held until the end of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The revision and the status stay as they are; others may hold it in the same way.
    Shared,
    /// Nobody else changes it.
    Alone,
}

/// Reads an RFC's row by number and holds it.
pub(crate) async fn hold(tx: &mut PgConnection, number: i64, hold: Hold) -> Result<Row> {
    // Locked first and read after, so that what a parallel change committed meanwhile is seen.
    match hold {
        Hold::Shared => {
            sqlx::query!("select id from rfcs where number = $1 for share", number).fetch_optional(&mut *tx).await?;
        }
        Hold::Alone => {
            sqlx::query!("select id from rfcs where number = $1 for update", number).fetch_optional(&mut *tx).await?;
        }
    }
    look(tx, number).await
}

/// Reads an RFC's row by number, as it is now.
pub(crate) async fn look(connection: impl sqlx::PgExecutor<'_>, number: i64) -> Result<Row> {
    let row = sqlx::query!(
        r#"select id, title, status, revision, version,
             array(select person_id from rfc_authors where rfc_id = r.id) as "authors!: Vec<PersonId>",
             array(select person_id from rfc_shares where rfc_id = r.id) as "shared_with!: Vec<PersonId>"
           from rfcs r where number = $1"#,
        number,
    )
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| Refusal::not_found("RFC"))?;
    let access = RfcAccess { status: word(&row.status)?, authors: row.authors, shared_with: row.shared_with };
    Ok(Row { id: row.id, number, title: row.title, revision: row.revision, version: row.version, access })
}

/// Those of these RFCs that somebody may read.
pub(crate) async fn readable(backend: &Backend, actor: &Actor, numbers: &[i64]) -> Result<HashSet<i64>> {
    let readable = sqlx::query_scalar!(
        r#"select number as "number!" from readable_rfcs($1) where number = any($2)"#,
        actor.id,
        numbers,
    );
    Ok(readable.fetch_all(backend.pool()).await?.into_iter().collect())
}

/// A status as the table keeps it.
pub(crate) fn word(status: &str) -> Result<Status> {
    Status::parse("status", status).map_err(Error::internal)
}

/// What an actor may not do in a hidden RFC, they may not do as if its part were not there: a refusal that names
/// `what` they asked for and gives nothing away.
pub(crate) fn hidden_as(what: &str, refusal: Refusal) -> Refusal {
    if matches!(refusal, Refusal::NotFound { .. }) { Refusal::not_found(what) } else { refusal }
}

/// The number of a thread or comment from its opaque name. Each has one name: `+5` and `007` are none.
pub(crate) fn id(what: &str, name: &str) -> Result<i64> {
    let id = name.parse().ok().filter(|id: &i64| id.to_string() == name);
    Ok(id.ok_or_else(|| Refusal::not_found(what))?)
}

/// An offset in a body, which has at most 512 KiB, as the tables keep it.
pub(crate) fn offset(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
