//! Accounts: people, their teams, and every way in.
//!
//! | file | what it holds |
//! |---|---|
//! | [`people`] | list, create, change, disable people; one's own name and time zone |
//! | [`teams`] | teams and who belongs to them |
//! | [`passwords`] | hashing, the rules for a good password, changing and resetting it |
//! | [`sign_in`] | address and password to a person, without telling who has an account |
//! | `throttle` | how many tries sign-in gives |
//! | [`sessions`] | browser sessions: the table behind the cookie, and ending them |
//! | [`tokens`] | bearer tokens for the API |
//! | `concerns` | whom the events of accounts concern |
//! | [`invitations`] | links by which people join, and the setup link of a fresh installation |

pub(crate) mod concerns;
pub mod invitations;
pub mod passwords;
pub mod people;
pub mod sessions;
pub mod sign_in;
pub mod teams;
#[cfg(test)]
mod tests;
mod throttle;
pub mod tokens;

use domain::{Actor, PersonId, Refusal, Role, Scopes};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::{Backend, Error, Result};

pub use sign_in::sign_in;

/// A team, as other things name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamRef {
    /// Its slug, which names it in the API.
    pub slug: String,
    /// Its name, as shown.
    pub name: String,
}

/// The person as an actor with every scope; `None` when there is no such person or they are disabled.
pub async fn actor_of(backend: &Backend, person: PersonId) -> Result<Option<Actor>> {
    let row = sqlx::query!(
        r#"select email, name, role, time_zone,
                  array(select team_id from team_members where person_id = people.id order by team_id) as "teams!"
             from people where id = $1 and disabled_at is null"#,
        person,
    )
    .fetch_optional(backend.pool())
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Actor {
        id: person,
        email: row.email,
        name: row.name,
        role: role(&row.role)?,
        teams: row.teams,
        scopes: Scopes::ALL,
        time_zone: row.time_zone,
    }))
}

/// The person with this address as an actor, for commands that act `--as` somebody; refused when there is no such
/// person or they are disabled.
pub async fn actor_by_email(backend: &Backend, email: &str) -> Result<Actor> {
    let missing = || Refusal::not_found(format!("person as {email}, or they are disabled"));
    let address = domain::text::email("email", email)?;
    let id = sqlx::query_scalar!("select id from people where email = $1::text::citext", address)
        .fetch_optional(backend.pool())
        .await?
        .ok_or_else(missing)?;
    Ok(actor_of(backend, id).await?.ok_or_else(missing)?)
}

/// Reads a role's word from the database.
pub(crate) fn role(word: &str) -> Result<Role> {
    Role::parse(word).ok_or_else(|| Error::internal(format!("the database holds the unknown role {word:?}")))
}

/// The id of the team called `slug`, refused in words for the field `field`.
pub(crate) async fn team_id(connection: &mut PgConnection, field: &str, slug: &str) -> Result<i64> {
    let unknown = || Refusal::field(field, format!("There is no team called \"{slug}\"."));
    domain::text::slug(field, "The team", slug).map_err(|_| unknown())?;
    let id = sqlx::query_scalar!("select id from teams where slug = $1", slug).fetch_optional(connection).await?;
    Ok(id.ok_or_else(unknown)?)
}
