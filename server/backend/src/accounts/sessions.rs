//! Browser sessions: the table behind the cookie, and ending them.
//!
//! The table knows a session only by the SHA-256 of its token. A session ends after [`IDLE`] without use, [`ABSOLUTE`]
//! after it began however busy it is, and at once when its person signs out or is disabled.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::policy::{Action, allows};
use domain::{Actor, PersonId, Refusal, Scopes};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::Serialize;

use crate::{Backend, Error, Result, Subject, Tx};

/// A session that is not used for this long ends.
pub const IDLE: SignedDuration = SignedDuration::from_hours(8);
/// A session ends this long after it began.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Use is written down at most this often.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Characters kept of what the browser calls itself.
const USER_AGENT_CHARS: usize = 400;

/// SHA-256 of a session's token.
pub type TokenHash = [u8; 32];

/// A person who has shown who they are and whose session may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedIn {
    /// Who.
    pub person: PersonId,
    /// SHA-256 of what is kept of the password they came with, if they came with one: the session begins only while it is
    /// still theirs.
    pub password: Option<[u8; 32]>,
}

impl From<PersonId> for SignedIn {
    fn from(person: PersonId) -> Self {
        Self { person, password: None }
    }
}

/// What came of beginning a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It lives.
    Yes,
    /// There is one with this token already.
    TokenTaken,
    /// Its person was kept out or got another password since they showed who they are.
    NoLongerAllowed,
}

/// What is kept of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Who is signed in, if anybody.
    pub person: Option<SignedIn>,
    /// What the web side keeps in it.
    pub data: serde_json::Value,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Where it was begun from.
    pub address: String,
}

/// A living session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Who is signed in, if anybody.
    pub person_id: Option<PersonId>,
    /// What the web side keeps in it.
    pub data: serde_json::Value,
    /// When it ends unless it is used.
    pub expires_at: Timestamp,
}

/// A session as its person sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Session {
    /// Names it when it is to be ended; says nothing about its token.
    pub id: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Where it was begun from.
    pub address: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Begins a session. Whoever ends a person's access at the same moment waits for it and then finds it, or is waited for:
/// no session outlives [`super::people::end_access`].
pub async fn create(backend: &Backend, token: &TokenHash, content: &Content) -> Result<Begun> {
    let now = backend.now();
    let password = content.person.and_then(|signed_in| signed_in.password);
    let done = sqlx::query!(
        "with allowed as (
           select id from people
            where id = $2 and disabled_at is null
              and ($8::bytea is null or sha256(convert_to(password_hash, 'UTF8')) = $8)
              for share
         )
         insert into sessions (token_hash, person_id, data, created_at, last_seen_at, expires_at, user_agent, address)
         select $1, $2, $3, $4, $4, $5, $6, $7 where $2::bigint is null or exists (select from allowed)
         on conflict do nothing",
        token,
        content.person.map(|signed_in| signed_in.person),
        content.data,
        now.to_sqlx(),
        later(now, IDLE).to_sqlx(),
        content.user_agent.chars().take(USER_AGENT_CHARS).collect::<String>(),
        content.address.chars().take(64).collect::<String>(),
        password.as_ref().map(|hash| &hash[..]),
    )
    .execute(backend.pool())
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Begun::Yes);
    }
    let there =
        sqlx::query_scalar!(r#"select exists (select from sessions where token_hash = $1) as "there!""#, token,);
    let there = there.fetch_one(backend.pool()).await?;
    Ok(if there { Begun::TokenTaken } else { Begun::NoLongerAllowed })
}

/// Keeps new content for a living session; false when it has ended meanwhile: an ended session never comes back.
pub async fn save(
    backend: &Backend,
    token: &TokenHash,
    person: Option<PersonId>,
    data: &serde_json::Value,
) -> Result<bool> {
    let done = sqlx::query!(
        "update sessions set person_id = $2, data = $3 where token_hash = $1 and expires_at > $4",
        token,
        person,
        data,
        backend.now().to_sqlx(),
    )
    .execute(backend.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The session with this token while it lives, and notes that it was used.
pub async fn load(backend: &Backend, token: &TokenHash) -> Result<Option<SessionRow>> {
    let now = backend.now();
    let row = sqlx::query!(
        "select person_id, data, last_seen_at, expires_at from sessions
          where token_hash = $1 and expires_at > $2
            and not exists (select from people where id = sessions.person_id and disabled_at is not null)",
        token,
        now.to_sqlx(),
    )
    .fetch_optional(backend.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let mut expires_at = row.expires_at.to_jiff();
    if now.duration_since(row.last_seen_at.to_jiff()) >= TOUCH_EVERY {
        expires_at = touch(backend, token).await?.unwrap_or(expires_at);
    }
    Ok(Some(SessionRow { person_id: row.person_id, data: row.data, expires_at }))
}

/// Those of these sessions that live, with their people as they are now. Does not note that they are used: a page that
/// only listens keeps nobody signed in.
pub async fn living(backend: &Backend, tokens: &[TokenHash]) -> Result<HashMap<TokenHash, Actor>> {
    let tokens: Vec<_> = tokens.iter().map(|token| token.to_vec()).collect();
    let rows = sqlx::query!(
        r#"select sessions.token_hash, people.id, people.email, people.name, people.role, people.time_zone,
                  array(select team_id from team_members where person_id = people.id order by team_id) as "teams!"
             from sessions join people on people.id = sessions.person_id
            where sessions.token_hash = any($1) and sessions.expires_at > $2 and people.disabled_at is null"#,
        &tokens,
        backend.now().to_sqlx(),
    )
    .fetch_all(backend.pool())
    .await?;
    let mut living = HashMap::with_capacity(rows.len());
    for row in rows {
        let actor = Actor {
            id: row.id,
            email: row.email,
            name: row.name,
            role: super::role(&row.role)?,
            teams: row.teams,
            scopes: Scopes::ALL,
            time_zone: row.time_zone,
        };
        let token = TokenHash::try_from(row.token_hash).map_err(|_| Error::internal("a token's hash has 32 bytes"))?;
        living.insert(token, actor);
    }
    Ok(living)
}

/// Notes that a session is used now; its new end, or `None` when it has ended.
pub async fn touch(backend: &Backend, token: &TokenHash) -> Result<Option<Timestamp>> {
    let now = backend.now();
    let expires_at = sqlx::query_scalar!(
        "update sessions set last_seen_at = $2, expires_at = least($3, created_at + make_interval(secs => $4))
          where token_hash = $1 and expires_at > $2
         returning expires_at",
        token,
        now.to_sqlx(),
        later(now, IDLE).to_sqlx(),
        ABSOLUTE.as_secs_f64(),
    )
    .fetch_optional(backend.pool())
    .await?;
    Ok(expires_at.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Ends the session with this token: signing out.
pub async fn delete(backend: &Backend, token: &TokenHash) -> Result<()> {
    sqlx::query!("delete from sessions where token_hash = $1", token).execute(backend.pool()).await?;
    Ok(())
}

/// Removes sessions that have ended by themselves; returns how many. For a job that runs now and then.
pub async fn delete_expired(backend: &Backend) -> Result<u64> {
    let done = sqlx::query!("delete from sessions where expires_at <= $1", backend.now().to_sqlx())
        .execute(backend.pool())
        .await?;
    Ok(done.rows_affected())
}

/// One's own living sessions, the last used first; `current` is the one that asks.
pub async fn list(backend: &Backend, actor: &Actor, current: Option<&TokenHash>) -> Result<Vec<Session>> {
    allows(actor, Action::Read)?;
    let rows = sqlx::query!(
        "select token_hash, user_agent, address, created_at, last_seen_at from sessions
          where person_id = $1 and expires_at > $2 order by last_seen_at desc, created_at desc",
        actor.id,
        backend.now().to_sqlx(),
    )
    .fetch_all(backend.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Session {
            id: URL_SAFE_NO_PAD.encode(&row.token_hash),
            current: current.is_some_and(|current| current[..] == row.token_hash[..]),
            user_agent: row.user_agent,
            address: row.address,
            created_at: row.created_at.to_jiff(),
            last_seen_at: row.last_seen_at.to_jiff(),
        })
        .collect())
}

/// Ends one of one's own sessions, by its id in the list.
pub async fn end(backend: &Backend, actor: &Actor, id: &str) -> Result<()> {
    allows(actor, Action::ManageOwnAccount)?;
    let token = URL_SAFE_NO_PAD.decode(id).map_err(|_| Refusal::not_found("session"))?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let done = sqlx::query!("delete from sessions where token_hash = $1 and person_id = $2", token, actor.id)
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() == 0 {
        return Err(Refusal::not_found("session").into());
    }
    tx.event("session.ended", &Subject::person(&actor.email), None, None).await?;
    tx.commit(()).await
}

/// Ends one's own sessions but for `keep`: signing out everywhere else, or everywhere. Returns how many.
pub async fn end_others(backend: &Backend, actor: &Actor, keep: Option<&TokenHash>) -> Result<u64> {
    allows(actor, Action::ManageOwnAccount)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let ended = delete_of(&mut tx, actor.id, keep).await?;
    let after = serde_json::json!({ "sessions_ended": ended });
    tx.event("session.ended", &Subject::person(&actor.email), None, Some(after)).await?;
    tx.commit(ended).await
}

/// Ends every session and revokes every token of a person.
pub async fn end_all_of(backend: &Backend, actor: &Actor, email: &str) -> Result<()> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let person = super::people::lock(&mut tx, email).await?;
    let ended = super::people::end_access(&mut tx, person.id, backend.now()).await?;
    tx.event("session.ended", &Subject::person(&person.email), None, Some(ended)).await?;
    tx.commit(()).await
}

/// Deletes the sessions of a person but for `keep`; returns how many.
pub(super) async fn delete_of(tx: &mut Tx<'_>, person: PersonId, keep: Option<&TokenHash>) -> Result<u64> {
    let done = sqlx::query!(
        "delete from sessions where person_id = $1 and ($2::bytea is null or token_hash <> $2)",
        person,
        keep.map(|hash| &hash[..]),
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
