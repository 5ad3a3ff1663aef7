//! Server functions about one's own account.

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]
#![cfg_attr(feature = "ssr", expect(clippy::unused_async, reason = "server functions are async, waiting or not"))]

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session::{self, Theme},
    crate::ui::Done,
    crate::urls,
    backend::Expected,
    backend::accounts::{invitations, passwords, people, sessions, sign_in as sign_ins, tokens},
    backend::notices::preferences,
};

/// Signs in and goes on to `next`.
#[server(prefix = "/do", endpoint = "account/sign-in")]
pub async fn sign_in(email: String, password: String, next: Option<String>) -> Result<(), AppError> {
    let visit = session::visit();
    let signed_in = sign_ins::sign_in(&visit.backend, &email, &password, visit.address.parse().ok()).await?;
    session::begin(signed_in).await?;
    session::redirect(&next.filter(|next| session::is_own_path(next)).unwrap_or_else(urls::home));
    Ok(())
}

/// Ends this session.
#[server(prefix = "/do", endpoint = "account/sign-out")]
pub async fn sign_out() -> Result<(), AppError> {
    session::end().await?;
    session::done(&urls::sign_in(None), Done::SignedOut);
    Ok(())
}

/// Makes the first admin, through the link in the log.
#[server(prefix = "/do", endpoint = "account/set-up")]
pub async fn set_up(
    secret: String,
    email: String,
    name: String,
    password: String,
    time_zone: Option<String>,
) -> Result<(), AppError> {
    let input = invitations::Acceptance { email: Some(email), name, password, time_zone };
    join(&secret, input).await
}

/// Makes the account that an invitation is for.
#[server(prefix = "/do", endpoint = "account/accept-invitation")]
pub async fn accept_invitation(
    secret: String,
    name: String,
    password: String,
    time_zone: Option<String>,
) -> Result<(), AppError> {
    let input = invitations::Acceptance { email: None, name, password, time_zone };
    join(&secret, input).await
}

/// Chooses colours: `system`, `light` or `dark`; kept in a cookie so that the first byte of a page knows.
#[server(prefix = "/do", endpoint = "account/set-theme")]
pub async fn set_theme(theme: String, next: Option<String>) -> Result<(), AppError> {
    session::keep_theme(Theme::parse(&theme));
    session::redirect(&next.unwrap_or_else(urls::account));
    Ok(())
}

/// Changes one's name and time zone.
#[server(prefix = "/do", endpoint = "account/edit")]
pub async fn edit(name: String, time_zone: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    people::edit_own(&backend, &actor, &name, &time_zone).await?;
    session::done(&urls::account(), Done::Saved);
    Ok(())
}

/// Chooses what one is told: by kind `both`, `inbox`, `mail` or `none`.
#[server(prefix = "/do", endpoint = "account/edit-notices")]
pub async fn edit_notices(
    version: i64,
    #[server(default)] channels: BTreeMap<String, String>,
    quiet_from: Option<String>,
    quiet_until: Option<String>,
    digest: Option<bool>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let channels = channels.into_iter().map(|(kind, word)| Ok((kind.clone(), channels_of(&kind, &word)?)));
    let change = preferences::Change {
        channels: channels.collect::<Result<_, AppError>>()?,
        quiet: Some((quiet_from.unwrap_or_default(), quiet_until.unwrap_or_default())),
        digest: Some(digest.unwrap_or(false)),
    };
    preferences::put(&backend, &actor, Expected::Version(version), change).await?;
    session::done(&urls::notice_preferences(), Done::Saved);
    Ok(())
}

/// Changes one's password and signs out everywhere else.
#[server(prefix = "/do", endpoint = "account/change-password")]
pub async fn change_password(current_password: String, new_password: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let keep = session::token_hash().await?;
    passwords::change_own(&backend, &actor, &current_password, &new_password, keep.as_ref()).await?;
    session::done(&urls::account(), Done::PasswordChanged);
    Ok(())
}

/// Ends one of one's sessions.
#[server(prefix = "/do", endpoint = "account/end-session")]
pub async fn end_session(session: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    sessions::end(&backend, &actor, &session).await?;
    session::done(&urls::account_part("sessions"), Done::SessionEnded);
    Ok(())
}

/// Signs out everywhere else.
#[server(prefix = "/do", endpoint = "account/end-other-sessions")]
pub async fn end_other_sessions() -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let keep = session::token_hash().await?;
    sessions::end_others(&backend, &actor, keep.as_ref()).await?;
    session::done(&urls::account_part("sessions"), Done::SessionsEnded);
    Ok(())
}

/// Makes a token for the REST API; the page then shows it once. `reach` is the widest scope.
#[server(prefix = "/do", endpoint = "account/create-token")]
pub async fn create_token(name: String, reach: String, days: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let input = new_token(name, &reach, days.as_deref())?;
    let token = tokens::create(&backend, &actor, &actor.email, input).await?;
    session::show_once(session::NEW_TOKEN, &token).await?;
    session::redirect(&urls::account_part("tokens"));
    Ok(())
}

/// Revokes one of one's tokens.
#[server(prefix = "/do", endpoint = "account/revoke-token")]
pub async fn revoke_token(token: i64) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    tokens::revoke(&backend, &actor, token).await?;
    session::done(&urls::account_part("tokens"), Done::TokenRevoked);
    Ok(())
}

/// Makes the account and signs it in. A link that was used is most often a button pressed twice, whose first answer the
/// browser never looked at: the account is there, and the way in is the sign-in page.
#[cfg(feature = "ssr")]
async fn join(secret: &str, input: invitations::Acceptance) -> Result<(), AppError> {
    match invitations::accept(&session::visit().backend, secret, input).await {
        Ok(person) => {
            session::begin(person.into()).await?;
            session::done(&urls::home(), Done::Joined);
        }
        Err(backend::Error::Refused(domain::Refusal::Conflict { message })) if message == invitations::ALREADY_USED => {
            session::done(&urls::sign_in(None), Done::JoinedAlready);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Where a kind of notice comes, in the form's word.
#[cfg(feature = "ssr")]
fn channels_of(kind: &str, word: &str) -> Result<preferences::Channels, AppError> {
    let (inbox, mail) = match word {
        "both" => (true, true),
        "inbox" => (true, false),
        "mail" => (false, true),
        "none" => (false, false),
        _ => return Err(domain::Refusal::field(format!("channels[{kind}]"), "Choose one of the four.").into()),
    };
    Ok(preferences::Channels { inbox, mail })
}

/// What the form says, as the use case wants it.
#[cfg(feature = "ssr")]
fn new_token(name: String, reach: &str, days: Option<&str>) -> Result<tokens::NewToken, AppError> {
    let scopes: &[&str] = match reach {
        "read" => &["read"],
        "write" => &["read", "write"],
        "admin" => &["read", "write", "admin"],
        _ => return Err(domain::Refusal::field("reach", "Choose how far the token reaches.").into()),
    };
    let days = match days.map(str::trim).filter(|days| !days.is_empty()) {
        None => None,
        Some(days) => Some(days.parse().map_err(|_| domain::Refusal::field("days", "Give a number of days."))?),
    };
    Ok(tokens::NewToken { name, scopes: scopes.iter().map(ToString::to_string).collect(), days })
}
