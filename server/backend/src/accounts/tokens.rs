//! Bearer tokens for the REST API: shown once, kept as a hash.

use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, Refusal, Scopes, limits, text};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::Serialize;

use super::people;
use crate::{Backend, Result, Subject, entropy};

/// Every token begins with this, so that it is recognised where it leaked.
const PREFIX: &str = "plb_";
/// Characters of a token kept to recognise it in a list.
const SHOWN_CHARS: usize = 12;
/// A token lives at most this many days; without a number it does not end.
const DAYS_MAX: i64 = 3650;
/// Use is written down at most this often.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// The words for scopes, as the API and the table know them.
pub const SCOPES: [&str; 3] = ["read", "write", "admin"];

/// A token that is wanted.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// What it is for, in its owner's words.
    pub name: String,
    /// `read`, `write`, `admin`. More than the owner's role allows is no error and gives nothing.
    pub scopes: Vec<String>,
    /// Days until it ends; never when absent.
    pub days: Option<i64>,
}

/// A token as its owner sees it in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    /// Names it when it is to be revoked.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// `read`, `write`, `admin`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// Makes a token for the person with this address and returns it: the only time that anybody sees it. One's own, or an
/// admin another's.
pub async fn create(backend: &Backend, actor: &Actor, owner: &str, input: NewToken) -> Result<String> {
    allows(actor, Action::ManageOwnAccount)?;
    if !same_address(owner, &actor.email) {
        allows(actor, Action::Administer)?;
    }
    let mut fields = Fields::default();
    let name = fields.take(text::line("name", "The name", &input.name, limits::NAME_CHARS))?;
    let scopes = fields.take(parse_scopes(&input.scopes))?;
    if input.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        fields.complain("days", format!("Choose 1 to {DAYS_MAX} days, or none for a token that does not end."));
    }
    let (name, scopes) = fields.finish((name, scopes))?;
    let wanted = Scopes::from_words(scopes.iter().copied());
    if (wanted.write && !actor.scopes.write) || (wanted.admin && !actor.scopes.admin) {
        return Err(Refusal::not_allowed("A token cannot make another one that reaches further than itself.").into());
    }

    let now = backend.now();
    let secret = format!("{PREFIX}{}", entropy::secret(backend.entropy()));
    let expires_at =
        input.days.map(|days| now.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX));
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        return Err(shown_before().into());
    }
    let person = people::lock(&mut tx, owner).await?;
    if person.disabled {
        return Err(Refusal::conflict("This person is disabled; enable them before making a token.").into());
    }
    let scopes: Vec<String> = scopes.into_iter().map(str::to_owned).collect();
    sqlx::query!(
        "insert into api_tokens (person_id, name, token_hash, prefix, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        person.id,
        name,
        &entropy::hash(&secret),
        &secret[..SHOWN_CHARS],
        &scopes,
        now.to_sqlx(),
        expires_at.map(ToSqlx::to_sqlx),
    )
    .execute(&mut *tx)
    .await?;
    let after = serde_json::json!({ "name": name, "scopes": scopes, "expires_at": expires_at });
    tx.event("token.created", &Subject::person(&person.email), None, Some(after)).await?;
    // The answer to a repetition is kept without the secret: what is in the database lets nobody in.
    tx.commit(()).await?;
    Ok(secret)
}

/// One's own tokens that still work, the newest first.
pub async fn list(backend: &Backend, actor: &Actor) -> Result<Vec<Token>> {
    allows(actor, Action::Read)?;
    let rows = sqlx::query!(
        "select id, name, prefix, scopes, created_at, expires_at, last_used_at from api_tokens
          where person_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)
          order by created_at desc, id desc",
        actor.id,
        backend.now().to_sqlx(),
    )
    .fetch_all(backend.pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Token {
            id: row.id,
            name: row.name,
            prefix: row.prefix,
            scopes: row.scopes,
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.map(jiff_sqlx::Timestamp::to_jiff),
            last_used_at: row.last_used_at.map(jiff_sqlx::Timestamp::to_jiff),
        })
        .collect())
}

/// Revokes one of one's own tokens, at once.
pub async fn revoke(backend: &Backend, actor: &Actor, id: i64) -> Result<()> {
    allows(actor, Action::ManageOwnAccount)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let name = sqlx::query_scalar!(
        "update api_tokens set revoked_at = $3 where id = $1 and person_id = $2 and revoked_at is null returning name",
        id,
        actor.id,
        backend.now().to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Refusal::not_found("token"))?;
    let before = serde_json::json!({ "name": name });
    tx.event("token.revoked", &Subject::person(&actor.email), Some(before), None).await?;
    tx.commit(()).await
}

/// Whose token this is, with its scopes; `None` when it never was one, is revoked, has ended, or its owner is disabled.
pub async fn actor_by_token(backend: &Backend, token: &str) -> Result<Option<Actor>> {
    if !token.starts_with(PREFIX) {
        return Ok(None);
    }
    let now = backend.now();
    let row = sqlx::query!(
        r#"select api_tokens.id as token, scopes, last_used_at, people.id, email, people.name, role, time_zone,
                  array(select team_id from team_members where person_id = people.id order by team_id) as "teams!"
             from api_tokens join people on people.id = person_id
            where token_hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)
              and disabled_at is null"#,
        &entropy::hash(token),
        now.to_sqlx(),
    )
    .fetch_optional(backend.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let unused = row.last_used_at.is_none_or(|last| now.duration_since(last.to_jiff()) >= TOUCH_EVERY);
    if unused {
        sqlx::query!("update api_tokens set last_used_at = $2 where id = $1", row.token, now.to_sqlx())
            .execute(backend.pool())
            .await?;
    }
    Ok(Some(Actor {
        id: row.id,
        email: row.email,
        name: row.name,
        role: super::role(&row.role)?,
        teams: row.teams,
        scopes: Scopes::from_words(row.scopes.iter().map(String::as_str)),
        time_zone: row.time_zone,
    }))
}

/// Whether two addresses name the same person, as far as that can be told without the database.
fn same_address(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

fn parse_scopes(words: &[String]) -> Result<Vec<&'static str>, Refusal> {
    if let Some(unknown) = words.iter().find(|word| !SCOPES.contains(&word.as_str())) {
        let message = format!("There is no scope \"{unknown}\"; there are {}.", SCOPES.join(", "));
        return Err(Refusal::field("scopes", message));
    }
    let scopes: Vec<_> = SCOPES.into_iter().filter(|scope| words.iter().any(|word| word == scope)).collect();
    if scopes.is_empty() {
        return Err(Refusal::field("scopes", format!("Choose at least one of {}.", SCOPES.join(", "))));
    }
    Ok(scopes)
}

/// The refusal for a repeated request whose answer was a secret.
pub(crate) fn shown_before() -> Refusal {
    Refusal::conflict("This was done before and its secret was shown then; it is not kept. Make a new one.")
}
