//! Who is calling and what they have seen. Bearer tokens only; cookies are never looked at.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Json as PlainJson;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use backend::accounts::tokens;
use backend::version::Expected;
use backend::{Backend, Once};
use domain::{Actor, Refusal};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::input::unreadable;
use super::problem::Failure;
use crate::logging;
use crate::middleware::request_id::RequestId;
use crate::middleware::timeouts;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What the handlers share.
#[derive(Clone)]
pub struct ApiState {
    /// The use cases.
    pub backend: Backend,
    /// The address people type, without a slash at the end.
    pub base_url: Arc<str>,
}

/// The owner of the bearer token, and the backend on behalf of this request.
pub struct Caller {
    /// The backend, with the request's id, idempotency key and the version it names.
    pub backend: Backend,
    /// The token's owner, with the token's scopes.
    pub actor: Actor,
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        let request_id = parts.extensions.get::<RequestId>().map_or("-", RequestId::as_str);
        let backend = state.backend.for_request(request_id, parts.extensions.get::<Once>().cloned());
        let backend = backend.expecting(if_match(&parts.headers));
        let token = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            token.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let actor = match token {
            Some((_, token)) => tokens::actor_by_token(&backend, token.trim()).await?,
            None => None,
        };
        let actor = actor.ok_or(Refusal::SignInNeeded)?;
        logging::note_person(&parts.extensions, &actor);
        Ok(Self { backend, actor })
    }
}

/// Middleware: reads `Idempotency-Key` of a `POST` and leaves a [`Once`] for the backend, which makes the request have
/// its effect once. Another body under the same key has another hash.
pub async fn read_idempotency_key(request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(&IDEMPOTENCY_KEY).filter(|_| request.method() == Method::POST) else {
        return next.run(request).await;
    };
    let key = match key.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) => key.to_owned(),
        _ => {
            let message = "The Idempotency-Key has 1 to 255 visible ASCII characters.";
            return Failure::from(Refusal::field("Idempotency-Key", message)).into_response();
        }
    };
    let (mut parts, body) = request.into_parts();
    let body = match to_bytes(body, timeouts::BODY).await {
        Ok(body) => body,
        Err(error) => return Failure::from(unreadable(&error)).into_response(),
    };
    let mut hash = Sha256::new();
    hash.update(parts.uri.path());
    hash.update([0]);
    hash.update(&body);
    parts.extensions.insert(Once { key, request_hash: hash.finalize().into() });
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// The header `If-Match`.
pub struct IfMatch(pub Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self(if_match(&parts.headers)))
    }
}

/// What the client says it has seen (RFC 9110 §13.1.1). A tag that is none of ours, or a weak one, matches nothing.
fn if_match(headers: &HeaderMap) -> Expected {
    let mut lines = headers.get_all(header::IF_MATCH).iter().map(|line| line.to_str().unwrap_or_default());
    let Some(line) = lines.next() else { return Expected::Unstated };
    if line.trim() == "*" {
        return Expected::Existing;
    }
    let tag = line.trim().strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).filter(|_| lines.next().is_none());
    let version = tag.and_then(|tag| tag.parse().ok().filter(|version: &i64| version.to_string() == tag));
    // Versions begin with 1.
    Expected::Version(version.unwrap_or(0))
}

/// An object with its version as `ETag`.
pub fn versioned<T: Serialize>(version: i64, object: T) -> impl IntoResponse + use<T> {
    ([(header::ETAG, format!("\"{version}\""))], PlainJson(object))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_one_strong_tag_of_ours_names_a_version() {
        let read = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| (header::IF_MATCH, HeaderValue::from_static(line)));
            if_match(&lines.collect())
        };
        assert_eq!(read(&[]), Expected::Unstated);
        assert_eq!(read(&["*"]), Expected::Existing);
        assert_eq!(read(&[" \"3\" "]), Expected::Version(3));
        for other in ["3", "W/\"3\"", "\"3\", \"4\"", "\"abc\"", "\"03\"", "\"+3\"", "\"\"", "\""] {
            assert_eq!(read(&[other]), Expected::Version(0), "{other}");
        }
        assert_eq!(read(&["\"3\"", "\"4\""]), Expected::Version(0));
    }
}
