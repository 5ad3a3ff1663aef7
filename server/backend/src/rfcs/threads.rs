//! Review threads: opening one on a range of text, settling it, putting it where it belongs.

mod read;

use domain::policy::{self, Action};
use domain::refusal::Fields;
use domain::rfc::anchor::{Anchor, AnchorMethod, AnchorState, Span};
use domain::rfc::{Severity, ThreadState, check_range};
use domain::{Actor, PersonId, Refusal, limits};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::anchors::{self, Place};
use super::comments::{self, Comment};
use super::{Hold, PersonRef};
use crate::{Backend, Error, Result, Subject, Tx};

pub use read::{get, list, page};

/// A thread as somebody opens it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewThread {
    /// The revision whose text was selected.
    pub revision: i64,
    /// First byte of the range in that revision's body; with `end` absent: about the whole RFC.
    pub start: Option<i64>,
    /// The byte after the last.
    pub end: Option<i64>,
    /// The first comment: Markdown, at most 64 KiB.
    pub body: String,
    /// A word of [`Severity`].
    pub severity: String,
}

/// The thread that came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Names the thread.
    pub id: String,
    /// Always open.
    pub state: ThreadState,
    /// Where it is in the revision it was opened on; `None`: about the whole RFC.
    pub anchor: Option<ThreadAnchor>,
    /// Names its first comment.
    pub comment_id: String,
}

/// Where a thread is in one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadAnchor {
    /// The revision.
    pub revision: i32,
    /// First byte in that revision's body; `None` only when orphaned.
    pub start: Option<i32>,
    /// The byte after the last; `None` only when orphaned.
    pub end: Option<i32>,
    /// How sure we are of it. `Suggested` asks a person to confirm.
    pub state: AnchorState,
    /// How it was found.
    pub method: AnchorMethod,
    /// The share of the original quote's bytes that stand there, 0 to 1.
    pub score: f32,
    /// An orphan is shown at the heading that starts at this byte, if one survives.
    pub heading: Option<i32>,
}

impl ThreadAnchor {
    /// What a person selected in a revision.
    fn of(revision: i32, anchor: Anchor) -> Self {
        let Anchor { span, state, method, score } = anchor;
        let (start, end) = (span.map(|span| super::offset(span.start)), span.map(|span| super::offset(span.end)));
        Self { revision, start, end, state, method, score, heading: None }
    }

    /// The byte at which the thread is shown: its start, or an orphan's heading, or the top.
    pub fn position(&self) -> i32 {
        self.start.or(self.heading).unwrap_or(0)
    }
}

/// A thread, as seen in one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Names it.
    pub id: String,
    /// Whether it is still discussed.
    pub state: ThreadState,
    /// How much weight it has.
    pub severity: Severity,
    /// The text it was opened on, as it was; empty when about the whole RFC. Cut after [`limits::QUOTE_SHOWN_CHARS`] in
    /// [`list`].
    pub quote: String,
    /// The revision it was opened on.
    pub revision: i32,
    /// Where it is in the revision shown; `None`: about the whole RFC.
    pub anchor: Option<ThreadAnchor>,
    /// Who opened it.
    pub opened_by: PersonRef,
    /// When.
    pub opened_at: Timestamp,
    /// Who resolved it, when it is.
    pub resolved_by: Option<PersonRef>,
    /// When.
    pub resolved_at: Option<Timestamp>,
    /// The newest revision at that time.
    pub resolved_revision: Option<i32>,
    /// What was said, in order; deleted comments are there without their text.
    pub comments: Vec<Comment>,
    /// Rises with every change of state.
    pub version: i64,
    /// What the reader may do.
    pub may: ThreadMay,
}

/// What the reader of a thread may do with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadMay {
    /// Answer, and put its anchor where it belongs.
    pub comment: bool,
    /// Resolve or reopen it.
    pub settle: bool,
}

/// The threads of an RFC, as seen in one revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Threads {
    /// The revision.
    pub revision: i32,
    /// In the order of the document; those about the whole RFC come last.
    pub items: Vec<Thread>,
    /// Threads that are not among them because they were opened on a later revision than this one.
    pub opened_later: i64,
}

/// A thread's state after it was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Names the thread.
    pub id: String,
    /// The RFC it is on.
    pub rfc: i64,
    /// Its state now.
    pub state: ThreadState,
    /// For the next change.
    pub version: i64,
}

/// Where a thread belongs, in the eyes of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reattach {
    /// The revision whose text was selected.
    pub revision: i64,
    /// First byte of the range in that revision's body.
    pub start: Option<i64>,
    /// The byte after the last.
    pub end: Option<i64>,
}

/// Opens a thread on the RFC `number`. On an older revision than the newest it is carried to the newest at once.
pub async fn open(backend: &Backend, actor: &Actor, number: i64, new: NewThread) -> Result<Opened> {
    let mut fields = Fields::default();
    let severity = fields.take(Severity::parse("severity", &new.severity))?;
    let said = fields.take(Error::apart(comments::Text::of(&new.body).await)?)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    // Shared: no revision is published between the carrying and the commit, and other threads are opened meanwhile.
    let rfc = super::hold(&mut tx, number, Hold::Shared).await?;
    policy::allows(actor, Action::Comment(&rfc.access))?;
    let text = revision_text(&mut tx, rfc.id, new.revision).await?;
    let text = fields.take(text.ok_or_else(|| no_such_revision(rfc.revision)))?;
    let range = match &text {
        Some((_, text)) => fields.take(check_range(text, new.start, new.end))?,
        None => None,
    };
    let (severity, said, (revision, text), range) = fields.finish((severity, said, text, range))?;
    refuse_too_many(&mut tx, rfc.id, range.map_or(0, |(start, end)| end - start)).await?;

    let now = backend.now().to_sqlx();
    let thread = sqlx::query_scalar!(
        "insert into rfc_threads (rfc_id, revision, start_byte, end_byte, quote, severity, state, opened_by, opened_at)
         values ($1, $2, $3, $4, $5, $6, 'open', $7, $8) returning id",
        rfc.id,
        revision,
        range.map(|(start, _)| super::offset(start)),
        range.map(|(_, end)| super::offset(end)),
        range.map_or("", |(start, end)| &text[start..end]),
        severity.as_str(),
        actor.id,
        now,
    )
    .fetch_one(&mut *tx)
    .await?;
    let anchor = match range {
        Some((start, end)) => {
            let anchor = Anchor::selected(Span { start, end });
            let place = Place { rfc: rfc.id, thread, revision, text, anchor, newest: rfc.revision, by: actor.id };
            anchors::place(&mut tx, place).await?;
            Some(ThreadAnchor::of(revision, anchor))
        }
        None => None,
    };
    let comment = comments::insert(&mut tx, thread, actor, &said, now).await?;
    let after = json!({
        "thread": thread.to_string(), "comment": comment.to_string(), "severity": severity,
        "revision": revision, "start": new.start, "end": new.end,
    });
    tx.event("thread.opened", &Subject::rfc(number), None, Some(after)).await?;
    let (id, comment_id) = (thread.to_string(), comment.to_string());
    tx.commit(Opened { id, state: ThreadState::Open, anchor, comment_id }).await
}

/// Says that a thread is done.
pub async fn resolve(backend: &Backend, actor: &Actor, thread: &str) -> Result<Settled> {
    settle(backend, actor, thread, ThreadState::Resolved).await
}

/// Takes that back.
pub async fn reopen(backend: &Backend, actor: &Actor, thread: &str) -> Result<Settled> {
    settle(backend, actor, thread, ThreadState::Open).await
}

async fn settle(backend: &Backend, actor: &Actor, thread: &str, to: ThreadState) -> Result<Settled> {
    let id = super::id("thread", thread)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let held = hold(&mut tx, id).await?;
    let action = Action::SettleThread { rfc: &held.rfc.access, opener: held.opened_by };
    policy::allows(actor, action).map_err(|refusal| super::hidden_as("thread", refusal))?;
    tx.check_version(held.version)?;
    let resolve = to == ThreadState::Resolved;
    let possible = match held.state {
        ThreadState::Open => resolve,
        ThreadState::NeedsVerification => true,
        ThreadState::Resolved | ThreadState::Dropped => !resolve,
    };
    if !possible {
        let message = format!("This thread is {} already.", held.state.label().to_lowercase());
        return Err(Refusal::conflict(message).into());
    }
    let version = sqlx::query_scalar!(
        "update rfc_threads set state = $2, resolved_by = $3, resolved_at = $4, resolved_revision = $5,
           version = version + 1
         where id = $1 returning version",
        id,
        to.as_str(),
        resolve.then_some(actor.id),
        resolve.then(|| backend.now().to_sqlx()) as _,
        resolve.then_some(held.rfc.revision),
    )
    .fetch_one(&mut *tx)
    .await?;
    let verb = if resolve { "thread.resolved" } else { "thread.reopened" };
    let (before, after) = (json!({ "thread": thread, "state": held.state }), json!({ "thread": thread, "state": to }));
    tx.event(verb, &Subject::rfc(held.rfc.number), Some(before), Some(after)).await?;
    tx.commit(Settled { id: thread.to_owned(), rfc: held.rfc.number, state: to, version }).await
}

/// Puts a thread where a person says it belongs; later revisions start from there.
pub async fn reattach(backend: &Backend, actor: &Actor, thread: &str, to: Reattach) -> Result<ThreadAnchor> {
    let id = super::id("thread", thread)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let held = hold(&mut tx, id).await?;
    policy::allows(actor, Action::Comment(&held.rfc.access)).map_err(|refusal| super::hidden_as("thread", refusal))?;
    tx.check_version(held.version)?;
    let text = revision_text(&mut tx, held.rfc.id, to.revision).await?;
    let (revision, text) = text.ok_or_else(|| no_such_revision(held.rfc.revision))?;
    let range = check_range(&text, to.start, to.end)?;
    let Some((start, end)) = range else {
        return Err(Refusal::field("start", "Say where the thread belongs: give start and end.").into());
    };
    if !held.anchored {
        let message = "This thread is about the whole RFC; open a new one for a part of the text.";
        return Err(Refusal::conflict(message).into());
    }
    if revision < held.revision {
        let message = format!("The thread was opened on revision {}; place it there or later.", held.revision);
        return Err(Refusal::field("revision", message).into());
    }
    let before = sqlx::query!(
        "select start_byte, end_byte, state from rfc_thread_anchors where thread_id = $1 and revision = $2",
        id,
        revision,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let anchor = Anchor::reattached(Span { start, end });
    let newest = held.rfc.revision;
    let place = Place { rfc: held.rfc.id, thread: id, revision, text, anchor, newest, by: actor.id };
    anchors::place(&mut tx, place).await?;
    let before = before.map(|anchor| {
        json!({
            "thread": thread, "revision": revision,
            "start": anchor.start_byte, "end": anchor.end_byte, "state": anchor.state,
        })
    });
    let after = json!({ "thread": thread, "revision": revision, "start": start, "end": end });
    tx.event("anchor.reattached", &Subject::rfc(held.rfc.number), before, Some(after)).await?;
    tx.commit(ThreadAnchor::of(revision, anchor)).await
}

/// A thread's row, held until the end of the transaction, and its RFC, whose revisions stay as they are.
struct Held {
    rfc: super::Row,
    state: ThreadState,
    opened_by: PersonId,
    /// The revision it was opened on.
    revision: i32,
    /// Whether it is about a range.
    anchored: bool,
    version: i64,
}

async fn hold(tx: &mut Tx<'_>, thread: i64) -> Result<Held> {
    let number = number_of(&mut **tx, thread).await?;
    let rfc = super::hold(tx, number, Hold::Shared).await.map_err(|error| match error {
        Error::Refused(refusal) => Error::Refused(super::hidden_as("thread", refusal)),
        internal @ Error::Internal(_) => internal,
    })?;
    let row = sqlx::query!(
        "select state, opened_by, revision, start_byte, version from rfc_threads where id = $1 for update",
        thread,
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or_else(|| Refusal::not_found("thread"))?;
    let (opened_by, revision, anchored) = (row.opened_by, row.revision, row.start_byte.is_some());
    Ok(Held { rfc, state: state(&row.state)?, opened_by, revision, anchored, version: row.version })
}

/// The number of the RFC a thread is on.
pub(super) async fn number_of(connection: impl sqlx::PgExecutor<'_>, thread: i64) -> Result<i64> {
    let number = sqlx::query_scalar!(
        "select r.number from rfc_threads t join rfcs r on r.id = t.rfc_id where t.id = $1",
        thread,
    )
    .fetch_optional(connection)
    .await?;
    Ok(number.ok_or_else(|| Refusal::not_found("thread"))?)
}

/// A revision's number and text, if there is one.
async fn revision_text(tx: &mut PgConnection, rfc: i64, wanted: i64) -> Result<Option<(i32, String)>> {
    let row = sqlx::query!(
        "select revision, body from rfc_revisions where rfc_id = $1 and revision = $2",
        rfc,
        i32::try_from(wanted).unwrap_or(0),
    )
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row.map(|row| (row.revision, row.body)))
}

/// Refuses a thread that would make the RFC's threads more than can be carried from revision to revision.
async fn refuse_too_many(tx: &mut PgConnection, rfc: i64, quoted: usize) -> Result<()> {
    let there = sqlx::query!(
        r#"select count(*) as "threads!", coalesce(sum(octet_length(quote)), 0)::bigint as "quoted!"
           from rfc_threads where rfc_id = $1"#,
        rfc,
    )
    .fetch_one(&mut *tx)
    .await?;
    if there.threads >= limits::RFC_THREADS {
        let message = format!(
            "This RFC has {} threads, which is as many as one RFC can have. Reply in one of them.",
            there.threads
        );
        return Err(Refusal::conflict(message).into());
    }
    if quoted > 0 && there.quoted.saturating_add(quoted.try_into().unwrap_or(i64::MAX)) > limits::RFC_QUOTED_BYTES {
        let message = "The threads on this RFC quote as much text as one RFC can keep. Select a shorter range, or \
                       comment on the RFC as a whole.";
        return Err(Refusal::conflict(message).into());
    }
    Ok(())
}

fn no_such_revision(newest: i32) -> Refusal {
    let message = match newest {
        1 => "The RFC has only revision 1.".to_owned(),
        newest => format!("The RFC has the revisions 1 to {newest}."),
    };
    Refusal::field("revision", message)
}

fn state(word: &str) -> Result<ThreadState> {
    ThreadState::parse("state", word).map_err(Error::internal)
}
