//! Who is calling and what they sent: the extractors of every handler. Bearer tokens only; cookies are never looked at.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Json as PlainJson;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use backend::accounts::tokens;
use backend::version::Expected;
use backend::{Backend, Once, PageRequest};
use domain::{Actor, Refusal};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

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
    /// The backend, with the request's id and idempotency key.
    pub backend: Backend,
    /// The token's owner, with the token's scopes.
    pub actor: Actor,
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Failure> {
        let request_id = parts.extensions.get::<RequestId>().map_or("-", RequestId::as_str);
        let backend = state.backend.for_request(request_id, parts.extensions.get::<Once>().cloned());
        let token = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            token.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        let actor = match token {
            Some((_, token)) => tokens::actor_by_token(&backend, token.trim()).await?,
            None => None,
        };
        let actor = actor.ok_or(Refusal::SignInNeeded)?;
        logging::note_person(&actor);
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

/// A JSON body, with the place of the mistake in the refusal.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let body = to_bytes(request.into_body(), timeouts::BODY).await.map_err(|error| unreadable(&error))?;
        let mut reader = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let place = error.path().to_string();
            let field = if place == "." { "body".to_owned() } else { place };
            Refusal::field(field, format!("This is not the JSON expected here: {}.", error.inner()))
        })?;
        reader.end().map_err(|error| Refusal::field("body", format!("This is not JSON: {error}.")))?;
        Ok(Self(value))
    }
}

/// Query parameters.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| Refusal::field("query", format!("{}.", error.body_text())).into())
    }
}

/// One segment, or several, of the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    /// A name that cannot be one names nothing: 404.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        axum::extract::Path::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Refusal::not_found("object").into())
    }
}

/// The header `If-Match`.
pub struct IfMatch(pub Expected);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        let Some(header) = parts.headers.get(header::IF_MATCH) else { return Ok(Self(Expected::Unstated)) };
        let version =
            header.to_str().ok().and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        match version {
            Some(version) => Ok(Self(Expected::Version(version))),
            None => Err(Refusal::field("If-Match", "Send the version in quotes, for example If-Match: \"3\".").into()),
        }
    }
}

/// `?limit=` and `&cursor=` of a list.
#[derive(Debug, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Rows: 1–200, default 50; more is cut to 200.
    #[param(minimum = 1, default = 50)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl From<Paging> for PageRequest {
    fn from(Paging { limit, cursor }: Paging) -> Self {
        Self { limit, cursor }
    }
}

/// An object with its version as `ETag`.
pub fn versioned<T: Serialize>(version: i64, object: T) -> impl IntoResponse + use<T> {
    ([(header::ETAG, format!("\"{version}\""))], PlainJson(object))
}

fn unreadable(error: &axum::Error) -> Refusal {
    let too_large = std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
    if too_large {
        return Refusal::TooLarge { field: "body".into(), limit_bytes: timeouts::BODY as u64 };
    }
    Refusal::field("body", "The body could not be read to its end.")
}
