//! Server functions about other people and teams. Admins only, says the policy.

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session,
    crate::ui::Done,
    crate::urls,
    backend::accounts::invitations::{self, NewInvitation},
    backend::accounts::teams::{self, TeamInput},
    backend::accounts::{people, sessions},
    backend::version::Expected,
    domain::{Refusal, Role, text},
};

/// Makes an invitation; the page then shows its link once.
#[server(prefix = "/do", endpoint = "people/invite")]
pub async fn invite(email: String, role: String, team: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let team = team.filter(|team| !team.is_empty());
    let secret = invitations::create(&backend, &actor, NewInvitation { email, role: parse_role(&role)?, team }).await?;
    let link = format!("{}{}", session::visit().base_url, urls::invitation(&secret));
    session::show_once(session::NEW_INVITATION, &link).await?;
    session::done(&urls::invitations(), Done::Invited);
    Ok(())
}

/// Takes an invitation back: its link is worth nothing from now on.
#[server(prefix = "/do", endpoint = "people/withdraw-invitation")]
pub async fn withdraw_invitation(invitation: i64) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    invitations::withdraw(&backend, &actor, invitation).await?;
    session::done(&urls::invitations(), Done::InvitationWithdrawn);
    Ok(())
}

/// Changes what a person may do.
#[server(prefix = "/do", endpoint = "people/change-role")]
pub async fn change_role(email: String, role: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let role = parse_role(&role)?;
    let before = people::get(&backend, &actor, &email).await?.role;
    people::change_role(&backend, &actor, &email, role).await?;
    session::done(&urls::person(&email), if before == role { Done::RoleKept } else { Done::RoleChanged });
    Ok(())
}

/// Keeps a person out; their sessions and tokens end at once.
#[server(prefix = "/do", endpoint = "people/disable")]
pub async fn disable(email: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    people::disable(&backend, &actor, &email).await?;
    session::done(&urls::person(&email), Done::Disabled);
    Ok(())
}

/// Lets a person in again.
#[server(prefix = "/do", endpoint = "people/enable")]
pub async fn enable(email: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    people::enable(&backend, &actor, &email).await?;
    session::done(&urls::person(&email), Done::Enabled);
    Ok(())
}

/// Signs a person out everywhere and ends their tokens.
#[server(prefix = "/do", endpoint = "people/end-sessions")]
pub async fn end_sessions(email: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    sessions::end_all_of(&backend, &actor, &email).await?;
    session::done(&urls::person(&email), Done::AccessEnded);
    Ok(())
}

/// Makes a team.
#[server(prefix = "/do", endpoint = "people/create-team")]
pub async fn create_team(name: String, slug: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let slug = slug.filter(|slug| !slug.is_empty()).unwrap_or_else(|| text::slugify(&name, "team"));
    let (team, _) = teams::put(&backend, &actor, &slug, Expected::Absent, TeamInput { name, members: None }).await?;
    session::done(&urls::team(&team.slug), Done::Created);
    Ok(())
}

/// Changes a team's name and members. `members` holds one address a line.
#[server(prefix = "/do", endpoint = "people/edit-team")]
pub async fn edit_team(slug: String, version: i64, name: String, members: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let members = members.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let input = TeamInput { name, members: Some(members) };
    teams::put(&backend, &actor, &slug, Expected::Version(version), input).await?;
    session::done(&urls::team(&slug), Done::Saved);
    Ok(())
}

#[cfg(feature = "ssr")]
fn parse_role(word: &str) -> Result<Role, Refusal> {
    Role::parse(word).ok_or_else(|| Refusal::field("role", "Choose a role."))
}
