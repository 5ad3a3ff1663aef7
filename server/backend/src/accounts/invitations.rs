//! Links by which people join, and the setup link by which the first admin does.
//!
//! A link works once and for [`VALID`]. Only its hash is kept. The setup link of a fresh installation is an invitation
//! without an address; it dies with the first admin, however they came to be.

use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, PersonId, Refusal, Role, limits, text};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::Serialize;
use serde_json::json;

use super::people::{self, Insert};
use super::{TeamRef, passwords, role, team_id, tokens};
use crate::{Backend, OnConstraint, Result, Subject, Tx, entropy};

/// How long a link works.
pub const VALID: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is said about a link that has done its work.
pub const ALREADY_USED: &str = "This link was already used. If it was you, sign in with your password.";

/// Whom an admin invites.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Their address.
    pub email: String,
    /// The role they will have.
    pub role: Role,
    /// A team they join, by slug.
    pub team: Option<String>,
}

/// An invitation that waits to be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// Names it when it is to be withdrawn.
    pub id: i64,
    /// Who is invited; nobody yet for the setup link.
    pub email: Option<String>,
    /// The role they will have.
    pub role: Role,
    /// The team they join.
    pub team: Option<TeamRef>,
    /// The name of who invited them.
    pub invited_by: Option<String>,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

/// What an invited person chooses.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// Their address; asked only by the setup link, otherwise the invitation's holds.
    pub email: Option<String>,
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: String,
    /// IANA name of their zone; UTC when absent.
    pub time_zone: Option<String>,
}

/// Invites somebody; returns the secret for the link, which is kept nowhere. An earlier link to the same address stops
/// working.
pub async fn create(backend: &Backend, actor: &Actor, input: NewInvitation) -> Result<String> {
    allows(actor, Action::Administer)?;
    let email = text::email("email", &input.email)?;
    let now = backend.now();
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        return Err(tokens::shown_before().into());
    }
    let team = match &input.team {
        Some(slug) => Some(team_id(&mut tx, "team", slug).await?),
        None => None,
    };
    let known = sqlx::query_scalar!("select id from people where email = $1::text::citext", email)
        .fetch_optional(&mut *tx)
        .await?;
    if known.is_some() {
        return Err(Refusal::field("email", "There is already an account with this address.").into());
    }
    sqlx::query!(
        "update invitations set withdrawn_at = $2 where email = $1::text::citext and accepted_at is null and withdrawn_at is null",
        email,
        now.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let secret = entropy::secret(backend.entropy());
    sqlx::query!(
        "insert into invitations (token_hash, email, role, team_id, invited_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        &entropy::hash(&secret),
        email,
        input.role.as_str(),
        team,
        actor.recorded_as(),
        now.to_sqlx(),
        valid_until(now).to_sqlx(),
    )
    .execute(&mut *tx)
    .await
    .on_constraint("invitations_one_open_per_email", || {
        Refusal::conflict("Somebody else is inviting this address at this moment.")
    })?;
    let after = json!({ "role": input.role, "team": input.team });
    tx.event("person.invited", &Subject::person(&email), None, Some(after)).await?;
    // The answer to a repetition is kept without the secret: what is in the database lets nobody in.
    tx.commit(()).await?;
    Ok(secret)
}

/// The invitations that wait, the newest first; without the setup link.
pub async fn list(backend: &Backend, actor: &Actor) -> Result<Vec<Invitation>> {
    allows(actor, Action::Administer)?;
    let rows = sqlx::query!(
        r#"select invitations.id, invitations.email as "email!", invitations.role, expires_at,
                  teams.slug as "team_slug?", teams.name as "team_name?", people.name as "invited_by?"
             from invitations left join teams on teams.id = team_id left join people on people.id = invited_by
            where accepted_at is null and withdrawn_at is null and expires_at > $1 and invitations.email is not null
            order by invitations.id desc"#,
        backend.now().to_sqlx(),
    )
    .fetch_all(backend.pool())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Invitation {
                id: row.id,
                email: Some(row.email),
                role: role(&row.role)?,
                team: team(row.team_slug, row.team_name),
                invited_by: row.invited_by,
                expires_at: row.expires_at.to_jiff(),
            })
        })
        .collect()
}

/// Takes an invitation back: its link stops working.
pub async fn withdraw(backend: &Backend, actor: &Actor, id: i64) -> Result<()> {
    allows(actor, Action::Administer)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let email = sqlx::query_scalar!(
        r#"update invitations set withdrawn_at = $2
            where id = $1 and email is not null and accepted_at is null and withdrawn_at is null
           returning email as "email!""#,
        id,
        backend.now().to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Refusal::not_found("open invitation"))?;
    tx.event("person.invitation_withdrawn", &Subject::person(&email), None, None).await?;
    tx.commit(()).await
}

/// The invitation behind a link, or why the link does not work.
pub async fn open(backend: &Backend, secret: &str) -> Result<Invitation> {
    let row = sqlx::query!(
        r#"select invitations.id, invitations.email, invitations.role, expires_at, accepted_at, withdrawn_at,
                  teams.slug as "team_slug?", teams.name as "team_name?", people.name as "invited_by?"
             from invitations left join teams on teams.id = team_id left join people on people.id = invited_by
            where token_hash = $1"#,
        &entropy::hash(secret),
    )
    .fetch_optional(backend.pool())
    .await?
    .ok_or_else(|| Refusal::not_found("invitation"))?;
    still_works(row.accepted_at.is_some(), row.withdrawn_at.is_some(), row.expires_at.to_jiff() <= backend.now())?;
    Ok(Invitation {
        id: row.id,
        email: row.email,
        role: role(&row.role)?,
        team: team(row.team_slug, row.team_name),
        invited_by: row.invited_by,
        expires_at: row.expires_at.to_jiff(),
    })
}

/// Accepts an invitation: makes the account and returns its person. Of two at the same time one gets it.
pub async fn accept(backend: &Backend, secret: &str, input: Acceptance) -> Result<PersonId> {
    let invitation = open(backend, secret).await?;
    let chosen = invitation.email.as_deref().or(input.email.as_deref()).unwrap_or_default();
    let mut fields = Fields::default();
    let email = fields.take(text::email("email", chosen))?;
    let name = fields.take(text::line("name", "Your name", &input.name, limits::NAME_CHARS))?;
    let zone = input.time_zone.as_deref().unwrap_or("UTC");
    let time_zone = fields.take(people::time_zone(zone))?;
    fields.take(passwords::check("password", &input.password, &[&input.name, chosen]))?;
    let (email, name, time_zone) = fields.finish((email, name, time_zone))?;
    let password_hash = Some(passwords::hash(backend, &input.password).await?);

    let now = backend.now();
    let mut tx = backend.begin_unsigned().await?;
    if invitation.email.is_none() {
        // The setup link and another way to the first admin wait for each other; whoever comes second finds it used.
        people::lock_admins(&mut tx).await?;
    }
    let row = sqlx::query!(
        "select role, team_id, accepted_at, withdrawn_at, expires_at from invitations where id = $1 for update",
        invitation.id,
    )
    .fetch_one(&mut *tx)
    .await?;
    still_works(row.accepted_at.is_some(), row.withdrawn_at.is_some(), row.expires_at.to_jiff() <= now)?;
    sqlx::query!("update invitations set accepted_at = $2 where id = $1", invitation.id, now.to_sqlx())
        .execute(&mut *tx)
        .await?;
    let person = Insert { email, name, role: role(&row.role)?, time_zone, password_hash, team: row.team_id };
    let id = people::insert(&mut tx, now, &person).await?;
    tx.event("person.created", &Subject::person(&person.email), None, Some(person.snapshot())).await?;
    tx.commit(id).await
}

/// The secret of a fresh setup link, replacing any earlier one; `None` once there is an admin.
pub async fn setup_link(backend: &Backend) -> Result<Option<String>> {
    let now = backend.now();
    let mut tx = backend.begin_unsigned().await?;
    people::lock_admins(&mut tx).await?;
    let set_up = sqlx::query_scalar!(r#"select exists (select from people where role = 'admin') as "exists!""#)
        .fetch_one(&mut *tx)
        .await?;
    if set_up {
        return Ok(None);
    }
    withdraw_setup(&mut tx, now).await?;
    let secret = entropy::secret(backend.entropy());
    sqlx::query!(
        "insert into invitations (token_hash, role, created_at, expires_at) values ($1, 'admin', $2, $3)",
        &entropy::hash(&secret),
        now.to_sqlx(),
        valid_until(now).to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    tx.commit(()).await?;
    Ok(Some(secret))
}

/// Ends every setup link that was not accepted.
pub(super) async fn withdraw_setup(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "update invitations set withdrawn_at = $1
          where email is null and accepted_at is null and withdrawn_at is null",
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn still_works(accepted: bool, withdrawn: bool, expired: bool) -> Result<(), Refusal> {
    if accepted {
        return Err(Refusal::conflict(ALREADY_USED));
    }
    if withdrawn {
        return Err(Refusal::conflict("This link does not work any more. Ask an admin for a new one."));
    }
    if expired {
        return Err(Refusal::conflict("This link has expired. Ask an admin for a new one."));
    }
    Ok(())
}

fn team(slug: Option<String>, name: Option<String>) -> Option<TeamRef> {
    Some(TeamRef { slug: slug?, name: name? })
}

fn valid_until(now: Timestamp) -> Timestamp {
    now.checked_add(VALID).unwrap_or(Timestamp::MAX)
}
