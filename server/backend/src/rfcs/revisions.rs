//! The immutable texts of an RFC, one after the other. Publishing one carries every thread into it.

use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::rfc::Status;
use domain::{Actor, Refusal, limits, text};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::{Hold, PersonRef, anchors};
use crate::{Backend, Page, PageRequest, Result, Subject};

/// A revision without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionSummary {
    /// 1, 2, 3 …
    pub revision: i32,
    /// What changed, in its author's words; may be empty.
    pub summary: String,
    /// Whether its author calls the change a major one.
    pub major: bool,
    /// Who published it.
    pub author: PersonRef,
    /// When; as `meta.json` says for imported ones, so the times may go backwards.
    pub created_at: Timestamp,
    /// Bytes of its text.
    pub bytes: i32,
}

/// A revision with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Everything else.
    #[serde(flatten)]
    pub summary: RevisionSummary,
    /// Its Markdown.
    pub body: String,
}

/// A revision to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRevision {
    /// Markdown, at most 512 KiB, kept byte for byte after CRLF → LF.
    pub body: String,
    /// What changed, in one line; may be empty.
    pub summary: String,
    /// The revision this one was written on; must be the newest.
    pub base_revision: i64,
    /// Whether the change is a major one.
    pub major: bool,
}

/// The revision that came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revised {
    /// Its number.
    pub revision: i32,
    /// The RFC's version now.
    pub version: i64,
}

/// The revisions of the RFC `number`, the newest first.
pub async fn list(backend: &Backend, actor: &Actor, number: i64, page: &PageRequest) -> Result<Page<RevisionSummary>> {
    let mut connection = backend.pool().acquire().await?;
    let rfc = super::look(&mut *connection, number).await?;
    policy::allows(actor, Action::ReadRfc(&rfc.access))?;
    let (rows, after) = (page.rows()?, page.after::<i32>()?);
    let mut found = summaries(&mut connection, rfc.id).await?;
    found.retain(|summary| after.is_none_or(|after| summary.revision < after));
    Page::new(found, rows, |summary| summary.revision)
}

/// One revision of the RFC `number`, with its text.
pub async fn get(backend: &Backend, actor: &Actor, number: i64, revision: i64) -> Result<Revision> {
    let rfc = super::read::read(backend, actor, number, Some(revision)).await?;
    let summary = rfc.revisions.into_iter().find(|summary| summary.revision == rfc.revision);
    let summary = summary.ok_or_else(|| Refusal::not_found("revision"))?;
    Ok(Revision { summary, body: rfc.body })
}

/// The summaries of the RFC with the key `rfc`, the newest first. The caller has checked that it may be read.
pub(super) async fn summaries(connection: &mut PgConnection, rfc: i64) -> Result<Vec<RevisionSummary>> {
    let rows = sqlx::query!(
        r#"select v.revision, v.summary, v.major, v.created_at, octet_length(v.body) as "bytes!", p.email, p.name
           from rfc_revisions v join people p on p.id = v.author_id
           where v.rfc_id = $1 order by v.revision desc"#,
        rfc,
    )
    .fetch_all(connection)
    .await?;
    let summaries = rows.into_iter().map(|row| RevisionSummary {
        revision: row.revision,
        summary: row.summary,
        major: row.major,
        author: PersonRef { email: row.email, name: row.name },
        created_at: row.created_at.to_jiff(),
        bytes: row.bytes,
    });
    Ok(summaries.collect())
}

/// Publishes a revision of the RFC `number`. When this answers, every thread, resolved ones too, has its place in it.
/// The same text again is a revision, too: histories have some.
pub async fn publish_revision(backend: &Backend, actor: &Actor, number: i64, new: NewRevision) -> Result<Revised> {
    let mut fields = Fields::default();
    let body = fields.take(super::create::body(&new.body))?;
    let summary =
        fields.take(text::optional_line("summary", "The summary", &new.summary, limits::REVISION_SUMMARY_CHARS))?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let rfc = super::hold(&mut tx, number, Hold::Alone).await?;
    policy::allows(actor, Action::EditRfc(&rfc.access))?;
    let (body, summary) = fields.finish((body, summary))?;
    takes_revisions(rfc.access.status)?;
    if new.base_revision != i64::from(rfc.revision) {
        let message = format!(
            "This was written on revision {}, but the newest is revision {}. Take over what changed and publish again.",
            new.base_revision, rfc.revision,
        );
        return Err(Refusal::conflict(message).into());
    }
    let previous = sqlx::query_scalar!(
        "select body from rfc_revisions where rfc_id = $1 and revision = $2",
        rfc.id,
        rfc.revision,
    )
    .fetch_one(&mut *tx)
    .await?;

    let revision = rfc.revision + 1;
    let now = backend.now().to_sqlx();
    sqlx::query!(
        "insert into rfc_revisions (rfc_id, revision, body, summary, major, author_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        rfc.id,
        revision,
        body,
        summary,
        new.major,
        actor.id,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let version = sqlx::query_scalar!(
        "update rfcs set revision = $2, version = version + 1, updated_at = $3 where id = $1 returning version",
        rfc.id,
        revision,
        now,
    )
    .fetch_one(&mut *tx)
    .await?;
    anchors::carry_all(&mut tx, rfc.id, previous, revision, body).await?;
    let after = json!({ "revision": revision, "summary": summary, "major": new.major });
    let before = json!({ "revision": rfc.revision });
    tx.event("rfc.revision_published", &Subject::rfc(number), Some(before), Some(after)).await?;
    tx.commit(Revised { revision, version }).await
}

/// Refuses a revision in a status that takes none.
pub(super) fn takes_revisions(status: Status) -> std::result::Result<(), Refusal> {
    if status.takes_revisions() {
        return Ok(());
    }
    Err(Refusal::conflict(format!(
        "An RFC that is {} takes no more revisions; only drafts and RFCs in review or final comment do.",
        status.label().to_lowercase(),
    )))
}
