//! Where each thread is in each revision: one row per thread and revision, carried forward by the rules of
//! `domain::rfc::anchor` (the very code that `cargo xtask bench anchors` measures).
//!
//! What a person selected, when opening the thread or when putting it back in its place, is an *origin*: it is never
//! overwritten, and every later anchor is judged against the latest one.

use std::collections::BTreeMap;

use domain::rfc::anchor::{Anchor, AnchorMethod, AnchorState, Origin, Publication, Span};
use sqlx::PgConnection;

use crate::{Error, Result};

/// How an anchor that a person put in its place is kept.
pub const REATTACHED: &str = "reattached";

/// What a person selected.
#[derive(Debug, Clone)]
struct Selection {
    revision: i32,
    span: Span,
}

/// A thread on its way into the next revision.
#[derive(Debug, Clone)]
struct Carried {
    thread: i64,
    origin: Selection,
    anchor: Anchor,
}

/// A thread's place in one revision, ready for its row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    thread: i64,
    revision: i32,
    anchor: Anchor,
    /// Where an orphan is shown.
    heading: Option<usize>,
}

/// The word by which the tables and the API know a state.
pub(super) fn state_word(state: AnchorState) -> &'static str {
    match state {
        AnchorState::Exact => "exact",
        AnchorState::Edited => "edited",
        AnchorState::Moved => "moved",
        AnchorState::Suggested => "suggested",
        AnchorState::Orphaned => "orphaned",
    }
}

/// Reads the word back.
pub(super) fn state(word: &str) -> Result<AnchorState> {
    [AnchorState::Exact, AnchorState::Edited, AnchorState::Moved, AnchorState::Suggested, AnchorState::Orphaned]
        .into_iter()
        .find(|state| state_word(*state) == word)
        .ok_or_else(|| Error::internal(format!("no such anchor state: {word}")))
}

fn method_word(method: AnchorMethod) -> &'static str {
    match method {
        AnchorMethod::Selected => "selected",
        AnchorMethod::Diff => "diff",
        AnchorMethod::Quote => "quote",
        AnchorMethod::Similar => "similar",
        AnchorMethod::None => "none",
    }
}

fn method(word: &str) -> Result<AnchorMethod> {
    use AnchorMethod::{Diff, None, Quote, Selected, Similar};
    if word == REATTACHED {
        return Ok(Selected);
    }
    [Selected, Diff, Quote, Similar, None]
        .into_iter()
        .find(|method| method_word(*method) == word)
        .ok_or_else(|| Error::internal(format!("no such anchor method: {word}")))
}

/// Carries every thread of an RFC from the revision before `revision`, whose text is `previous`, into `revision`, whose
/// text is `next`. The RFC's row is locked by the caller, so no thread can be opened or moved meanwhile.
pub(super) async fn carry_all(
    tx: &mut PgConnection,
    rfc: i64,
    previous: String,
    revision: i32,
    next: String,
) -> Result<()> {
    let rows = sqlx::query!(
        r#"select a.thread_id, a.start_byte, a.end_byte, a.state, a.method, a.score,
             o.revision as "origin_revision!", o.start_byte as "origin_start!", o.end_byte as "origin_end!"
           from rfc_threads t
           join rfc_thread_anchors a on a.thread_id = t.id and a.revision = $2 - 1
           cross join lateral (
             select o.revision, o.start_byte, o.end_byte from rfc_thread_anchors o
             where o.thread_id = t.id and o.revision < $2 and o.placed_by is not null
             order by o.revision desc limit 1
           ) o
           where t.rfc_id = $1
           order by t.id"#,
        rfc,
        revision,
    )
    .fetch_all(&mut *tx)
    .await?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut threads = Vec::with_capacity(rows.len());
    for row in rows {
        threads.push(Carried {
            thread: row.thread_id,
            origin: Selection { revision: row.origin_revision, span: span(row.origin_start, row.origin_end)? },
            anchor: Anchor {
                span: row.start_byte.zip(row.end_byte).map(|(start, end)| span(start, end)).transpose()?,
                state: state(&row.state)?,
                method: method(&row.method)?,
                score: row.score,
            },
        });
    }
    let mut wanted: Vec<i32> = threads.iter().map(|thread| thread.origin.revision).collect();
    wanted.retain(|origin| *origin != revision - 1);
    let mut bodies = bodies(tx, rfc, &wanted).await?;
    bodies.insert(revision - 1, previous);
    let placed = tokio::task::spawn_blocking(move || carry(&bodies, revision, &next, &threads))
        .await
        .map_err(Error::internal)?;
    store(tx, &placed, None).await
}

/// Puts a thread at `span` of `revision`, as `person` selected it, and carries it on from there: into every later
/// revision up to `newest`, or up to the one before the next that a person put it into.
pub(super) async fn place(
    tx: &mut PgConnection,
    rfc: i64,
    thread: i64,
    selected: (i32, Span),
    newest: i32,
    (person, method): (i64, &str),
) -> Result<()> {
    let (revision, span) = selected;
    let first = Placed { thread, revision, anchor: Anchor::selected(span), heading: None };
    store(tx, std::slice::from_ref(&first), Some((person, method))).await?;
    if revision >= newest {
        return Ok(());
    }
    let until = sqlx::query_scalar!(
        r#"select coalesce(min(revision) - 1, $3) as "until!" from rfc_thread_anchors
           where thread_id = $1 and revision > $2 and placed_by is not null"#,
        thread,
        revision,
        newest,
    )
    .fetch_one(&mut *tx)
    .await?;
    let wanted: Vec<i32> = (revision..=until).collect();
    let bodies = bodies(tx, rfc, &wanted).await?;
    let placed = tokio::task::spawn_blocking(move || {
        let mut here = Carried { thread, origin: Selection { revision, span }, anchor: first.anchor };
        let mut placed = Vec::new();
        for next in wanted.into_iter().skip(1) {
            let Some(body) = bodies.get(&next) else { continue };
            let there = carry(&bodies, next, body, std::slice::from_ref(&here));
            if let Some(there) = there.last() {
                here.anchor = there.anchor;
            }
            placed.extend(there);
        }
        placed
    })
    .await
    .map_err(Error::internal)?;
    store(tx, &placed, None).await
}

/// Where `threads`, anchored in the revision before `revision`, are in `revision`. `bodies` holds the text of that
/// revision before and of every origin.
fn carry(bodies: &BTreeMap<i32, String>, revision: i32, next: &str, threads: &[Carried]) -> Vec<Placed> {
    let Some(previous) = bodies.get(&(revision - 1)) else { return Vec::new() };
    let publication = Publication::new(previous, next);
    threads
        .iter()
        .map(|carried| {
            let origin = bodies.get(&carried.origin.revision).and_then(|body| {
                let span = Span::checked(carried.origin.span.start, carried.origin.span.end, body)?;
                Some(Origin { body, span })
            });
            // An origin that does not fit its text cannot be: the range was checked when it was kept. No thread is
            // ever dropped all the same.
            let anchor =
                origin.as_ref().map_or_else(Anchor::orphaned, |origin| publication.carry(origin, &carried.anchor));
            let heading = match (&origin, anchor.span) {
                (Some(origin), None) => publication.nearest_heading(origin),
                _ => None,
            };
            Placed { thread: carried.thread, revision, anchor, heading }
        })
        .collect()
}

/// Keeps where threads are. `placed_by`: the person who put them there, and how.
async fn store(tx: &mut PgConnection, placed: &[Placed], placed_by: Option<(i64, &str)>) -> Result<()> {
    let threads: Vec<i64> = placed.iter().map(|placed| placed.thread).collect();
    let revisions: Vec<i32> = placed.iter().map(|placed| placed.revision).collect();
    let starts: Vec<Option<i32>> =
        placed.iter().map(|placed| placed.anchor.span.map(|span| super::offset(span.start))).collect();
    let ends: Vec<Option<i32>> =
        placed.iter().map(|placed| placed.anchor.span.map(|span| super::offset(span.end))).collect();
    let states: Vec<String> = placed.iter().map(|placed| state_word(placed.anchor.state).to_owned()).collect();
    let methods: Vec<String> = placed
        .iter()
        .map(|placed| placed_by.map_or(method_word(placed.anchor.method), |(_, method)| method).to_owned())
        .collect();
    let scores: Vec<f32> = placed.iter().map(|placed| placed.anchor.score.clamp(0.0, 1.0)).collect();
    let headings: Vec<Option<i32>> = placed.iter().map(|placed| placed.heading.map(super::offset)).collect();
    sqlx::query!(
        "insert into rfc_thread_anchors
           (thread_id, revision, start_byte, end_byte, state, method, score, heading_byte, placed_by)
         select n.*, $9::bigint
         from unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::real[],
                     $8::integer[]) as n
         on conflict (thread_id, revision) do update set
           start_byte = excluded.start_byte, end_byte = excluded.end_byte, state = excluded.state,
           method = excluded.method, score = excluded.score, heading_byte = excluded.heading_byte,
           placed_by = excluded.placed_by",
        &threads,
        &revisions,
        &starts as &[Option<i32>],
        &ends as &[Option<i32>],
        &states,
        &methods,
        &scores,
        &headings as &[Option<i32>],
        placed_by.map(|(person, _)| person),
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

async fn bodies(tx: &mut PgConnection, rfc: i64, revisions: &[i32]) -> Result<BTreeMap<i32, String>> {
    if revisions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        "select revision, body from rfc_revisions where rfc_id = $1 and revision = any($2)",
        rfc,
        revisions,
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.revision, row.body)).collect())
}

fn span(start: i32, end: i32) -> Result<Span> {
    let (start, end) = (usize::try_from(start), usize::try_from(end));
    match (start, end) {
        (Ok(start), Ok(end)) if start < end => Ok(Span { start, end }),
        _ => Err(Error::internal("an anchor's range is empty")),
    }
}
