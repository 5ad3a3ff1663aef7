//! Where each thread is in each revision: one row per thread and revision, carried forward by the rules of
//! `domain::rfc::anchor` (the very code that `cargo xtask bench anchors` measures).
//!
//! What a person selected, when opening the thread or when putting it back in its place, is an *origin*: it is never
//! overwritten, and every later anchor is judged against the latest one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::rfc::anchor::{Anchor, AnchorMethod, AnchorState, Origin, Outline, Publication, Span};
use sqlx::PgConnection;

use crate::{Error, Result};

/// What a person selected.
#[derive(Debug, Clone, Copy)]
struct Selection {
    revision: i32,
    span: Span,
}

/// A thread on its way into the next revision.
#[derive(Debug, Clone, Copy)]
struct Carried {
    thread: i64,
    origin: Selection,
    anchor: Anchor,
}

impl Carried {
    /// What decides where it goes: threads that have it in common go to the same place.
    fn fate(&self) -> impl std::hash::Hash + Eq + use<> {
        let Selection { revision, span } = self.origin;
        (revision, span, self.anchor.span, self.anchor.state, self.anchor.score.to_bits())
    }
}

/// A thread's place in one revision, ready for its row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Placed {
    thread: i64,
    revision: i32,
    anchor: Anchor,
    /// Where an orphan is shown.
    heading: Option<usize>,
}

/// A revision being published, and the one before it.
struct Step {
    previous: Arc<str>,
    revision: i32,
    next: Arc<str>,
}

/// A place that a person chose for a thread.
pub(super) struct Place {
    pub(super) rfc: i64,
    pub(super) thread: i64,
    pub(super) revision: i32,
    /// That revision's text.
    pub(super) text: String,
    /// Selected or reattached.
    pub(super) anchor: Anchor,
    /// The newest revision.
    pub(super) newest: i32,
    /// Who chose it.
    pub(super) by: i64,
}

/// The texts of the revisions in which people selected something.
type Origins = BTreeMap<i32, Arc<str>>;

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
                state: AnchorState::parse("state", &row.state).map_err(Error::internal)?,
                method: AnchorMethod::parse("method", &row.method).map_err(Error::internal)?,
                score: row.score,
            },
        });
    }
    let step = Step { previous: previous.into(), revision, next: next.into() };
    let mut wanted: Vec<i32> = threads.iter().map(|thread| thread.origin.revision).collect();
    wanted.retain(|origin| *origin != revision - 1);
    let mut origins = bodies(tx, rfc, &wanted).await?;
    origins.insert(revision - 1, Arc::clone(&step.previous));
    let placed = beside(step, origins, threads).await?;
    store(tx, &placed, None).await
}

/// Puts a thread where a person chose, and carries it on from there: into every later revision up to the newest, or up to
/// the one before the next that a person put it into.
pub(super) async fn place(tx: &mut PgConnection, place: Place) -> Result<()> {
    let Place { rfc, thread, revision, text, anchor, newest, by } = place;
    let first = Placed { thread, revision, anchor, heading: None };
    store(tx, std::slice::from_ref(&first), Some(by)).await?;
    let Some(span) = anchor.span.filter(|_| revision < newest) else { return Ok(()) };
    let until = sqlx::query_scalar!(
        r#"select coalesce(min(revision) - 1, $3) as "until!" from rfc_thread_anchors
           where thread_id = $1 and revision > $2 and placed_by is not null"#,
        thread,
        revision,
        newest,
    )
    .fetch_one(&mut *tx)
    .await?;
    let text: Arc<str> = text.into();
    let mut here = Carried { thread, origin: Selection { revision, span }, anchor };
    let mut previous = Arc::clone(&text);
    let mut placed = Vec::new();
    // One text after the other: a long history would not fit into memory many times over.
    for revision in revision + 1..=until {
        let next = body(tx, rfc, revision).await?;
        let step = Step { previous, revision, next: Arc::clone(&next) };
        let there = beside(step, Origins::from([(here.origin.revision, Arc::clone(&text))]), vec![here]).await?;
        if let Some(there) = there.last() {
            here.anchor = there.anchor;
        }
        placed.extend(there);
        previous = next;
    }
    store(tx, &placed, None).await
}

/// Carries beside the runtime: large texts and many threads take a while.
async fn beside(step: Step, origins: Origins, threads: Vec<Carried>) -> Result<Vec<Placed>> {
    tokio::task::spawn_blocking(move || carry(&step, &origins, &threads)).await.map_err(Error::internal)
}

/// Where `threads`, anchored in the revision before, are in the one being published. Threads with the same fate are
/// carried once.
fn carry(step: &Step, origins: &Origins, threads: &[Carried]) -> Vec<Placed> {
    let publication = Publication::new(&step.previous, &step.next);
    let mut outlines: BTreeMap<i32, Outline<'_>> = BTreeMap::new();
    let mut found: HashMap<_, (Anchor, Option<usize>)> = HashMap::new();
    let mut placed = Vec::with_capacity(threads.len());
    for carried in threads {
        let Carried { thread, origin: Selection { revision: selected_in, span }, .. } = *carried;
        let (anchor, heading) = *found.entry(carried.fate()).or_insert_with(|| {
            let body = origins.get(&selected_in);
            let origin = body.and_then(|body| Some(Origin { body, span: Span::checked(span.start, span.end, body)? }));
            // An origin that does not fit its text cannot be: the range was checked when it was kept. No thread is ever
            // dropped all the same.
            let Some(origin) = origin else { return (Anchor::orphaned(), None) };
            let anchor = publication.carry(&origin, &carried.anchor);
            let heading = if anchor.span.is_none() {
                let outline = outlines.entry(selected_in).or_insert_with(|| Outline::of(origin.body));
                publication.nearest_heading(outline, span.start)
            } else {
                None
            };
            (anchor, heading)
        });
        placed.push(Placed { thread, revision: step.revision, anchor, heading });
    }
    placed
}

/// Keeps where threads are. `placed_by`: the person who put them there.
async fn store(tx: &mut PgConnection, placed: &[Placed], placed_by: Option<i64>) -> Result<()> {
    let threads: Vec<i64> = placed.iter().map(|placed| placed.thread).collect();
    let revisions: Vec<i32> = placed.iter().map(|placed| placed.revision).collect();
    let starts: Vec<Option<i32>> =
        placed.iter().map(|placed| placed.anchor.span.map(|span| super::offset(span.start))).collect();
    let ends: Vec<Option<i32>> =
        placed.iter().map(|placed| placed.anchor.span.map(|span| super::offset(span.end))).collect();
    let states: Vec<String> = placed.iter().map(|placed| placed.anchor.state.as_str().to_owned()).collect();
    let methods: Vec<String> = placed.iter().map(|placed| placed.anchor.method.as_str().to_owned()).collect();
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
        placed_by,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

async fn body(tx: &mut PgConnection, rfc: i64, revision: i32) -> Result<Arc<str>> {
    let body = sqlx::query_scalar!("select body from rfc_revisions where rfc_id = $1 and revision = $2", rfc, revision);
    Ok(body.fetch_one(&mut *tx).await?.into())
}

async fn bodies(tx: &mut PgConnection, rfc: i64, revisions: &[i32]) -> Result<Origins> {
    if revisions.is_empty() {
        return Ok(Origins::new());
    }
    let rows = sqlx::query!(
        "select revision, body from rfc_revisions where rfc_id = $1 and revision = any($2)",
        rfc,
        revisions,
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.revision, row.body.into())).collect())
}

fn span(start: i32, end: i32) -> Result<Span> {
    let (start, end) = (usize::try_from(start), usize::try_from(end));
    match (start, end) {
        (Ok(start), Ok(end)) if start < end => Ok(Span { start, end }),
        _ => Err(Error::internal("an anchor's range is empty")),
    }
}
