//! Hooks: addresses at which others report something, signed by Standard Webhooks 1.0. Admins make them.
//!
//! `server/src/hooks.rs` takes the calls and hands them to [`receive`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, Refusal, limits, text};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::tokens;
use crate::incidents::receive::{self, TRIES};
use crate::webhooks::signature::{self, OLD_SECRET_VALID, Secret, Secrets};
use crate::{Backend, Error, OnConstraint as _, Result, Subject, Tx, entropy};

/// What becomes of what comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It is recorded as incidents.
    Incidents,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Incidents];

    /// Its word in the API and the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Incidents => "Incidents",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.into_iter().find(|purpose| purpose.as_str() == word);
        found.ok_or_else(|| Refusal::field("purpose", "Choose what it receives: incidents."))
    }
}

/// A hook as admins see it. Its secret is not among it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The table's key, which events name it by.
    #[serde(skip)]
    pub key: i64,
    /// Names it in its address, `/hooks/{id}`.
    pub id: String,
    /// Who calls it, in the admins' words.
    pub name: String,
    /// What becomes of what comes in.
    pub purpose: Purpose,
    /// Until when the secret before the newest is taken, too.
    pub previous_secret_until: Option<Timestamp>,
    /// For the next change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When something came in last.
    pub last_call_at: Option<Timestamp>,
}

/// A hook with a secret that was just made: the only time that anybody sees it.
#[derive(Debug, Clone)]
pub struct Made {
    /// The hook.
    pub hook: Hook,
    /// Its new secret.
    pub secret: Secret,
}

/// The hooks that work, by name.
pub async fn list(backend: &Backend, actor: &Actor) -> Result<Vec<Hook>> {
    allows(actor, Action::Administer)?;
    let rows = sqlx::query_as!(
        Row,
        r#"select id, public_id, name, purpose, previous_until, version, created_at,
                  (select max(received_at) from hook_calls where hook_id = hooks.id) as "last_call_at: jiff_sqlx::Timestamp"
           from hooks where revoked_at is null order by lower(name), id"#
    )
    .fetch_all(backend.pool())
    .await?;
    rows.into_iter().map(|row| row.hook(backend.now())).collect()
}

/// One hook that works.
pub async fn get(backend: &Backend, actor: &Actor, id: &str) -> Result<Hook> {
    let hooks = list(backend, actor).await?;
    Ok(hooks.into_iter().find(|hook| hook.id == id).ok_or_else(|| Refusal::not_found("hook"))?)
}

/// Makes a hook.
pub async fn create(backend: &Backend, actor: &Actor, name: &str, purpose: &str) -> Result<Made> {
    allows(actor, Action::Administer)?;
    let mut fields = Fields::default();
    let name = fields.take(text::line("name", "The name", name, limits::NAME_CHARS))?;
    let purpose = fields.take(Purpose::parse(purpose))?;
    let (name, purpose) = fields.finish((name, purpose))?;
    let now = backend.now();
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        return Err(tokens::shown_before().into());
    }
    let number = sqlx::query_scalar!(r#"select count(*) as "count!" from hooks where revoked_at is null"#)
        .fetch_one(&mut *tx)
        .await?;
    if number >= limits::WEBHOOKS {
        let message = format!("There are {number} hooks already, the most there may be; revoke one first.");
        return Err(Refusal::conflict(message).into());
    }
    let mut public_id = [0; 16];
    backend.entropy().fill(&mut public_id);
    let public_id = URL_SAFE_NO_PAD.encode(public_id);
    let secret = Secret::new(backend.entropy());
    let key = sqlx::query_scalar!(
        "insert into hooks (public_id, name, purpose, secret, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $5) returning id",
        public_id,
        name,
        purpose.as_str(),
        secret.as_bytes(),
        now.to_sqlx(),
    )
    .fetch_one(&mut *tx)
    .await
    .on_constraint("hooks_name_unique", || {
        Refusal::field("name", format!("There is already a hook called \"{name}\"."))
    })?;
    let after = json!({ "name": name, "purpose": purpose });
    tx.event("hook.created", &Subject::hook(key), None, Some(after)).await?;
    let hook = reread(&mut tx, key).await?;
    // The answer to a repetition is kept without the secret.
    tx.commit(()).await?;
    Ok(Made { hook, secret })
}

/// Gives a hook a new secret; the one before is taken for another day.
pub async fn rotate(backend: &Backend, actor: &Actor, id: &str) -> Result<Made> {
    allows(actor, Action::Administer)?;
    let now = backend.now();
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        return Err(tokens::shown_before().into());
    }
    let held = hold(&mut tx, id).await?;
    tx.check_version(held.version)?;
    let secret = Secret::new(backend.entropy());
    sqlx::query!(
        "update hooks set previous_secret = secret, previous_until = $3, secret = $2, version = version + 1,
                updated_at = $4
         where id = $1",
        held.key,
        secret.as_bytes(),
        now.checked_add(OLD_SECRET_VALID).unwrap_or(Timestamp::MAX).to_sqlx(),
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    tx.event("hook.secret_rotated", &Subject::hook(held.key), None, None).await?;
    let hook = reread(&mut tx, held.key).await?;
    tx.commit(()).await?;
    Ok(Made { hook, secret })
}

/// Takes a hook out of use, at once and for good. What came in stays.
pub async fn revoke(backend: &Backend, actor: &Actor, id: &str) -> Result<()> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let held = hold(&mut tx, id).await?;
    tx.check_version(held.version)?;
    let now = backend.now().to_sqlx();
    sqlx::query!(
        "update hooks set revoked_at = $2, version = version + 1, updated_at = $2 where id = $1",
        held.key,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let before = json!({ "name": held.name, "purpose": held.purpose });
    tx.event("hook.revoked", &Subject::hook(held.key), Some(before), None).await?;
    tx.commit(()).await
}

/// A call as it came in, its form checked.
#[derive(Debug, Clone)]
pub struct Incoming<'a> {
    /// Names it for good: the same call never has a second effect.
    pub id: &'a str,
    /// Seconds since 1970 at which it was sent, near to now.
    pub timestamp: i64,
    /// The header with the signatures.
    pub signatures: &'a str,
    /// What was signed.
    pub body: &'a [u8],
}

/// Whether a call is let in.
#[derive(Debug)]
pub enum Received {
    /// It had its effect, now or when it came first: the answer.
    Done(Value),
    /// There is no such hook, or nobody who knows its secret sent this. Which one is not said.
    Unknown,
}

/// Takes a call in: signature, replay, effect and answer in one transaction.
pub async fn receive(backend: &Backend, public_id: &str, call: Incoming<'_>) -> Result<Received> {
    let now = backend.now();
    let hook = find(backend, public_id).await?;
    // For an address that is none the same work is done with secrets that nobody knows.
    let mut secrets = hook.as_ref().map(|(_, secrets)| secrets.valid(now)).unwrap_or_default();
    secrets.resize_with(2, || Secret::new(backend.entropy()));
    let fits = signature::fits(&secrets, call.id, call.timestamp, call.body, call.signatures)?;
    let Some((hook, _)) = hook.filter(|_| fits) else { return Ok(Received::Unknown) };
    for _ in 0..TRIES {
        let mut tx = backend.begin_unsigned().await?;
        if let Some(answer) = take(&mut tx, &hook, &call).await? {
            return Ok(Received::Done(tx.commit(answer).await?));
        }
    }
    Err(Refusal::Busy { retry_after_seconds: 2 }.into())
}

/// Takes a call in whose signature is good; `None`: begin the transaction anew.
async fn take(tx: &mut Tx<'_>, hook: &Hook, call: &Incoming<'_>) -> Result<Option<Value>> {
    let hash = entropy::hash_bytes(call.body);
    let now = tx.now();
    // A parallel call of the same name waits here until the first one is through.
    let first = sqlx::query!(
        "insert into hook_calls (hook_id, webhook_id, body_hash, received_at) values ($1, $2, $3, $4)
         on conflict do nothing",
        hook.key,
        call.id,
        &hash,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    if first.rows_affected() == 0 {
        let earlier = sqlx::query!(
            "select body_hash, answer from hook_calls where hook_id = $1 and webhook_id = $2",
            hook.key,
            call.id,
        )
        .fetch_one(&mut **tx)
        .await?;
        if earlier.body_hash != hash {
            let message = "Another call came under this webhook-id already; give every message an id of its own.";
            return Err(Refusal::conflict(message).into());
        }
        return Ok(Some(earlier.answer.unwrap_or_default()));
    }
    let Some(answer) = act(tx, hook, call.body).await? else { return Ok(None) };
    sqlx::query!(
        "update hook_calls set answer = $3 where hook_id = $1 and webhook_id = $2",
        hook.key,
        call.id,
        answer,
    )
    .execute(&mut **tx)
    .await?;
    Ok(Some(answer))
}

/// Does what the hook is for, in the transaction that takes the call in, and says what is answered. `None`: begin it anew.
async fn act(tx: &mut Tx<'_>, hook: &Hook, body: &[u8]) -> Result<Option<Value>> {
    match hook.purpose {
        Purpose::Incidents => {
            let received = receive::receive_in(tx, &hook.name, body).await?;
            Ok(received.map(|received| json!({ "id": received.id.to_string(), "outcome": received.outcome })))
        }
    }
}

/// The hook at an address with its secrets; nothing when it was revoked.
async fn find(backend: &Backend, public_id: &str) -> Result<Option<(Hook, Secrets)>> {
    if !is_id(public_id) {
        return Ok(None);
    }
    let row = sqlx::query!(
        "select id, public_id, name, purpose, secret, previous_secret, previous_until, version, created_at
         from hooks where public_id = $1 and revoked_at is null",
        public_id,
    )
    .fetch_optional(backend.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let until = row.previous_until.map(jiff_sqlx::Timestamp::to_jiff);
    let secrets = Secrets::read(&row.secret, row.previous_secret.as_deref(), until)?;
    let row = Row {
        id: row.id,
        public_id: row.public_id,
        name: row.name,
        purpose: row.purpose,
        previous_until: row.previous_until,
        version: row.version,
        created_at: row.created_at,
        last_call_at: None,
    };
    Ok(Some((row.hook(backend.now())?, secrets)))
}

struct Row {
    id: i64,
    public_id: String,
    name: String,
    purpose: String,
    previous_until: Option<jiff_sqlx::Timestamp>,
    version: i64,
    created_at: jiff_sqlx::Timestamp,
    last_call_at: Option<jiff_sqlx::Timestamp>,
}

impl Row {
    fn hook(self, now: Timestamp) -> Result<Hook> {
        Ok(Hook {
            key: self.id,
            id: self.public_id,
            name: self.name,
            purpose: Purpose::parse(&self.purpose).map_err(Error::internal)?,
            previous_secret_until: self.previous_until.map(jiff_sqlx::Timestamp::to_jiff).filter(|until| now < *until),
            version: self.version,
            created_at: self.created_at.to_jiff(),
            last_call_at: self.last_call_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
    }
}

/// Whether this can name a hook at all, as the table's check has it. Postgres cannot even be asked about every text.
fn is_id(text: &str) -> bool {
    text.len() == 22 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The hook that works, held until the transaction ends.
async fn hold(tx: &mut Tx<'_>, public_id: &str) -> Result<Hook> {
    if !is_id(public_id) {
        return Err(Refusal::not_found("hook").into());
    }
    let key = sqlx::query_scalar!(
        "select id from hooks where public_id = $1 and revoked_at is null for no key update",
        public_id,
    )
    .fetch_optional(&mut **tx)
    .await?
    .ok_or_else(|| Refusal::not_found("hook"))?;
    reread(tx, key).await
}

async fn reread(tx: &mut Tx<'_>, key: i64) -> Result<Hook> {
    let now = tx.now();
    let row = sqlx::query_as!(
        Row,
        r#"select id, public_id, name, purpose, previous_until, version, created_at,
                  null::timestamptz as "last_call_at: jiff_sqlx::Timestamp"
           from hooks where id = $1"#,
        key,
    )
    .fetch_one(&mut **tx)
    .await?;
    row.hook(now)
}

#[cfg(test)]
mod tests;
