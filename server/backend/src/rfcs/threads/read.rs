//! Reading threads: all of an RFC for its page, a page of them for the API, one.

use domain::policy::{self, Action, RfcAccess};
use domain::rfc::Severity;
use domain::rfc::anchor::{AnchorMethod, AnchorState};
use domain::{Actor, Refusal, limits};
use serde::{Deserialize, Serialize};

use super::{Thread, ThreadAnchor, ThreadMay, Threads, no_such_revision, number_of, state};
use crate::page::{Page, PageRequest};
use crate::rfcs::{PersonRef, comments};
use crate::{Backend, Error, Result};

/// Where a page of threads ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    /// The revision in which all pages show the threads.
    revision: i32,
    /// The last thread.
    thread: i64,
}

/// The threads of the RFC `number` as seen in `revision`, else in the newest.
pub async fn list(backend: &Backend, actor: &Actor, number: i64, revision: Option<i64>) -> Result<Threads> {
    let rfc = crate::rfcs::look(backend.pool(), number).await?;
    policy::allows(actor, Action::ReadRfc(&rfc.access))?;
    let revision = existing(revision, rfc.revision)?;
    let which = Which { quote_chars: Some(limits::QUOTE_SHOWN_CHARS), ..Which::of(rfc.id, revision) };
    let mut items = read(backend, actor, &rfc.access, which).await?;
    items.sort_by_key(|thread| (thread.anchor.is_none(), thread.anchor.as_ref().map(ThreadAnchor::position)));
    let all = sqlx::query_scalar!(r#"select count(*) as "count!" from rfc_threads where rfc_id = $1"#, rfc.id)
        .fetch_one(backend.pool())
        .await?;
    let opened_later = all - i64::try_from(items.len()).unwrap_or(all);
    Ok(Threads { revision, items, opened_later })
}

/// One page of the threads of the RFC `number` in the order they were opened, for the API. All pages show them as seen in
/// the same revision: the one asked for, else the one that is the newest when the first page is read.
pub async fn page(
    backend: &Backend,
    actor: &Actor,
    number: i64,
    revision: Option<i64>,
    request: &PageRequest,
) -> Result<Page<Thread>> {
    let rfc = crate::rfcs::look(backend.pool(), number).await?;
    policy::allows(actor, Action::ReadRfc(&rfc.access))?;
    let (rows, after) = (request.rows()?, request.after::<Cursor>()?);
    let revision = existing(revision.or(after.map(|after| after.revision.into())), rfc.revision)?;
    if after.is_some_and(|after| after.revision != revision) {
        let message = "This cursor belongs to another revision; start without.";
        return Err(Refusal::field("cursor", message).into());
    }
    // The page ends early when it gets heavy.
    let ids = sqlx::query_scalar!(
        r#"select id as "id!" from (
             select t.id, sum(octet_length(t.quote) + c.bytes) over (order by t.id) - octet_length(t.quote) - c.bytes
               as before
             from (select * from rfc_threads
                   where rfc_id = $1 and revision <= $2 and id > $3 order by id limit $4) t
             cross join lateral (
               select coalesce(sum(octet_length(body) + octet_length(html)), 0) as bytes
               from rfc_comments where thread_id = t.id) c
           ) weighed
           where before <= $5::bigint order by id"#,
        rfc.id,
        revision,
        after.map_or(0, |after| after.thread),
        rows,
        limits::THREADS_PAGE_BYTES,
    )
    .fetch_all(backend.pool())
    .await?;
    let cursor = match ids.last() {
        Some(&thread) if exists_after(backend, rfc.id, revision, thread).await? => Some(Cursor { revision, thread }),
        _ => None,
    };
    let which = Which { only: Some(ids), ..Which::of(rfc.id, revision) };
    Page::ending(read(backend, actor, &rfc.access, which).await?, cursor)
}

/// One thread as seen in the newest revision, and the number of its RFC.
pub async fn get(backend: &Backend, actor: &Actor, thread: &str) -> Result<(i64, Thread)> {
    let thread = crate::rfcs::id("thread", thread)?;
    let number = number_of(backend.pool(), thread).await?;
    let rfc = crate::rfcs::look(backend.pool(), number).await?;
    policy::allows(actor, Action::ReadRfc(&rfc.access)).map_err(|refusal| crate::rfcs::hidden_as("thread", refusal))?;
    let which = Which { only: Some(vec![thread]), ..Which::of(rfc.id, rfc.revision) };
    let mut found = read(backend, actor, &rfc.access, which).await?;
    Ok((number, found.pop().ok_or_else(|| Refusal::not_found("thread"))?))
}

/// The revision wanted, else the newest; the refusal is about the field `revision`.
fn existing(wanted: Option<i64>, newest: i32) -> std::result::Result<i32, Refusal> {
    let Some(wanted) = wanted else { return Ok(newest) };
    let there = i32::try_from(wanted).ok().filter(|revision| (1..=newest).contains(revision));
    there.ok_or_else(|| no_such_revision(newest))
}

/// Whether a thread of the revision comes after the one named.
async fn exists_after(backend: &Backend, rfc: i64, revision: i32, thread: i64) -> Result<bool> {
    let more = sqlx::query_scalar!(
        r#"select exists (select from rfc_threads where rfc_id = $1 and revision <= $2 and id > $3) as "more!""#,
        rfc,
        revision,
        thread,
    );
    Ok(more.fetch_one(backend.pool()).await?)
}

/// Which threads are read, and how much of them.
struct Which {
    rfc: i64,
    /// Opened on this revision or earlier, and seen in it.
    revision: i32,
    /// Only these.
    only: Option<Vec<i64>>,
    /// Characters of the quote at most.
    quote_chars: Option<i32>,
}

impl Which {
    /// All of an RFC, with the whole of their quotes.
    fn of(rfc: i64, revision: i32) -> Self {
        Self { rfc, revision, only: None, quote_chars: None }
    }
}

/// Threads in the order they were opened, with their comments.
async fn read(backend: &Backend, actor: &Actor, access: &RfcAccess, which: Which) -> Result<Vec<Thread>> {
    let Which { rfc, revision, only, quote_chars } = which;
    let rows = sqlx::query!(
        r#"select t.id, t.state, t.severity, coalesce(left(t.quote, $4), t.quote) as "quote!", t.revision, t.opened_by, t.opened_at, t.resolved_at,
             t.resolved_revision, t.version, o.email as opener_email, o.name as opener_name,
             s.email as "settler_email?", s.name as "settler_name?",
             a.state as "anchor_state?", a.start_byte, a.end_byte, a.method as "method?", a.score as "score?",
             a.heading_byte
           from rfc_threads t
           join people o on o.id = t.opened_by
           left join people s on s.id = t.resolved_by
           left join rfc_thread_anchors a on a.thread_id = t.id and a.revision = $2
           where t.rfc_id = $1 and t.revision <= $2 and ($3::bigint[] is null or t.id = any($3))
           order by t.id"#,
        rfc,
        revision,
        only.as_deref(),
        quote_chars,
    )
    .fetch_all(backend.pool())
    .await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut said = comments::of_threads(backend, actor, access, &ids).await?;
    let mut threads = Vec::with_capacity(rows.len());
    for row in rows {
        let anchor = match (row.anchor_state, row.method, row.score) {
            (Some(state), Some(method), Some(score)) => Some(ThreadAnchor {
                revision,
                start: row.start_byte,
                end: row.end_byte,
                state: AnchorState::parse("state", &state).map_err(Error::internal)?,
                method: AnchorMethod::parse("method", &method).map_err(Error::internal)?,
                score,
                heading: row.heading_byte,
            }),
            _ => None,
        };
        threads.push(Thread {
            id: row.id.to_string(),
            state: state(&row.state)?,
            severity: Severity::parse("severity", &row.severity).map_err(Error::internal)?,
            quote: row.quote,
            revision: row.revision,
            anchor,
            opened_by: PersonRef { email: row.opener_email, name: row.opener_name },
            opened_at: row.opened_at.to_jiff(),
            resolved_by: row.settler_email.zip(row.settler_name).map(|(email, name)| PersonRef { email, name }),
            resolved_at: row.resolved_at.map(jiff_sqlx::Timestamp::to_jiff),
            resolved_revision: row.resolved_revision,
            comments: said.remove(&row.id).unwrap_or_default(),
            version: row.version,
            may: ThreadMay {
                comment: policy::allows(actor, Action::Comment(access)).is_ok(),
                settle: policy::allows(actor, Action::SettleThread { rfc: access, opener: row.opened_by }).is_ok(),
            },
        });
    }
    Ok(threads)
}
