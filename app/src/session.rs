//! Who is asking, and the one way to redirect. Only for the server.

use std::sync::Arc;

use backend::Backend;
use domain::{Actor, Refusal};
use leptos::prelude::{expect_context, use_context};

use crate::error::AppError;
use crate::form_echo::FormEcho;

/// The key in the session's data under which a signed-in person's id is kept.
pub const PERSON: &str = "person";

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
    /// Allows this response's own scripts (Content-Security-Policy).
    pub nonce: String,
    /// Names this request in the log.
    pub request_id: String,
    /// Path and query, for links that come back here.
    pub path: String,
    /// The network address of whoever asks.
    pub address: String,
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

/// Sends the browser to an address of ours. Everything that is not one leads home: no open redirect, and no panic on
/// characters that a header cannot carry.
pub fn redirect(to: &str) {
    #[expect(clippy::disallowed_methods, reason = "the one door: the path was checked")]
    leptos_axum::redirect(if is_own_path(to) { to } else { "/" });
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
