//! Who is asking, and the one way to redirect. Only for the server.

use std::sync::Arc;

use backend::accounts::sessions::SignedIn;
use backend::{Backend, entropy};
use domain::{Actor, Refusal};
use http::{HeaderMap, header};
use leptos::prelude::{expect_context, use_context};
use leptos_axum::ResponseOptions;
use tower_sessions::Session;

use crate::error::AppError;
use crate::form_echo::FormEcho;
use crate::ui::Done;

/// The key in the session's data under which a signed-in person's id is kept.
pub const PERSON: &str = "person";
/// The key under which a session that begins says which password opened it; it is not kept.
pub const PASSWORD: &str = "password";
/// The key under which the session keeps what the browser called itself at sign-in.
pub const USER_AGENT: &str = "user_agent";
/// The key under which the session keeps the network address at sign-in.
pub const ADDRESS: &str = "address";

/// The key under which a token just made waits to be shown.
pub const NEW_TOKEN: &str = "new_token";
/// The key under which the link of an invitation just made waits to be shown.
pub const NEW_INVITATION: &str = "new_invitation";

/// The key under which the secret of a hook just made waits to be shown: its id, a space, the secret.
pub const NEW_HOOK_SECRET: &str = "new_hook_secret";

/// The key under which the secret of this webhook, just made, waits for its page.
pub fn new_webhook_secret(webhook: &str) -> String {
    format!("new_webhook_secret {webhook}")
}

/// What the session store calls an error that time mends.
pub const BUSY: &str = "busy";

/// Which colours a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// What their system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The word in the cookie and in `<html data-theme>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The choice in a request's cookies.
    pub fn chosen(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix("theme="))
            .map_or(Self::System, Self::parse)
    }

    /// Reads the word back; anything else is the system's choice.
    pub fn parse(word: &str) -> Self {
        match word {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }
}

/// One request, as pages and server functions see it. The server puts it into the context of every rendering.
#[derive(Clone)]
pub struct Visit {
    /// The backend on behalf of this request.
    pub backend: Backend,
    /// Who is signed in.
    pub actor: Option<Actor>,
    /// How many items of their inbox they have not looked at.
    pub unread: i64,
    /// The place in the order of events from which on the page listens for changes (`GET /live`), if that is known.
    pub live_after: Option<String>,
    /// Allows this response's own scripts (Content-Security-Policy).
    pub nonce: String,
    /// Names this request in the log.
    pub request_id: String,
    /// Path and query, for links that come back here; without the word of [`Visit::done`].
    pub path: String,
    /// What the form did that led to this page.
    pub done: Option<Done>,
    /// The network address of whoever asks.
    pub address: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// The chosen colours.
    pub theme: Theme,
    /// The form that was just refused, if this page is its answer.
    pub echo: Option<Arc<FormEcho>>,
    /// The product's own address, for links in invitations.
    pub base_url: Arc<str>,
    /// Whether the cookie may say Secure.
    pub https: bool,
    /// Whether the sign-in page offers the demo's people.
    pub demo: bool,
    /// Whether failed sign-ins are slowed down.
    pub rate_limits: bool,
}

/// This request.
pub fn visit() -> Visit {
    expect_context::<Visit>()
}

/// This request, if there is one: the table of routes is made without.
pub fn use_visit() -> Option<Visit> {
    use_context::<Visit>()
}

/// Something of this request, without a copy of all of it: for what stands on a page many times.
pub fn of_visit<T>(read: impl FnOnce(&Visit) -> T) -> Option<T> {
    leptos::reactive::owner::with_context(read)
}

/// This request's id, also outside of a rendering.
pub fn request_id() -> String {
    use_visit().map_or_else(|| "-".to_owned(), |visit| visit.request_id)
}

/// The backend and who is signed in, or the refusal to go on.
pub fn signed_in() -> Result<(Backend, Actor), AppError> {
    let visit = visit();
    let actor = visit.actor.ok_or(Refusal::SignInNeeded)?;
    Ok((visit.backend, actor))
}

/// The browser session of this request.
async fn browser_session() -> Result<Session, AppError> {
    leptos_axum::extract().await.map_err(|error| backend::Error::internal(error).into())
}

/// Signs a person in: a new token for the browser, whatever it had before.
pub async fn begin(signed_in: SignedIn) -> Result<(), AppError> {
    let (visit, session) = (visit(), browser_session().await?);
    session.clear().await;
    session.cycle_id().await.map_err(failed)?;
    session.insert(PERSON, signed_in.person).await.map_err(failed)?;
    if let Some(password) = signed_in.password {
        session.insert(PASSWORD, password).await.map_err(failed)?;
    }
    session.insert(USER_AGENT, visit.user_agent).await.map_err(failed)?;
    session.insert(ADDRESS, visit.address).await.map_err(failed)
}

/// Signs out here: the token is worth nothing from now on, and the browser forgets what it kept.
pub async fn end() -> Result<(), AppError> {
    browser_session().await?.flush().await.map_err(failed)?;
    set_header(header::HeaderName::from_static("clear-site-data"), "\"cache\"");
    Ok(())
}

/// What the sessions table keeps of this session's token.
pub async fn token_hash() -> Result<Option<[u8; 32]>, AppError> {
    Ok(browser_session().await?.id().map(|id| entropy::hash_bytes(&id.0.to_le_bytes())))
}

/// Keeps a secret for the next page that asks for it, readable only with the browser's cookie: the table of sessions
/// alone gives nothing away.
pub async fn show_once(key: &str, secret: &str) -> Result<(), AppError> {
    let session = browser_session().await?;
    let sealed = entropy::seal(visit().backend.entropy(), &token(&session)?, secret);
    session.insert(key, sealed).await.map_err(failed)
}

/// A secret kept for this page; it is not shown again.
pub async fn shown_once(key: &str) -> Result<Option<String>, AppError> {
    let session = browser_session().await?;
    let Some(sealed) = session.remove::<String>(key).await.map_err(failed)? else { return Ok(None) };
    Ok(entropy::unseal(&token(&session)?, &sealed))
}

/// The token in the browser's cookie, which is kept nowhere else.
fn token(session: &Session) -> Result<[u8; 16], AppError> {
    let id = session.id().ok_or(Refusal::SignInNeeded)?;
    Ok(id.0.to_le_bytes())
}

/// Keeps the chosen colours in a cookie of their own: they are no secret and outlive the session.
pub fn keep_theme(theme: Theme) {
    let secure = if visit().https { "; Secure" } else { "" };
    let cookie = format!("theme={}; Path=/; Max-Age=31536000; SameSite=Lax{secure}", theme.as_str());
    set_header(header::SET_COOKIE, &cookie);
}

fn set_header(name: header::HeaderName, value: &str) {
    if let Ok(value) = header::HeaderValue::from_str(value) {
        expect_context::<ResponseOptions>().append_header(name, value);
    }
}

fn failed(error: tower_sessions::session::Error) -> AppError {
    use tower_sessions::{session::Error, session_store};
    match error {
        Error::Store(session_store::Error::Backend(why)) if why == BUSY => {
            Refusal::Busy { retry_after_seconds: 2 }.into()
        }
        error => backend::Error::internal(error).into(),
    }
}

/// Sends the browser to an address of ours. Everything that is not one leads home: no open redirect, and no panic on
/// characters that a header cannot carry.
pub fn redirect(to: &str) {
    #[expect(clippy::disallowed_methods, reason = "the one door: the path was checked")]
    leptos_axum::redirect(if is_own_path(to) { to } else { "/" });
}

/// Sends the browser to the page that shows what a form did, and says it there.
pub fn done(to: &str, done: Done) {
    redirect(&done.at(to));
}

/// Whether this is a path within the product: one `/` first, no scheme, no host, nothing invisible.
pub fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && path.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_followed() {
        for good in ["/", "/rfcs/7?revision=2#b-1", "/people/ada%40example.com"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in ["", "rfcs", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "/ü", "/a b"] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
