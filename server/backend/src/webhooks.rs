//! Webhooks: addresses that are called when something happens. Admins only.
//!
//! [`of_event`] puts one call into the outbox for every active webhook that wants an event, in the transaction that
//! passes the event on; `server/src/jobs/webhooks.rs` makes the calls, [`deliveries`](crate::deliveries) shows them.

pub(crate) mod concerns;
pub mod message;
pub mod signature;

use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::webhook::{self, Format};
use domain::{Actor, Refusal, limits, text};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use url::Url;

use crate::accounts::tokens;
use crate::events::Event;
use crate::jobs::Round;
use crate::outbox::{Kind, Work};
use crate::{Backend, Error, Expected, OnConstraint as _, Result, Subject, Tx, rfcs};
use message::{Call, Message};
use signature::{OLD_SECRET_VALID, Secret, Secrets};

/// A webhook as admins see it. Its secret is not among it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Names it.
    pub id: String,
    /// What it is for, in the admins' words.
    pub name: String,
    /// Whom it calls.
    pub url: String,
    /// In which form.
    pub format: Format,
    /// Nouns and verbs; none: everything that goes out.
    pub events: Vec<String>,
    /// Whether it is called.
    pub active: bool,
    /// Why it is not; empty when an admin switched it off, or it is active.
    pub disabled_reason: String,
    /// Since when it is not.
    pub disabled_at: Option<Timestamp>,
    /// Until when calls are signed with the secret before the newest, too.
    pub previous_secret_until: Option<Timestamp>,
    /// For the next change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What people say about a webhook.
#[derive(Debug, Clone)]
pub struct WebhookInput {
    /// What it is for.
    pub name: String,
    /// Whom to call.
    pub url: String,
    /// `standard` or `slack`.
    pub format: String,
    /// Nouns and verbs; none: everything that goes out.
    pub events: Vec<String>,
    /// Whether it is called.
    pub active: bool,
}

/// A webhook with a secret that was just made: the only time that anybody sees it.
#[derive(Debug, Clone)]
pub struct Made {
    /// The webhook.
    pub webhook: Webhook,
    /// Its new secret.
    pub secret: Secret,
}

/// All webhooks, by name.
pub async fn list(backend: &Backend, actor: &Actor) -> Result<Vec<Webhook>> {
    allows(actor, Action::Administer)?;
    let rows = sqlx::query_as!(
        Row,
        "select id, name, url, format, events, previous_until, disabled_at, disabled_reason,
            version, created_at, updated_at from webhooks order by lower(name), id"
    )
    .fetch_all(backend.pool())
    .await?;
    rows.into_iter().map(|row| row.webhook(backend.now())).collect()
}

/// One webhook.
pub async fn get(backend: &Backend, actor: &Actor, id: &str) -> Result<Webhook> {
    allows(actor, Action::Administer)?;
    let mut connection = backend.pool().acquire().await?;
    let row = read(&mut connection, rfcs::id("webhook", id)?).await?.ok_or_else(|| Refusal::not_found("webhook"))?;
    row.webhook(backend.now())
}

/// Makes a webhook.
pub async fn create(backend: &Backend, actor: &Actor, input: WebhookInput) -> Result<Made> {
    allows(actor, Action::Administer)?;
    let Content { name, url, format, events, active } = Content::check(input)?;
    let now = backend.now();
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        return Err(tokens::shown_before().into());
    }
    let number = sqlx::query_scalar!(r#"select count(*) as "count!" from webhooks"#).fetch_one(&mut *tx).await?;
    if number >= limits::WEBHOOKS {
        let message = format!("There are {number} webhooks already, the most there may be; delete one first.");
        return Err(Refusal::conflict(message).into());
    }
    let secret = Secret::new(backend.entropy());
    let id = sqlx::query_scalar!(
        "insert into webhooks (name, url, format, events, secret, disabled_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, case when $6 then null else $7::timestamptz end, $7, $7) returning id",
        name,
        url.as_str(),
        format.as_str(),
        &events,
        secret.as_bytes(),
        active,
        now.to_sqlx(),
    )
    .fetch_one(&mut *tx)
    .await
    .on_constraint("webhooks_name_unique", || taken(&name))?;
    let webhook = reread(&mut tx, id).await?;
    tx.event("webhook.created", &Subject::webhook(id), None, Some(snapshot(&webhook))).await?;
    // The answer to a repetition is kept without the secret.
    tx.commit(()).await?;
    Ok(Made { webhook, secret })
}

/// Changes a webhook; also switches it off and on.
pub async fn change(
    backend: &Backend,
    actor: &Actor,
    id: &str,
    expected: Expected,
    input: WebhookInput,
) -> Result<Webhook> {
    allows(actor, Action::Administer)?;
    let Content { name, url, format, events, active } = Content::check(input)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let (key, before) = hold(&mut tx, id).await?;
    expected.check_existing(before.version)?;
    let same = (&before.name, before.url.as_str(), before.format, &before.events, before.active)
        == (&name, url.as_str(), format, &events, active);
    if same {
        return tx.commit(before).await;
    }
    sqlx::query!(
        "update webhooks set name = $2, url = $3, format = $4, events = $5,
                disabled_at = case when $6 then null else coalesce(disabled_at, $7::timestamptz) end,
                disabled_reason = case when $6 then '' else disabled_reason end,
                version = version + 1, updated_at = $7
         where id = $1",
        key,
        name,
        url.as_str(),
        format.as_str(),
        &events,
        active,
        backend.now().to_sqlx(),
    )
    .execute(&mut *tx)
    .await
    .on_constraint("webhooks_name_unique", || taken(&name))?;
    let webhook = reread(&mut tx, key).await?;
    let verb = match (before.active, active) {
        (true, false) => "webhook.disabled",
        (false, true) => "webhook.enabled",
        _ => "webhook.changed",
    };
    tx.event(verb, &Subject::webhook(key), Some(snapshot(&before)), Some(snapshot(&webhook))).await?;
    tx.commit(webhook).await
}

/// Switches a webhook on or off, and changes nothing else of it.
pub async fn switch(backend: &Backend, actor: &Actor, id: &str, active: bool) -> Result<Webhook> {
    let Webhook { name, url, format, events, version, .. } = get(backend, actor, id).await?;
    let input = WebhookInput { name, url, format: format.as_str().to_owned(), events, active };
    change(backend, actor, id, Expected::Version(version), input).await
}

/// Deletes a webhook with the calls that wait for it; what was delivered stays to be read.
pub async fn delete(backend: &Backend, actor: &Actor, id: &str, expected: Expected) -> Result<()> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let (key, before) = hold(&mut tx, id).await?;
    expected.check_existing(before.version)?;
    sqlx::query!(
        "delete from outbox where kind = 'webhook' and state <> 'done' and (payload ->> 'webhook')::bigint = $1",
        key,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from webhooks where id = $1", key).execute(&mut *tx).await?;
    tx.event("webhook.deleted", &Subject::webhook(key), Some(snapshot(&before)), None).await?;
    tx.commit(()).await
}

/// Gives a webhook a new secret. For a day calls are signed with the one before, too.
pub async fn rotate(backend: &Backend, actor: &Actor, id: &str) -> Result<Made> {
    allows(actor, Action::Administer)?;
    let now = backend.now();
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        return Err(tokens::shown_before().into());
    }
    let (key, before) = hold(&mut tx, id).await?;
    tx.check_version(before.version)?;
    if before.format == Format::Slack {
        return Err(Refusal::conflict("Calls to Slack are not signed; there is no secret to rotate.").into());
    }
    let secret = Secret::new(backend.entropy());
    sqlx::query!(
        "update webhooks set previous_secret = secret, previous_until = $3, secret = $2, version = version + 1,
                updated_at = $4
         where id = $1",
        key,
        secret.as_bytes(),
        now.checked_add(OLD_SECRET_VALID).unwrap_or(Timestamp::MAX).to_sqlx(),
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let webhook = reread(&mut tx, key).await?;
    tx.event("webhook.secret_rotated", &Subject::webhook(key), None, None).await?;
    tx.commit(()).await?;
    Ok(Made { webhook, secret })
}

/// Calls a webhook to see whether it answers. One test at a time.
pub async fn test(backend: &Backend, actor: &Actor, id: &str) -> Result<()> {
    allows(actor, Action::Administer)?;
    let now = backend.now();
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let (key, webhook) = hold(&mut tx, id).await?;
    tx.check_version(webhook.version)?;
    if !webhook.active {
        return Err(Refusal::conflict("This webhook is disabled: enable it before you test it.").into());
    }
    let tests = format!("webhook:{key}:test:");
    let waits = sqlx::query_scalar!(
        r#"select exists (select from outbox where kind = 'webhook' and (payload ->> 'webhook')::bigint = $1
                            and state = 'waiting' and starts_with(key, $2)) as "waits!""#,
        key,
        tests,
    );
    if waits.fetch_one(&mut *tx).await? {
        return Err(Refusal::conflict("A test is still on its way; look at the deliveries.").into());
    }
    let message = Message::test(now, &actor.name, &actor.email);
    let payload = serde_json::to_value(Call { webhook: key, message })?;
    tx.put(&Work { key: format!("{tests}{now}"), kind: Kind::Webhook, payload, due_at: now }).await?;
    tx.event("webhook.tested", &Subject::webhook(key), None, None).await?;
    tx.commit(()).await
}

/// Makes the calls of an event.
pub(crate) async fn of_event(tx: &mut Tx<'_>, round: &mut Round, event: &Event) -> Result<()> {
    if !message::may_go_out(event) {
        return Ok(());
    }
    let wanted: Vec<i64> = called(tx, round)
        .await?
        .iter()
        .filter(|(_, events)| webhook::wants(events, &event.verb))
        .map(|(webhook, _)| *webhook)
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let Some(message) = Message::of(tx, event).await? else { return Ok(()) };
    let due_at = tx.now();
    for webhook in wanted {
        let payload = serde_json::to_value(Call { webhook, message: message.clone() })?;
        let key = format!("webhook:{webhook}:event:{}", event.id);
        round.work.push(Work { key, kind: Kind::Webhook, payload, due_at });
    }
    Ok(())
}

/// The webhooks that are called at all.
async fn called<'a>(tx: &mut Tx<'_>, round: &'a mut Round) -> Result<&'a [(i64, Vec<String>)]> {
    if round.webhooks.is_none() {
        // Held: who deletes one waits, and then takes its calls away, too.
        let rows = sqlx::query!("select id, events from webhooks where disabled_at is null order by id for key share")
            .fetch_all(&mut **tx)
            .await?;
        round.webhooks = Some(rows.into_iter().map(|row| (row.id, row.events)).collect());
    }
    Ok(round.webhooks.as_deref().unwrap_or_default())
}

/// Whom to call, and how: for the sender.
#[derive(Debug, Clone)]
pub struct Target {
    /// The address.
    pub url: String,
    /// The form.
    pub format: Format,
    /// Those to sign with.
    pub secrets: Vec<Secret>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it is called at all.
    pub active: bool,
}

/// The webhook of a call; nothing when it was deleted.
pub async fn target(backend: &Backend, webhook: i64) -> Result<Option<Target>> {
    let row = sqlx::query!(
        "select url, format, secret, previous_secret, previous_until, created_at, disabled_at
         from webhooks where id = $1",
        webhook,
    )
    .fetch_optional(backend.pool())
    .await?;
    row.map(|row| {
        let until = row.previous_until.map(jiff_sqlx::Timestamp::to_jiff);
        let secrets = Secrets::read(&row.secret, row.previous_secret.as_deref(), until)?;
        Ok(Target {
            url: row.url,
            format: format(&row.format)?,
            secrets: secrets.valid(backend.now()),
            created_at: row.created_at.to_jiff(),
            active: row.disabled_at.is_none(),
        })
    })
    .transpose()
}

/// The receiver at this address said that it is gone for good: it is not called any more, until an admin enables it
/// again. Nothing happens when the webhook has another address meanwhile.
pub async fn disable_gone(backend: &Backend, webhook: i64, url: &str) -> Result<()> {
    let reason = "The receiver answered 410 Gone: it does not want to be called any more.";
    let mut tx = backend.begin_unsigned().await?;
    let disabled = sqlx::query!(
        "update webhooks set disabled_at = $2, disabled_reason = $3, version = version + 1, updated_at = $2
         where id = $1 and disabled_at is null and url = $4",
        webhook,
        backend.now().to_sqlx(),
        reason,
        url,
    )
    .execute(&mut *tx)
    .await?;
    if disabled.rows_affected() == 1 {
        let after = json!({ "active": false, "reason": reason });
        tx.event("webhook.disabled", &Subject::webhook(webhook), None, Some(after)).await?;
    }
    tx.commit(()).await
}

/// A call was given up after its last try. Told once a day: whoever is away for long misses many calls.
pub async fn give_up(backend: &Backend, webhook: i64) -> Result<()> {
    let mut tx = backend.begin_unsigned().await?;
    // Two processes that give up in the same moment tell it once; of a webhook that was deleted nothing is told.
    let held = sqlx::query!("select id from webhooks where id = $1 for no key update", webhook);
    if held.fetch_optional(&mut *tx).await?.is_none() {
        return Ok(());
    }
    let since = tx.now().checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    let told = sqlx::query_scalar!(
        r#"select exists (select from events where subject_kind = 'webhook' and subject_key = $1::bigint::text
                            and verb = 'webhook.gave_up' and at > $2) as "told!""#,
        webhook,
        since.to_sqlx(),
    );
    if !told.fetch_one(&mut *tx).await? {
        tx.event("webhook.gave_up", &Subject::webhook(webhook), None, None).await?;
    }
    tx.commit(()).await
}

/// A checked input.
struct Content {
    name: String,
    url: Url,
    format: Format,
    events: Vec<String>,
    active: bool,
}

impl Content {
    fn check(input: WebhookInput) -> Result<Self, Refusal> {
        let mut fields = Fields::default();
        let name = fields.take(text::line("name", "The name", &input.name, limits::NAME_CHARS))?;
        let url = fields.take(address(&input.url))?;
        let format = fields.take(Format::parse(&input.format))?;
        let events = fields.take(webhook::parse_events(&input.events))?;
        let (name, url, format, events) = fields.finish((name, url, format, events))?;
        Ok(Self { name, url, format, events, active: input.active })
    }
}

/// An address to call. Whether it may be called is known when its name is looked up.
fn address(url: &str) -> Result<Url, Refusal> {
    let url = text::web_address("url", url)?;
    let wrong = |message: &str| Refusal::field("url", message);
    let url = Url::parse(&url).map_err(|error| wrong(&format!("This is not a web address: {error}.")))?;
    if !url.has_host() {
        return Err(wrong("The address names no host."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("Leave name and password out of the address: calls are signed instead."));
    }
    if url.fragment().is_some() {
        return Err(wrong("Leave out what comes after the #: it is never sent."));
    }
    if url.as_str().len() > limits::URL_CHARS {
        return Err(wrong("The address is too long."));
    }
    Ok(url)
}

struct Row {
    id: i64,
    name: String,
    url: String,
    format: String,
    events: Vec<String>,
    previous_until: Option<jiff_sqlx::Timestamp>,
    disabled_at: Option<jiff_sqlx::Timestamp>,
    disabled_reason: String,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    updated_at: jiff_sqlx::Timestamp,
}

impl Row {
    fn webhook(self, now: Timestamp) -> Result<Webhook> {
        Ok(Webhook {
            id: self.id.to_string(),
            name: self.name,
            url: self.url,
            format: format(&self.format)?,
            events: self.events,
            active: self.disabled_at.is_none(),
            disabled_reason: self.disabled_reason,
            disabled_at: self.disabled_at.map(jiff_sqlx::Timestamp::to_jiff),
            previous_secret_until: self.previous_until.map(jiff_sqlx::Timestamp::to_jiff).filter(|until| now < *until),
            version: self.version,
            created_at: self.created_at.to_jiff(),
            updated_at: self.updated_at.to_jiff(),
        })
    }
}

async fn read(connection: &mut PgConnection, id: i64) -> Result<Option<Row>> {
    let row = sqlx::query_as!(
        Row,
        "select id, name, url, format, events, previous_until, disabled_at, disabled_reason, version, created_at,
                updated_at
         from webhooks where id = $1",
        id,
    );
    Ok(row.fetch_optional(connection).await?)
}

/// The webhook, held until the transaction ends.
async fn hold(tx: &mut Tx<'_>, id: &str) -> Result<(i64, Webhook)> {
    let missing = || Refusal::not_found("webhook");
    let key = rfcs::id("webhook", id)?;
    sqlx::query!("select id from webhooks where id = $1 for no key update", key)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(missing)?;
    let now = tx.now();
    let row = read(tx, key).await?.ok_or_else(missing)?;
    Ok((key, row.webhook(now)?))
}

async fn reread(tx: &mut Tx<'_>, id: i64) -> Result<Webhook> {
    let now = tx.now();
    let row = read(tx, id).await?.ok_or_else(|| Error::internal("a webhook vanished while it was written"))?;
    row.webhook(now)
}

/// What an event says of a webhook. The path of its address is left out: in Slack's it is the secret.
fn snapshot(webhook: &Webhook) -> serde_json::Value {
    let host = Url::parse(&webhook.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    json!({ "name": webhook.name, "host": host, "format": webhook.format, "events": webhook.events, "active": webhook.active })
}

fn format(word: &str) -> Result<Format> {
    Format::parse(word).map_err(Error::internal)
}

fn taken(name: &str) -> Refusal {
    Refusal::field("name", format!("There is already a webhook called \"{name}\"."))
}

#[cfg(test)]
mod tests;
