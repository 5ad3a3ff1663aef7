//! Deliveries: the outbox as admins see it. What waits, what was done, what was given up and can be sent again; the mails
//! in it, and how the calls of webhooks went.
//!
//! What a mail says is shown too, except when it is to somebody else and tells of an RFC that the admin may not read: a
//! draft says nothing to anybody but its authors and those it is shared with. That there is such a mail, and to whom, is
//! shown.

use std::collections::HashSet;

use domain::policy::{Action, allows};
use domain::{Actor, Refusal};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::housekeeping::PORTION;
use crate::notices::mail::MailMessage;
use crate::outbox::{Claimed, Kind};
use crate::webhooks::message::Call;
use crate::{Backend, Error, Page, PageRequest, Result, Subject, rfcs};

/// How long a try of a webhook, and a call of a hook, can still be read.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Bytes of a receiver's answer that are kept.
pub const ANSWER_BYTES: usize = 1024;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Due, or being done at this moment.
    Waiting,
    /// Its time has not come yet.
    Planned,
    /// It failed and is tried again.
    Failed,
    /// It was given up; it can be sent again by hand.
    Dead,
    /// It was done.
    Done,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Planned, Self::Failed, Self::Dead, Self::Done];

    /// Its word in the API and in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Planned => "planned",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Done => "done",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Result<Self, Refusal> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or_else(|| Refusal::field("state", "The state is waiting, planned, failed, dead or done."))
    }
}

/// Which deliveries are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub state: Option<State>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// To this webhook.
    pub webhook: Option<String>,
}

impl Filter {
    /// Reads the words of an address, a form or a call; what is absent filters nothing.
    pub fn read(state: Option<&str>, kind: Option<&str>, webhook: Option<&str>) -> Result<Self, Refusal> {
        let wrong = || Refusal::field("kind", "The kind is event, job, mail, webhook or import.");
        Ok(Self {
            state: state.map(State::parse).transpose()?,
            kind: kind.map(|word| Kind::parse(word).ok_or_else(wrong)).transpose()?,
            webhook: webhook.map(str::to_owned),
        })
    }

    fn webhook_id(&self) -> Result<Option<i64>> {
        self.webhook.as_deref().map(|id| rfcs::id("webhook", id)).transpose()
    }
}

/// Work in the outbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Names it.
    pub id: String,
    /// Names it for good, also at a receiver.
    pub key: String,
    /// Who does it.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// What it is about, in words.
    pub about: String,
    /// What it says is not shown: it is a mail to somebody else about an RFC that the reader may not read.
    pub withheld: bool,
    /// The webhook it goes to, if it is one's: its name.
    pub webhook: Option<String>,
    /// The address it goes to, if it is a mail.
    pub to: Option<String>,
    /// When it is done next; when it was due.
    pub due_at: Timestamp,
    /// Tries that have begun.
    pub attempts: i32,
    /// What the last try that failed ran into; of what is done, why nothing was sent.
    pub last_error: String,
    /// When it was put in.
    pub created_at: Timestamp,
    /// When it was done or given up.
    pub finished_at: Option<Timestamp>,
}

/// A delivery with all that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// The delivery.
    pub delivery: Delivery,
    /// The webhook it goes to, as the API names it.
    pub webhook_id: Option<String>,
    /// What whoever does it needs to know; a mail is written out, and of one that is withheld only to whom it goes.
    pub payload: Value,
    /// How the calls of a webhook went, the newest first.
    pub tries: Vec<Try>,
}

impl Detail {
    /// The mail, if it is one that is shown.
    pub fn mail(&self) -> Option<Mail> {
        let text = |name: &str| self.payload.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let headers = self.payload.get("headers").and_then(Value::as_array).into_iter().flatten();
        let headers = headers
            .filter_map(|pair| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned())))
            .collect();
        let mail = Mail { to: text("to"), subject: text("subject"), text: text("text"), headers };
        Some(mail).filter(|_| self.delivery.kind == Kind::Mail && !self.delivery.withheld)
    }

    /// What is sent, or what else whoever does it needs to know, to be read by people.
    pub fn readable(&self) -> String {
        let shown = self.payload.get("message").unwrap_or(&self.payload);
        serde_json::to_string_pretty(shown).unwrap_or_default()
    }
}

/// A mail as people read it. Its HTML says the same and is for mail programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address it goes to.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// Further headers: name and value.
    pub headers: Vec<(String, String)>,
}

/// One call of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Try {
    /// Which one it was, from 1; begins anew when it is sent again by hand.
    pub attempt: i32,
    /// When.
    pub at: Timestamp,
    /// The HTTP status; none: no answer came.
    pub status: Option<i32>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// How the answer began.
    pub answer: String,
    /// Why it counts as failed; empty: it did not.
    pub error: String,
}

/// Deliveries, the newest first.
pub async fn list(backend: &Backend, actor: &Actor, filter: &Filter, page: &PageRequest) -> Result<Page<Delivery>> {
    allows(actor, Action::Administer)?;
    let (rows, after) = (page.rows()?, page.after::<i64>()?);
    let webhook = filter.webhook_id()?;
    let mut tx = backend.pool().begin().await?;
    // Planned for these very filters: a plan that serves them all reads the whole outbox.
    sqlx::query!("select set_config('plan_cache_mode', 'force_custom_plan', true)").fetch_one(&mut *tx).await?;
    let found = sqlx::query_as!(
        Row,
        r#"select outbox.id, key, kind, state, due_at, attempts, leased_until, last_error, outbox.created_at, finished_at,
                  payload, webhooks.name as "webhook?"
           from outbox left join webhooks on kind = 'webhook' and webhooks.id = (payload ->> 'webhook')::bigint
           where ($1::text is null or kind = $1)
             and ($2::text is null or state = case when $2 in ('dead', 'done') then $2 else 'waiting' end)
             and case $2 when 'waiting' then due_at <= $3 or leased_until > $3
                         when 'planned' then due_at > $3 and attempts = 0 and leased_by is null
                         when 'failed' then due_at > $3 and attempts > 0 and leased_by is null
                         else true end
             and ($4::bigint is null or (kind = 'webhook' and (payload ->> 'webhook')::bigint = $4))
             and ($5::bigint is null or outbox.id < $5)
           order by outbox.id desc limit $6"#,
        filter.kind.map(Kind::as_str),
        filter.state.map(State::as_str),
        backend.now().to_sqlx(),
        webhook,
        after,
        rows + 1,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let hidden = hidden_mails(backend, actor, &found).await?;
    let shown = found.into_iter().map(|row| {
        let withheld = hidden.contains(&row.id);
        row.delivery(backend.now(), withheld)
    });
    Page::new(shown.collect::<Result<Vec<_>>>()?, rows, |delivery| delivery.id.parse::<i64>().unwrap_or_default())
}

/// One delivery.
pub async fn get(backend: &Backend, actor: &Actor, id: &str) -> Result<Detail> {
    allows(actor, Action::Administer)?;
    let key = rfcs::id("delivery", id)?;
    let row = sqlx::query_as!(
        Row,
        r#"select outbox.id, key, kind, state, due_at, attempts, leased_until, last_error, outbox.created_at, finished_at,
                  payload, webhooks.name as "webhook?"
           from outbox left join webhooks on kind = 'webhook' and webhooks.id = (payload ->> 'webhook')::bigint
           where outbox.id = $1"#,
        key,
    )
    .fetch_optional(backend.pool())
    .await?
    .ok_or_else(|| Refusal::not_found("delivery"))?;
    let tries = sqlx::query!(
        "select attempt, at, status, duration_ms, answer, error from delivery_attempts where outbox_id = $1
         order by id desc limit 200",
        key,
    )
    .fetch_all(backend.pool())
    .await?;
    let tries = tries.into_iter().map(|row| Try {
        attempt: row.attempt,
        at: row.at.to_jiff(),
        status: row.status,
        duration_ms: row.duration_ms,
        answer: row.answer,
        error: row.error,
    });
    let withheld = hidden_mails(backend, actor, std::slice::from_ref(&row)).await?.contains(&row.id);
    let payload = if withheld {
        json!({ "to": row.payload.get("to") })
    } else if row.kind == Kind::Mail.as_str() {
        serde_json::to_value(MailMessage::deserialize(&row.payload)?.write(backend, &row.key).await?)?
    } else {
        row.payload.clone()
    };
    let webhook_id = payload.get("webhook").and_then(Value::as_i64).filter(|_| row.webhook.is_some());
    let webhook_id = webhook_id.map(|id| id.to_string());
    Ok(Detail { delivery: row.delivery(backend.now(), withheld)?, webhook_id, payload, tries: tries.collect() })
}

/// Which of the rows are mails to others that tell of RFCs which this reader may not read.
async fn hidden_mails(backend: &Backend, actor: &Actor, rows: &[Row]) -> Result<HashSet<i64>> {
    let mails = rows.iter().filter(|row| row.kind == Kind::Mail.as_str());
    let mails: Vec<_> = mails.map(|row| (row.id, MailMessage::deserialize(&row.payload).ok())).collect();
    let asked: Vec<i64> = mails.iter().filter_map(|(_, mail)| mail.as_ref()).flat_map(MailMessage::rfcs).collect();
    let readable = rfcs::readable(backend, actor, &asked).await?;
    let is_hidden =
        |mail: &MailMessage| mail.person != actor.id && mail.rfcs().any(|number| !readable.contains(&number));
    // What cannot be read as a mail may tell of anything.
    Ok(mails.into_iter().filter(|(_, mail)| mail.as_ref().is_none_or(is_hidden)).map(|(id, _)| id).collect())
}

/// Sends again what was given up, or does not wait for the next try of what failed: now, under the same key.
pub async fn retry(backend: &Backend, actor: &Actor, id: &str) -> Result<()> {
    allows(actor, Action::Administer)?;
    let key = rfcs::id("delivery", id)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let row = sqlx::query!(
        r#"select key, state = 'done' as "done!",
                  state = 'dead' or (attempts > 0 and (leased_until is null or leased_until <= $2)) as "retried!"
           from outbox where id = $1 for update"#,
        key,
        backend.now().to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Refusal::not_found("delivery"))?;
    if row.done {
        return Err(Refusal::conflict("This is done already: there is nothing to send again.").into());
    }
    if !row.retried {
        return Err(
            Refusal::conflict("This is on its way, or planned for later: there is nothing to send again.").into()
        );
    }
    again(&mut tx, &[key]).await?;
    let after = json!({ "key": row.key });
    tx.event("delivery.sent_again", &Subject::product("outbox"), None, Some(after)).await?;
    tx.commit(()).await
}

/// How many were given up, of this kind and to this webhook; in which state the filter looks plays no part.
pub async fn dead(backend: &Backend, actor: &Actor, filter: &Filter) -> Result<i64> {
    allows(actor, Action::Administer)?;
    let webhook = filter.webhook_id()?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from outbox
           where state = 'dead' and ($1::text is null or kind = $1)
             and ($2::bigint is null or (kind = 'webhook' and (payload ->> 'webhook')::bigint = $2))"#,
        filter.kind.map(Kind::as_str),
        webhook,
    );
    Ok(count.fetch_one(backend.pool()).await?)
}

/// Sends again what [`dead`] counts; answers how many.
pub async fn retry_dead(backend: &Backend, actor: &Actor, filter: &Filter) -> Result<i64> {
    allows(actor, Action::Administer)?;
    let webhook = filter.webhook_id()?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let dead = sqlx::query_scalar!(
        "select id from outbox
         where state = 'dead' and ($1::text is null or kind = $1)
           and ($2::bigint is null or (kind = 'webhook' and (payload ->> 'webhook')::bigint = $2))
         order by id for update skip locked",
        filter.kind.map(Kind::as_str),
        webhook,
    )
    .fetch_all(&mut *tx)
    .await?;
    if dead.is_empty() {
        return tx.commit(0).await;
    }
    again(&mut tx, &dead).await?;
    let number = i64::try_from(dead.len()).unwrap_or(i64::MAX);
    let after = json!({ "kind": filter.kind, "webhook": filter.webhook, "number": number });
    tx.event("delivery.sent_again", &Subject::product("outbox"), None, Some(after)).await?;
    tx.commit(number).await
}

/// Lets go what was given up: it is not sent any more, and counts as done. Why it was given up can still be read, as long
/// as everything that is done.
pub async fn let_go(backend: &Backend, actor: &Actor, id: &str) -> Result<()> {
    allows(actor, Action::Administer)?;
    let key = rfcs::id("delivery", id)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let row = sqlx::query!(r#"select key, state = 'dead' as "dead!" from outbox where id = $1 for update"#, key)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| Refusal::not_found("delivery"))?;
    if !row.dead {
        return Err(Refusal::conflict("This was not given up: there is nothing to let go.").into());
    }
    let now = tx.now().to_sqlx();
    sqlx::query!("update outbox set state = 'done', finished_at = $2 where id = $1", key, now)
        .execute(&mut *tx)
        .await?;
    let after = json!({ "key": row.key });
    tx.event("delivery.let_go", &Subject::product("outbox"), None, Some(after)).await?;
    tx.commit(()).await
}

async fn again(tx: &mut crate::Tx<'_>, ids: &[i64]) -> Result<()> {
    let now = tx.now().to_sqlx();
    sqlx::query!(
        "update outbox set state = 'waiting', attempts = 0, due_at = $2, finished_at = null, leased_by = null,
                leased_until = null
         where id = any ($1)",
        ids,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How a call went, as the sender saw it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The HTTP status; none: no answer came.
    pub status: Option<u16>,
    /// How long it took.
    pub duration: std::time::Duration,
    /// How the answer began; more than [`ANSWER_BYTES`] are cut.
    pub answer: Vec<u8>,
    /// Why it counts as failed; empty: it did not.
    pub error: String,
}

/// Keeps how a call went.
pub async fn record(backend: &Backend, work: &Claimed, outcome: &Outcome) -> Result<()> {
    let answer = String::from_utf8_lossy(outcome.answer.get(..ANSWER_BYTES).unwrap_or(&outcome.answer));
    let answer: String = shown(&answer, ANSWER_BYTES);
    sqlx::query!(
        "insert into delivery_attempts (outbox_id, attempt, at, status, duration_ms, answer, error)
         select id, $2, $3, $4, $5, $6, $7 from outbox where id = $1",
        work.id,
        work.attempt.max(1),
        backend.now().to_sqlx(),
        outcome.status.map(i32::from),
        i32::try_from(outcome.duration.as_millis()).unwrap_or(i32::MAX),
        answer,
        shown(&outcome.error, 500),
    )
    .execute(backend.pool())
    .await?;
    Ok(())
}

/// What a page can show of foreign text, at most this many characters.
fn shown(text: &str, chars: usize) -> String {
    text.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t')).take(chars).collect()
}

/// Removes what was recorded long ago.
pub(crate) async fn delete_old(backend: &Backend) -> Result<u64> {
    let before = backend.now().checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    let tries = sqlx::query!(
        "delete from delivery_attempts where id in (select id from delivery_attempts where at <= $1 limit $2)",
        before.to_sqlx(),
        PORTION,
    );
    let calls = sqlx::query!(
        "delete from hook_calls where (hook_id, webhook_id) in
           (select hook_id, webhook_id from hook_calls where received_at <= $1 limit $2)",
        before.to_sqlx(),
        PORTION,
    );
    let tries = tries.execute(backend.pool()).await?.rows_affected();
    Ok(tries + calls.execute(backend.pool()).await?.rows_affected())
}

/// A row of the outbox as the database gives it.
struct Row {
    id: i64,
    key: String,
    kind: String,
    state: String,
    due_at: jiff_sqlx::Timestamp,
    attempts: i32,
    leased_until: Option<jiff_sqlx::Timestamp>,
    last_error: String,
    created_at: jiff_sqlx::Timestamp,
    finished_at: Option<jiff_sqlx::Timestamp>,
    payload: Value,
    webhook: Option<String>,
}

impl Row {
    fn delivery(self, now: Timestamp, withheld: bool) -> Result<Delivery> {
        let kind = Kind::parse(&self.kind).ok_or_else(|| Error::internal("a kind of work that nobody knows"))?;
        let due_at = self.due_at.to_jiff();
        let at_work = self.leased_until.is_some_and(|until| until.to_jiff() > now);
        let state = match self.state.as_str() {
            "done" => State::Done,
            "dead" => State::Dead,
            _ if at_work || due_at <= now => State::Waiting,
            _ if self.attempts > 0 => State::Failed,
            _ => State::Planned,
        };
        let about = if withheld { "A mail about a draft".to_owned() } else { about(kind, &self.payload, &self.key) };
        let to = self.payload.get("to").and_then(Value::as_str).filter(|_| kind == Kind::Mail).map(str::to_owned);
        Ok(Delivery {
            id: self.id.to_string(),
            about,
            withheld,
            key: self.key,
            kind,
            state,
            webhook: self.webhook,
            to,
            due_at,
            attempts: self.attempts,
            last_error: self.last_error,
            created_at: self.created_at.to_jiff(),
            finished_at: self.finished_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// What a piece of work is about, in words; where nothing is known of it, its key.
fn about(kind: Kind, payload: &Value, key: &str) -> String {
    let text = |name: &str| payload.get(name).and_then(Value::as_str).map(str::to_owned);
    let known = match kind {
        Kind::Webhook => Call::deserialize(payload).ok().map(|call| call.message.words()),
        Kind::Mail => text("subject"),
        Kind::Job => text("name").map(|name| name.replace('_', " ")),
        Kind::Import => payload.get("import").map(|number| format!("Import {number}")),
        Kind::Event => None,
    };
    known.filter(|known| !known.is_empty()).unwrap_or_else(|| key.to_owned())
}

#[cfg(test)]
mod tests;
