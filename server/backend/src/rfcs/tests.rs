//! What RFCs, their revisions and reviews promise, tried on a real Postgres.

mod drafts;
mod imports;
mod lists;
mod reviews;
mod revisions;

use domain::{Actor, Refusal, Role};

use super::create::{Created, NewRfc, create};
use super::status::{ChangeStatus, change_status};
use super::threads::{self, NewThread, Opened, Thread};
use crate::testing::{self, TestBackend};
use crate::{Backend, Error, Once, Result};

/// A backend with an author, a reviewer, and somebody else.
struct Cast {
    backend: TestBackend,
    author: Actor,
    reviewer: Actor,
    sre: Actor,
}

async fn cast() -> Cast {
    let backend = testing::backend().await;
    let author = testing::person(&backend, "Ana Author", Role::Member, Some("payments")).await;
    let reviewer = testing::person(&backend, "Rui Reviewer", Role::Member, Some("search")).await;
    let sre = testing::person(&backend, "Sam Sre", Role::Sre, None).await;
    Cast { backend, author, reviewer, sre }
}

fn text(body: &str) -> NewRfc {
    NewRfc { title: "Shard the ledger".into(), kind: "architecture".into(), body: body.into(), services: vec![] }
}

/// A draft with this body.
async fn draft(cast: &Cast, body: &str) -> Created {
    create(&cast.backend, &cast.author, text(body)).await.unwrap()
}

/// An RFC in review with this body.
async fn published(cast: &Cast, body: &str) -> i64 {
    let number = draft(cast, body).await.number;
    to(cast, &cast.author, number, "in_review").await.unwrap();
    number
}

async fn to(cast: &Cast, actor: &Actor, number: i64, status: &str) -> Result<()> {
    let change = ChangeStatus { to: status.into(), reason: None };
    change_status(&cast.backend, actor, number, change).await.map(drop)
}

/// Publishes `body` on top of the newest revision.
async fn revise(cast: &Cast, number: i64, body: &str) -> i32 {
    let newest = super::read::read(&cast.backend, &cast.author, number, None).await.unwrap().newest_revision;
    let new = super::revisions::NewRevision {
        body: body.into(),
        summary: String::new(),
        base_revision: newest.into(),
        major: false,
    };
    super::revisions::publish_revision(&cast.backend, &cast.author, number, new).await.unwrap().revision
}

/// A thread by the reviewer on `quote` (its first occurrence) in `revision`, whose body is `body`.
async fn thread_on(cast: &Cast, number: i64, revision: i64, body: &str, quote: &str) -> Opened {
    let start = body.find(quote).unwrap();
    let new = NewThread {
        revision,
        start: i64::try_from(start).ok(),
        end: i64::try_from(start + quote.len()).ok(),
        body: format!("About *{quote}*"),
        severity: "should".into(),
    };
    threads::open(&cast.backend, &cast.reviewer, number, new).await.unwrap()
}

fn whole(body: &str) -> NewThread {
    NewThread { revision: 1, start: None, end: None, body: body.into(), severity: "note".into() }
}

/// The thread `id` as seen in the newest revision.
async fn seen(cast: &Cast, id: &str) -> Thread {
    threads::get(&cast.backend, &cast.sre, id).await.unwrap().1
}

fn refusal<T: std::fmt::Debug>(answer: Result<T>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn status<T: std::fmt::Debug>(answer: Result<T>) -> u16 {
    refusal(answer).status()
}

/// The same backend for a request that is to have its effect once.
fn once(backend: &Backend, key: &str) -> Backend {
    backend.for_request("test", Some(Once { key: key.into(), request_hash: [7; 32] }))
}

/// The verbs of the events of an RFC, in order.
async fn events(backend: &Backend, number: i64) -> Vec<String> {
    sqlx::query_scalar!(
        "select verb from events where subject_kind = 'rfc' and subject_key = $1 order by id",
        number.to_string(),
    )
    .fetch_all(backend.pool())
    .await
    .unwrap()
}

/// Adds a service owned by the team with this slug.
async fn service(backend: &Backend, slug: &str, team: Option<&str>) {
    use jiff_sqlx::ToSqlx;
    sqlx::query!(
        "insert into services (slug, name, tier, team_id, created_at, updated_at)
         values ($1, $1, 2, (select id from teams where slug = $2), $3, $3)",
        slug,
        team,
        backend.now().to_sqlx(),
    )
    .execute(backend.pool())
    .await
    .unwrap();
}
