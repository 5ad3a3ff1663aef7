//! What is said in review threads. Edits and deletions keep what was there before.

use std::collections::BTreeMap;

use domain::policy::{self, Action, RfcAccess};
use domain::{Actor, PersonId, Refusal, limits, text};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::render::{RENDERER_VERSION, render_comment};
use super::threads::number_of;
use super::{Hold, PersonRef};
use crate::{Backend, Error, Expected, OnConstraint, Result, Subject};

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Names it.
    pub id: String,
    /// Who said it.
    pub author: PersonRef,
    /// Its Markdown; empty when deleted.
    pub body: String,
    /// The same as sanitised HTML; empty when deleted.
    pub html: String,
    /// When it was said.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// For the next edit.
    pub version: i64,
    /// Whether the reader may edit and delete it.
    pub may_edit: bool,
}

/// A comment and where it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The comment.
    pub comment: Comment,
    /// The thread it is in.
    pub thread: String,
    /// The RFC that is on.
    pub rfc: i64,
}

/// A comment that was posted, edited or deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// Names it.
    pub id: String,
    /// The thread it is in.
    pub thread: String,
    /// The RFC that is on.
    pub rfc: i64,
    /// For the next edit.
    pub version: i64,
}

/// What a comment said before an edit or its deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierText {
    /// The version that had this text.
    pub version: i64,
    /// The text.
    pub body: String,
    /// When it was replaced.
    pub replaced_at: Timestamp,
}

/// Answers in a thread.
pub async fn reply(backend: &Backend, actor: &Actor, thread: &str, said: &str) -> Result<Posted> {
    let id = super::id("thread", thread)?;
    let said = Error::apart(Text::of(said).await)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let number = number_of(&mut *tx, id).await?;
    // Shared: the draft is not deleted meanwhile, and others reply at the same time.
    let rfc = super::hold(&mut tx, number, Hold::Shared).await?;
    policy::allows(actor, Action::Comment(&rfc.access)).map_err(|refusal| super::hidden_as("thread", refusal))?;
    let comment = insert(&mut tx, id, actor, &said?, backend.now().to_sqlx()).await?;
    let after = json!({ "thread": thread, "comment": comment.to_string() });
    tx.event("comment.posted", &Subject::rfc(number), None, Some(after)).await?;
    tx.commit(Posted { id: comment.to_string(), thread: thread.to_owned(), rfc: number, version: 1 }).await
}

/// Says a comment in other words; the old ones are kept.
pub async fn edit(backend: &Backend, actor: &Actor, comment: &str, expected: Expected, said: &str) -> Result<Posted> {
    let id = super::id("comment", comment)?;
    let said = Error::apart(Text::of(said).await)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let held = hold(&mut tx, actor, id).await?;
    expected.check_existing(held.version)?;
    let Text { body, html } = said?;
    let (thread, rfc) = (held.thread.to_string(), held.rfc);
    if held.body == body {
        return tx.commit(Posted { id: comment.to_owned(), thread, rfc, version: held.version }).await;
    }
    let now = backend.now().to_sqlx();
    keep(&mut tx, id, &held, now).await?;
    let version = sqlx::query_scalar!(
        "update rfc_comments set body = $2, html = $3, renderer = $4, edited_at = $5, version = version + 1
         where id = $1 returning version",
        id,
        body,
        html,
        RENDERER_VERSION,
        now,
    )
    .fetch_one(&mut *tx)
    .await?;
    let event = json!({ "thread": thread, "comment": comment, "version": version });
    tx.event("comment.edited", &Subject::rfc(rfc), None, Some(event)).await?;
    tx.commit(Posted { id: comment.to_owned(), thread, rfc, version }).await
}

/// Takes a comment back. Its row stays, so that the thread still reads; its text is kept for its author alone.
pub async fn delete(backend: &Backend, actor: &Actor, comment: &str, expected: Expected) -> Result<Posted> {
    let id = super::id("comment", comment)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let held = hold(&mut tx, actor, id).await?;
    expected.check_existing(held.version)?;
    let now = backend.now().to_sqlx();
    keep(&mut tx, id, &held, now).await?;
    let version = sqlx::query_scalar!(
        "update rfc_comments set body = '', html = '', deleted_at = $2, version = version + 1
         where id = $1 returning version",
        id,
        now,
    )
    .fetch_one(&mut *tx)
    .await?;
    let (thread, rfc) = (held.thread.to_string(), held.rfc);
    let event = json!({ "thread": thread, "comment": comment });
    tx.event("comment.deleted", &Subject::rfc(rfc), Some(event), None).await?;
    tx.commit(Posted { id: comment.to_owned(), thread, rfc, version }).await
}

/// One comment.
pub async fn get(backend: &Backend, actor: &Actor, comment: &str) -> Result<Said> {
    let id = super::id("comment", comment)?;
    let thread = sqlx::query_scalar!("select thread_id from rfc_comments where id = $1", id)
        .fetch_optional(backend.pool())
        .await?
        .ok_or_else(|| Refusal::not_found("comment"))?;
    let rfc = number_of(backend.pool(), thread).await?;
    let access = super::look(backend.pool(), rfc).await?.access;
    policy::allows(actor, Action::ReadRfc(&access)).map_err(|refusal| super::hidden_as("comment", refusal))?;
    let mut said = of_threads(backend, actor, &access, &[thread]).await?;
    let found = said.remove(&thread).unwrap_or_default().into_iter().find(|found| found.id == comment);
    let comment = found.ok_or_else(|| Refusal::not_found("comment"))?;
    Ok(Said { comment, thread: thread.to_string(), rfc })
}

/// What a comment said before, the oldest text first. The texts of a deleted comment are for its author alone.
pub async fn history(backend: &Backend, actor: &Actor, comment: &str) -> Result<Vec<EarlierText>> {
    let id = super::id("comment", comment)?;
    let row = sqlx::query!("select thread_id, author_id, deleted_at from rfc_comments where id = $1", id)
        .fetch_optional(backend.pool())
        .await?
        .ok_or_else(|| Refusal::not_found("comment"))?;
    let rfc = number_of(backend.pool(), row.thread_id).await?;
    let access = super::look(backend.pool(), rfc).await?.access;
    policy::allows(actor, Action::ReadRfc(&access)).map_err(|refusal| super::hidden_as("comment", refusal))?;
    let deleted = row.deleted_at.is_some();
    if policy::allows(actor, Action::ReadEarlierTexts { rfc: &access, author: row.author_id, deleted }).is_err() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        "select version, body, replaced_at from rfc_comment_edits where comment_id = $1 order by version",
        id,
    )
    .fetch_all(backend.pool())
    .await?;
    let texts = rows.into_iter().map(|row| EarlierText {
        version: row.version,
        body: row.body,
        replaced_at: row.replaced_at.to_jiff(),
    });
    Ok(texts.collect())
}

/// A comment's text, checked and rendered: before the transaction, in which others may wait.
pub(super) struct Text {
    body: String,
    html: String,
}

impl Text {
    /// Of what somebody wrote.
    pub(super) async fn of(said: &str) -> Result<Self> {
        let body = text::body("body", "The comment", said, limits::COMMENT_BYTES)?;
        let html = rendered(&body).await?;
        Ok(Self { body, html })
    }
}

/// Adds a comment to a thread.
pub(super) async fn insert(
    tx: &mut PgConnection,
    thread: i64,
    actor: &Actor,
    said: &Text,
    now: jiff_sqlx::Timestamp,
) -> Result<i64> {
    sqlx::query_scalar!(
        "insert into rfc_comments (thread_id, author_id, body, html, renderer, created_at)
         values ($1, $2, $3, $4, $5, $6) returning id",
        thread,
        actor.id,
        said.body,
        said.html,
        RENDERER_VERSION,
        now,
    )
    .fetch_one(&mut *tx)
    .await
    // The draft was deleted meanwhile, and the thread with it.
    .on_constraint("rfc_comments_thread_id_fkey", || Refusal::not_found("thread"))
}

/// What is said in each of the threads, in order.
pub(super) async fn of_threads(
    backend: &Backend,
    actor: &Actor,
    access: &RfcAccess,
    threads: &[i64],
) -> Result<BTreeMap<i64, Vec<Comment>>> {
    let rows = sqlx::query!(
        r#"select c.id, c.thread_id, c.author_id, c.body, c.html, c.renderer, c.created_at, c.edited_at, c.deleted_at,
             c.version, p.email, p.name
           from rfc_comments c join people p on p.id = c.author_id
           where c.thread_id = any($1) order by c.id"#,
        threads,
    )
    .fetch_all(backend.pool())
    .await?;
    let mut said: BTreeMap<i64, Vec<Comment>> = BTreeMap::new();
    for row in rows {
        let html = if row.renderer == RENDERER_VERSION || row.deleted_at.is_some() {
            row.html
        } else {
            rendered(&row.body).await?
        };
        let may_edit = row.deleted_at.is_none()
            && policy::allows(actor, Action::EditComment { rfc: access, author: row.author_id }).is_ok();
        said.entry(row.thread_id).or_default().push(Comment {
            id: row.id.to_string(),
            author: PersonRef { email: row.email, name: row.name },
            body: row.body,
            html,
            created_at: row.created_at.to_jiff(),
            edited_at: row.edited_at.map(jiff_sqlx::Timestamp::to_jiff),
            deleted_at: row.deleted_at.map(jiff_sqlx::Timestamp::to_jiff),
            version: row.version,
            may_edit,
        });
    }
    Ok(said)
}

/// A comment's row, held until the end of the transaction.
struct Held {
    rfc: i64,
    thread: i64,
    body: String,
    version: i64,
}

/// Holds a comment that `actor` may change.
async fn hold(tx: &mut PgConnection, actor: &Actor, comment: i64) -> Result<Held> {
    let row = sqlx::query!(
        "select thread_id, author_id, body, version, deleted_at from rfc_comments where id = $1 for update",
        comment,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Refusal::not_found("comment"))?;
    let author: PersonId = row.author_id;
    let rfc = number_of(&mut *tx, row.thread_id).await?;
    let access = super::look(&mut *tx, rfc).await?.access;
    let action = Action::EditComment { rfc: &access, author };
    policy::allows(actor, action).map_err(|refusal| super::hidden_as("comment", refusal))?;
    if row.deleted_at.is_some() {
        return Err(Refusal::conflict("This comment was deleted.").into());
    }
    Ok(Held { rfc, thread: row.thread_id, body: row.body, version: row.version })
}

/// Keeps what a comment says before it says something else.
async fn keep(tx: &mut PgConnection, comment: i64, held: &Held, now: jiff_sqlx::Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into rfc_comment_edits (comment_id, version, body, replaced_at) values ($1, $2, $3, $4)",
        comment,
        held.version,
        held.body,
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Renders beside the runtime: a comment of 64 KiB takes milliseconds.
async fn rendered(body: &str) -> Result<String> {
    let body = body.to_owned();
    tokio::task::spawn_blocking(move || render_comment(&body)).await.map_err(Error::internal)
}
