//! Making follow-ups and changing them.

use domain::follow_up::{SourceKind, State, days_between};
use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, PersonId, Refusal, Role, limits, text};
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::{FollowUp, Source, Stored, key, missing, read, today};
use crate::{Backend, Error, Expected, Result, Subject, Tx};

/// What a new follow-up says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFollowUp {
    /// What is to be done.
    pub title: String,
    /// Address of who does it.
    pub owner: String,
    /// The day by the end of which it is to be done: `2026-12-24`.
    pub due: String,
    /// What it comes from, if anything.
    pub source: Option<SourceInput>,
}

/// What a follow-up comes from, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInput {
    /// A word of [`SourceKind`].
    pub kind: String,
    /// The name it has in the API.
    pub key: String,
}

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// What is to be done.
    pub title: Option<String>,
    /// Address of who does it from now on.
    pub owner: Option<String>,
    /// The day by the end of which it is to be done from now on.
    pub due: Option<String>,
    /// What it comes from; `Some(None)`: nothing.
    pub source: Option<Option<SourceInput>>,
    /// A word of [`State`]: finish it, drop it, open it again.
    pub state: Option<String>,
    /// What was done, or why it is dropped; without `state` it says that anew of what is closed.
    pub note: Option<String>,
}

/// Makes a follow-up.
pub async fn create(backend: &Backend, actor: &Actor, new: NewFollowUp) -> Result<FollowUp> {
    allows(actor, Action::WriteFollowUp)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let follow_up = add(&mut tx, actor, new).await?;
    tx.commit(follow_up).await
}

/// The same within the transaction of another use case: an outcome note that names follow-ups, a handover.
pub async fn add(tx: &mut Tx<'_>, actor: &Actor, new: NewFollowUp) -> Result<FollowUp> {
    allows(actor, Action::WriteFollowUp)?;
    let backend = tx.backend();
    let mut fields = Fields::default();
    let title = fields.take(title(&new.title))?;
    let due = fields.take(due(backend, &new.due))?;
    let owner = fields.take(Error::apart(owner(tx, &new.owner).await)?)?;
    let source = fields.take(match new.source {
        Some(source) => Error::apart(source_of(tx, source).await)?.map(Some),
        None => Ok(None),
    })?;
    let (title, due, owner, source) = fields.finish((title, due, owner, source))?;
    let id = sqlx::query_scalar!(
        "insert into follow_ups (title, owner_id, due_on, first_due_on, source_kind, source_key, made_by_id,
                                 created_at, updated_at)
         values ($1, $2, $3, $3, $4, $5, $6, $7, $7) returning id",
        title,
        owner.id,
        due.to_sqlx() as _,
        source.as_ref().map(|source| source.kind.as_str()),
        source.as_ref().map(|source| source.key.as_str()),
        actor.recorded_as(),
        tx.now().to_sqlx(),
    )
    .fetch_one(&mut **tx)
    .await?;
    let after = json!({ "title": title, "owner": owner.email, "due": due, "source": source });
    tx.event("follow_up.created", &Subject::follow_up(id), None, Some(after)).await?;
    Ok(reread(tx, actor, id).await?.follow_up)
}

/// Changes a follow-up: each thing that changes is an event of its own. One that says nothing new leaves it as it is.
pub async fn change(
    backend: &Backend,
    actor: &Actor,
    id: &str,
    expected: Expected,
    change: Change,
) -> Result<FollowUp> {
    allows(actor, Action::WriteFollowUp)?;
    let id = key(id)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    sqlx::query!("select id from follow_ups where id = $1 for no key update", id).fetch_optional(&mut *tx).await?;
    let before = read(&mut tx, backend, actor, id).await?.ok_or_else(missing)?;
    allows(actor, before.change())?;
    expected.check_existing(before.follow_up.version)?;
    let wanted = Wanted::check(&mut tx, &before, change).await?;
    if !wanted.write(&mut tx, actor, &before).await? {
        return tx.commit(before.follow_up).await;
    }
    let follow_up = reread(&mut tx, actor, id).await?.follow_up;
    tx.commit(follow_up).await
}

/// A follow-up as it is to be.
struct Wanted {
    title: String,
    owner: Owner,
    due: Date,
    source: Option<Source>,
    state: State,
    note: String,
}

impl Wanted {
    /// What was asked for, over what is there. A day in the past may stay, but nothing is moved to one.
    async fn check(tx: &mut Tx<'_>, before: &Stored, change: Change) -> Result<Self> {
        let (backend, was) = (tx.backend(), &before.follow_up);
        let mut fields = Fields::default();
        let title = fields.take(change.title.map_or_else(|| Ok(was.title.clone()), |new| title(&new)))?;
        let due = fields.take(match change.due {
            Some(new) if new.trim() != was.due_on.to_string() => due(backend, &new),
            _ => Ok(was.due_on),
        })?;
        let owner = fields.take(match change.owner {
            Some(new) if !new.trim().eq_ignore_ascii_case(&was.owner.email) => Error::apart(owner(tx, &new).await)?,
            _ => Ok(Owner { id: before.owner_id, email: was.owner.email.clone() }),
        })?;
        let source = fields.take(match change.source {
            Some(Some(new)) => Error::apart(source_of(tx, new).await)?.map(Some),
            Some(None) => Ok(None),
            None => Ok(was.source.clone()),
        })?;
        let asked = change.state.is_some();
        let state = fields.take(change.state.map_or(Ok(was.state), |word| State::parse("state", &word)))?;
        let max = limits::REASON_CHARS;
        let note = fields.take(match (change.note, state) {
            // Whoever ends it once more without a word says nothing new.
            (Some(note), Some(state)) if asked && state == was.state && note.trim().is_empty() => Ok(was.note.clone()),
            // Another state begins without a note; what was said before is kept in the events.
            (None, Some(state)) if state != was.state => Ok(String::new()),
            (None, _) => Ok(was.note.clone()),
            (Some(note), _) => text::paragraph("note", "The note", note.trim(), max),
        })?;
        match (state, note.as_deref()) {
            (Some(State::Dropped), Some("")) => fields.complain("note", "Say why it is not to be done any more."),
            (Some(State::Open), Some(note)) if !note.is_empty() => {
                fields.complain("note", "A note is written when a follow-up is done or dropped.");
            }
            _ => {}
        }
        let (title, owner, due, source, state, note) = fields.finish((title, owner, due, source, state, note))?;
        if asked && state == was.state && note != was.note {
            // Two people ended it at once: what the first of them said stays.
            return Err(Refusal::conflict(ended(was)).into());
        }
        let closed = state != State::Open && was.state != State::Open;
        if closed && (due != was.due_on || owner.id != before.owner_id) {
            let message = format!("It is {}: open it again to move or hand it on.", was.state.as_str());
            return Err(Refusal::conflict(message).into());
        }
        Ok(Self { title, owner, due, source, state, note })
    }

    /// Writes what is different; whether anything is.
    async fn write(&self, tx: &mut Tx<'_>, actor: &Actor, before: &Stored) -> Result<bool> {
        let was = &before.follow_up;
        let subject = Subject::follow_up(was.id);
        let mut events = Vec::new();
        // Whom it concerns is worked out from the event: each says what the follow-up is and whose.
        let about = |what: serde_json::Value| {
            let mut about = json!({ "title": self.title, "owner": self.owner.email });
            if let (Some(about), serde_json::Value::Object(what)) = (about.as_object_mut(), what) {
                about.extend(what);
            }
            about
        };
        let closed = self.state != was.state;
        let noted = !closed && self.note != was.note;
        if self.title != was.title || self.source != was.source || noted {
            let mut before = json!({ "title": was.title, "owner": was.owner.email, "source": was.source });
            let mut after = about(json!({ "source": self.source }));
            if noted {
                before["note"] = was.note.as_str().into();
                after["note"] = self.note.as_str().into();
            }
            events.push(("follow_up.changed", before, after));
        }
        if self.owner.id != before.owner_id {
            events.push((
                "follow_up.reassigned",
                json!({ "owner": was.owner.email }),
                about(json!({ "due": self.due })),
            ));
        }
        let moved = self.due != was.due_on;
        if moved {
            let before = json!({ "due": was.due_on });
            events.push(("follow_up.moved", before, about(json!({ "due": self.due, "first_due": was.first_due_on }))));
        }
        if closed {
            let verb = match self.state {
                State::Open => "follow_up.reopened",
                State::Done => "follow_up.done",
                State::Dropped => "follow_up.dropped",
            };
            let before = json!({ "state": was.state, "note": was.note });
            events.push((verb, before, about(json!({ "note": self.note }))));
        }
        if events.is_empty() {
            return Ok(false);
        }
        sqlx::query!(
            "update follow_ups set title = $2, owner_id = $3, due_on = $4, moves = moves + $5, source_kind = $6,
                    source_key = $7, state = $8, note = $9,
                    closed_at = case when $8 = 'open' then null when $10 then $11::timestamptz else closed_at end,
                    closed_by_id = case when $8 = 'open' then null when $10 then $12::bigint else closed_by_id end,
                    version = version + 1, updated_at = $11
             where id = $1",
            was.id,
            self.title,
            self.owner.id,
            self.due.to_sqlx() as _,
            i32::from(moved),
            self.source.as_ref().map(|source| source.kind.as_str()),
            self.source.as_ref().map(|source| source.key.as_str()),
            self.state.as_str(),
            self.note,
            closed,
            tx.now().to_sqlx(),
            actor.recorded_as(),
        )
        .execute(&mut **tx)
        .await?;
        for (verb, before, after) in events {
            tx.event(verb, &subject, Some(before), Some(after)).await?;
        }
        Ok(true)
    }
}

/// That a follow-up is closed, and by whom.
fn ended(follow_up: &FollowUp) -> String {
    let did = if follow_up.state == State::Dropped { "dropped" } else { "finished" };
    let by = follow_up.closed_by.as_ref().map(|person| format!(": {} {did} it", person.name)).unwrap_or_default();
    format!("It is {} already{by}.", follow_up.state.as_str())
}

async fn reread(tx: &mut Tx<'_>, actor: &Actor, id: i64) -> Result<Stored> {
    let backend = tx.backend();
    let stored = read(tx, backend, actor, id).await?;
    stored.ok_or_else(|| Error::internal("a follow-up vanished while it was written"))
}

fn title(title: &str) -> Result<String, Refusal> {
    text::line("title", "The title", title, limits::FOLLOW_UP_TITLE_CHARS)
}

/// A day from today on, within two years.
fn due(backend: &Backend, typed: &str) -> Result<Date, Refusal> {
    let wrong = || Refusal::field("due", "Give the day as year-month-day, for example 2026-12-24.");
    let typed = typed.trim();
    // jiff also reads 20261224 and times; one way to write a day is enough.
    let date: Date = typed.parse().ok().filter(|date: &Date| date.to_string() == typed).ok_or_else(wrong)?;
    match days_between(today(backend), date) {
        ..0 => Err(Refusal::field("due", format!("{date} has passed: choose today or a later day."))),
        days if days > limits::FOLLOW_UP_DAYS_AHEAD => {
            Err(Refusal::field("due", format!("{date} is more than two years away: choose a nearer day.")))
        }
        _ => Ok(date),
    }
}

/// Who does it.
struct Owner {
    id: PersonId,
    email: String,
}

/// Somebody who can do it: with an account that is in use and may write.
async fn owner(connection: &mut PgConnection, typed: &str) -> Result<Owner> {
    let address = text::email("owner", typed)?;
    let found = sqlx::query!(
        r#"select id, email, name, role, disabled_at is not null as "disabled!" from people
           where email = $1::text::citext"#,
        address,
    )
    .fetch_optional(connection)
    .await?;
    let unknown = || Refusal::field("owner", format!("Nobody with an account here has the address {address}."));
    let person = found.ok_or_else(unknown)?;
    if person.disabled {
        let message = format!("The account of {} is disabled: choose somebody else.", person.name);
        return Err(Refusal::field("owner", message).into());
    }
    if person.role == Role::Reader.as_str() {
        let message = format!("{} only reads here and could not finish it: choose somebody else.", person.name);
        return Err(Refusal::field("owner", message).into());
    }
    Ok(Owner { id: person.id, email: person.email })
}

/// Something that exists and that a follow-up can come from.
async fn source_of(connection: &mut PgConnection, typed: SourceInput) -> Result<Source> {
    let kind = SourceKind::parse("source.kind", typed.kind.trim())?;
    let key = typed.key.trim().to_owned();
    let missing = || Refusal::field("source.key", format!("There is no {} called \"{key}\".", kind.as_str()));
    let exists = match kind {
        SourceKind::Incident => {
            let id = crate::incidents::read::id(&key).map_err(|_| missing())?;
            sqlx::query_scalar!("select id from incidents where id = $1", id).fetch_optional(connection).await?
        }
    };
    exists.ok_or_else(missing)?;
    Ok(Source { kind, key })
}
