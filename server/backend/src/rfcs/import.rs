//! `plumbline import rfcs DIR`: brings a folder of Markdown files in as RFCs. [`parse`] reads the folder; this file
//! compares what it found with what is there, each document in a transaction of its own.
//!
//! A second run changes nothing. A known slug gets a new revision when its text is another one, unless that text is
//! older than the newest revision by its `meta.json`.

pub mod parse;

use std::path::Path;
use std::time::Duration;

use domain::policy::{self, Action};
use domain::rfc::{Kind, Status};
use domain::{Actor, Refusal, limits};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::{Hold, anchors, create, revisions};
use crate::{Backend, Error, OnConstraint, Result, Subject, Tx};
use parse::{RevisionText, Texts};

/// How often a document is tried while the database is busy.
const TRIES: u32 = 5;

/// How far an import is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// Documents done.
    pub done: usize,
    /// Documents in all.
    pub of: usize,
    /// The one just done.
    pub slug: &'a str,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// RFCs that are new.
    pub created: usize,
    /// RFCs that were known and got new revisions.
    pub revised: usize,
    /// RFCs that were known and had it all.
    pub unchanged: usize,
    /// Revisions added, those of new RFCs included.
    pub revisions: usize,
    /// What was not imported, by path.
    pub refused: Vec<Refused>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// A file that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The file, relative to the folder.
    pub path: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// What became of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Outcome {
    Created { revisions: usize },
    Revised { revisions: usize },
    Unchanged,
}

/// Imports the folder `dir` in the name of `actor`; new RFCs get `status`. What is refused is in the summary and does not
/// stop the rest. `progress` is told of every document that is done and answers whether to go on. A database that does not answer is waited for; when it stays away, what is left is in the summary, too.
pub async fn import(
    backend: &Backend,
    actor: &Actor,
    dir: &Path,
    status: Status,
    mut progress: impl FnMut(Progress<'_>) -> bool + Send,
) -> Result<Summary> {
    policy::allows(actor, Action::WriteRfc)?;
    let folder = dir.to_owned();
    let found = tokio::task::spawn_blocking(move || parse::scan(&folder)).await.map_err(Error::internal)?;
    let refused = found.refused.into_iter();
    let refused = refused.map(|file| Refused { path: file.path.display().to_string(), reason: file.reason });
    let mut summary = Summary { refused: refused.collect(), ..Summary::default() };
    let of = found.documents.len();
    let mut away = false;
    for (index, document) in found.documents.into_iter().enumerate() {
        let slug = document.slug.clone();
        let mut path = document.files.last().map(|file| file.path.display().to_string()).unwrap_or_default();
        let folder = dir.to_owned();
        let texts = tokio::task::spawn_blocking(move || document.read(&folder)).await.map_err(Error::internal)?;
        let answer = match texts {
            _ if away => {
                Err(Refusal::conflict("The database stopped answering before its turn; run the import again."))
            }
            Err(file) => {
                path = file.path.display().to_string();
                Err(Refusal::conflict(file.reason))
            }
            Ok(texts) => Error::apart(import_patiently(backend, actor, status, &texts).await)?,
        };
        match answer {
            Ok(Outcome::Created { revisions }) => {
                summary.created += 1;
                summary.revisions += revisions;
            }
            Ok(Outcome::Revised { revisions }) => {
                summary.revised += 1;
                summary.revisions += revisions;
            }
            Ok(Outcome::Unchanged) => summary.unchanged += 1,
            Err(refusal) => {
                // One document that cannot be written now is not the end of the others.
                away = refusal.status() >= 500 && backend.pool().acquire().await.is_err();
                summary.refused.push(Refused { path, reason: refusal.to_string() });
            }
        }
        let done = index + 1;
        if !progress(Progress { done, of, slug: &slug }) && done < of {
            summary.interrupted = true;
            break;
        }
    }
    if summary.revisions > 0
        && let Err(error) = analyze(backend).await
    {
        tracing::warn!(%error, "Postgres was not told of the new rows; searches may be slow for a minute");
    }
    summary.refused.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(summary)
}

/// Postgres learns of that many new rows by itself only in a minute, and plans searches badly until then.
async fn analyze(backend: &Backend) -> Result<()> {
    let mut tx = backend.begin_unsigned().await?;
    tx.take_time().await?;
    sqlx::query!("analyze rfcs, rfc_revisions").execute(&mut *tx).await?;
    tx.commit(()).await
}

/// Imports one document, some times over when the database is busy or goes away: a second time finds what the first one
/// did.
async fn import_patiently(backend: &Backend, actor: &Actor, status: Status, texts: &Texts) -> Result<Outcome> {
    let mut tries = 1;
    loop {
        let seconds = match import_one(backend, actor, status, texts.clone()).await {
            Err(Error::Refused(Refusal::Busy { retry_after_seconds })) if tries < TRIES => retry_after_seconds,
            Err(Error::Refused(Refusal::OutcomeUnknown)) if tries < TRIES => 1,
            answer => return answer,
        };
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        tries += 1;
    }
}

async fn import_one(backend: &Backend, actor: &Actor, status: Status, document: Texts) -> Result<Outcome> {
    let mut tx = backend.begin(actor).await?;
    tx.take_time().await?;
    let known =
        sqlx::query_scalar!("select number from rfcs where slug = $1", document.slug).fetch_optional(&mut *tx).await?;
    match known {
        None => create_from(backend, actor, tx, status, document).await,
        Some(number) => revise_from(backend, actor, tx, number, document).await,
    }
}

/// A document under an unknown slug: an RFC with all its revisions in file order.
async fn create_from(
    backend: &Backend,
    actor: &Actor,
    mut tx: Tx<'_>,
    status: Status,
    document: Texts,
) -> Result<Outcome> {
    let now = backend.now();
    let dates: Vec<Timestamp> = document.revisions.iter().map(|text| text.created_at.unwrap_or(now)).collect();
    let (first, last) = (dates.first().copied().unwrap_or(now), dates.last().copied().unwrap_or(now));
    let newest = revision_number(document.revisions.len());
    let number = create::next_number(&mut tx).await?;
    let id = sqlx::query_scalar!(
        "insert into rfcs (number, slug, title, kind, status, revision, created_at, updated_at, published_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id",
        number,
        document.slug,
        document.title,
        Kind::Other.as_str(),
        status.as_str(),
        newest,
        first.to_sqlx(),
        last.to_sqlx(),
        (status != Status::Draft).then(|| first.to_sqlx()) as _,
    )
    .fetch_one(&mut *tx)
    .await
    .on_constraint("rfcs_slug_unique", || {
        Refusal::conflict("Somebody is importing this as well; run the import again.")
    })?;
    sqlx::query!("insert into rfc_authors (rfc_id, person_id) values ($1, $2)", id, actor.id).execute(&mut *tx).await?;
    let revisions = document.revisions.len();
    insert_revisions(&mut tx, id, 1, actor, document.revisions, &dates).await?;
    if status != Status::Draft {
        sqlx::query!(
            "insert into rfc_status_changes (rfc_id, from_status, to_status, revision, actor_id, reason, at)
             values ($1, 'draft', $2, $3, $4, 'Imported.', $5)",
            id,
            status.as_str(),
            newest,
            actor.id,
            now.to_sqlx(),
        )
        .execute(&mut *tx)
        .await?;
    }
    let after = json!({ "title": document.title, "slug": document.slug, "status": status, "revision": newest });
    tx.event("rfc.imported", &Subject::rfc(number), None, Some(after)).await?;
    tx.commit(Outcome::Created { revisions }).await
}

/// A document under a known slug: the revisions that the RFC lacks.
async fn revise_from(
    backend: &Backend,
    actor: &Actor,
    mut tx: Tx<'_>,
    number: i64,
    document: Texts,
) -> Result<Outcome> {
    let rfc = super::hold(&mut tx, number, Hold::Alone).await?;
    if policy::allows(actor, Action::EditRfc(&rfc.access)).is_err() {
        let message = format!(
            "The RFC {} exists already, and only its authors, a lead or an admin may revise it.",
            document.slug,
        );
        return Err(Refusal::not_allowed(message).into());
    }
    let kept = sqlx::query!(
        r#"select revision, created_at, sha256(convert_to(body, 'UTF8')) as "hash!"
           from rfc_revisions where rfc_id = $1 order by revision"#,
        rfc.id,
    )
    .fetch_all(&mut *tx)
    .await?;
    let newest_at = kept.last().map(|revision| revision.created_at.to_jiff());
    let hashes: Vec<Vec<u8>> = kept.into_iter().map(|revision| revision.hash).collect();
    let missing = missing(&hashes, newest_at, document.revisions);
    if missing.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    revisions::takes_revisions(rfc.access.status)?;

    let now = backend.now();
    let before = sqlx::query_scalar!(
        "select body from rfc_revisions where rfc_id = $1 and revision = $2",
        rfc.id,
        rfc.revision,
    )
    .fetch_one(&mut *tx)
    .await?;
    // The title follows the text, unless somebody gave the RFC another one here.
    let followed = rfc.title == parse::title(&before).unwrap_or_else(|| document.slug.clone());
    let title = if followed { document.title } else { rfc.title.clone() };
    let dates: Vec<Timestamp> = missing.iter().map(|text| text.created_at.unwrap_or(now)).collect();
    let bodies: Vec<String> = missing.iter().map(|text| text.body.clone()).collect();
    insert_revisions(&mut tx, rfc.id, rfc.revision + 1, actor, missing, &dates).await?;
    let (mut previous, mut revision) = (before, rfc.revision);
    let revisions = bodies.len();
    for body in bodies {
        revision += 1;
        anchors::carry_all(&mut tx, rfc.id, previous, revision, body.clone()).await?;
        previous = body;
    }
    sqlx::query!(
        "update rfcs set title = $2, revision = $3, version = version + 1, updated_at = $4 where id = $1",
        rfc.id,
        title,
        revision,
        dates.last().copied().unwrap_or(now).to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let before = json!({ "revision": rfc.revision, "title": rfc.title });
    let after = json!({ "revision": revision, "title": title, "imported": true });
    tx.event("rfc.revision_published", &Subject::rfc(number), Some(before), Some(after)).await?;
    tx.commit(Outcome::Revised { revisions }).await
}

/// The texts of a document that an RFC lacks. `kept` are the hashes of its revisions, `newest_at` is the date of the
/// newest one.
///
/// A document of one file has one text, which is compared with the newest revision. A history is walked in its order:
/// its texts are expected among the revisions in the same order, so that a text that comes back is a revision of its
/// own, and a second run finds them all.
fn missing(kept: &[Vec<u8>], newest_at: Option<Timestamp>, texts: Vec<RevisionText>) -> Vec<RevisionText> {
    let older = |text: &RevisionText| text.created_at.zip(newest_at).is_some_and(|(text, newest)| text < newest);
    // Where the next text is looked for.
    let mut next = if texts.len() == 1 { kept.len().saturating_sub(1) } else { 0 };
    let mut missing = Vec::new();
    for text in texts {
        let hash = Sha256::digest(text.body.as_bytes());
        let found = kept.get(next..).unwrap_or_default().iter().position(|kept| kept.as_slice() == hash.as_slice());
        if let Some(found) = found {
            next += found + 1;
        } else if !older(&text) {
            // What comes after it in the history comes after it here.
            next = kept.len();
            missing.push(text);
        }
    }
    missing
}

async fn insert_revisions(
    tx: &mut PgConnection,
    rfc: i64,
    first: i32,
    actor: &Actor,
    texts: Vec<RevisionText>,
    dates: &[Timestamp],
) -> Result<()> {
    let dates: Vec<jiff_sqlx::Timestamp> = dates.iter().map(|date| date.to_sqlx()).collect();
    let bodies: Vec<String> = texts.into_iter().map(|text| text.body).collect();
    debug_assert!(bodies.iter().all(|body| body.len() <= limits::RFC_BODY_BYTES));
    sqlx::query!(
        "insert into rfc_revisions (rfc_id, revision, body, author_id, created_at)
         select $1, ($2 + n.position - 1)::integer, n.body, $3, n.at
         from unnest($4::text[], $5::timestamptz[]) with ordinality as n (body, at, position)",
        rfc,
        i64::from(first),
        actor.id,
        &bodies,
        &dates as &[jiff_sqlx::Timestamp],
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

fn revision_number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
