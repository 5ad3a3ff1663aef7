//! How the API says no: RFC 9457 `application/problem+json`.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::{FieldError, Refusal};
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response as Documented, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use crate::middleware::request_id::RequestId;

/// A refused or failed request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong and what to do, in a sentence.
    detail: String,
    /// Names the request in the server's log.
    request_id: String,
    /// For 422: what is wrong, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WrongField>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
struct WrongField {
    /// The field's name in the request.
    field: String,
    /// What is wrong and what would be right.
    message: String,
}

/// The error of every handler.
#[derive(Debug)]
pub struct Failure(backend::Error);

impl<E: Into<backend::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Carries a failure out to [`finish`], which knows the request's id.
#[derive(Clone)]
struct Unfinished(Option<Refusal>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let refusal = match self.0 {
            backend::Error::Refused(refusal) => Some(refusal),
            backend::Error::Internal(cause) => {
                tracing::error!(%cause, "a use case failed");
                None
            }
        };
        let status = refusal.as_ref().map_or(500, Refusal::status);
        let mut response = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.extensions_mut().insert(Unfinished(refusal));
        response
    }
}

/// Middleware around the whole API: gives every refusal, also the framework's own (405), its body.
pub async fn finish(request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().map_or("-", RequestId::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let refusal = match response.extensions().get::<Unfinished>() {
        Some(Unfinished(refusal)) => refusal.clone(),
        None if is_problem(response.headers()) => return response,
        None if status == StatusCode::METHOD_NOT_ALLOWED => {
            let problem = Problem::new(status, "This address does not take this method.".into(), request_id);
            return problem.answer(response.headers().clone(), status);
        }
        None => return response,
    };
    let detail = match &refusal {
        None => "Something went wrong on our side.".to_owned(),
        Some(unknown @ Refusal::OutcomeUnknown) => {
            format!("{unknown} A request with an Idempotency-Key can be repeated as it is: it has its effect once.")
        }
        Some(refusal) => refusal.to_string(),
    };
    let mut problem = Problem::new(status, detail, request_id);
    let mut headers = HeaderMap::new();
    if let Some(seconds) = refusal.as_ref().and_then(Refusal::retry_after_seconds) {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    match refusal {
        Some(Refusal::Invalid { fields }) => problem.errors = fields.into_iter().map(WrongField::from).collect(),
        Some(Refusal::SignInNeeded) => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Some(Refusal::Stale { newest, .. } | Refusal::VersionNeeded { newest }) if newest > 0 => {
            if let Ok(tag) = HeaderValue::from_str(&format!("\"{newest}\"")) {
                headers.insert(header::ETAG, tag);
            }
        }
        _ => {}
    }
    problem.answer(headers, status)
}

impl Problem {
    fn new(status: StatusCode, detail: String, request_id: String) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { r#type: "about:blank", title, status: status.as_u16(), detail, request_id, errors: Vec::new() }
    }

    fn answer(&self, headers: HeaderMap, status: StatusCode) -> Response {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, headers, kind, body).into_response()
    }
}

/// A 401 in words of its own, for what is signed instead of carrying a token.
pub(crate) fn not_signed(request_id: &str, detail: &str) -> Response {
    let headers = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, HeaderValue::from_static("webhook-signature"))]);
    let status = StatusCode::UNAUTHORIZED;
    Problem::new(status, detail.to_owned(), request_id.to_owned()).answer(headers, status)
}

impl From<FieldError> for WrongField {
    fn from(FieldError { field, message }: FieldError) -> Self {
        Self { field, message }
    }
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

/// In the documentation of every call: the ways in which it may be refused.
pub struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Documented>> {
        [
            ("401", "No token, or one that is not valid (any more)."),
            ("403", "The role or the token's scopes do not allow this; the detail names who may."),
            ("404", "It does not exist, or is hidden."),
            ("405", "The address does not take this method."),
            ("409", "It is not in the state that the request expects."),
            ("412", "If-Match names another version than the newest; ETag is the newest, if there is one."),
            ("413", "A text or the whole body is too large."),
            ("422", "Some fields are wrong: see errors."),
            ("428", "Changing needs If-Match; ETag is the newest version."),
            ("429", "Too many tries; see Retry-After."),
            ("500", "A mistake of ours; report the request_id."),
            (
                "503",
                "Busy or stopping, see Retry-After; `detail` says whether nothing was changed or that it is not known.",
            ),
        ]
        .into_iter()
        .map(|(status, description)| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let response = ResponseBuilder::new().description(description).content("application/problem+json", content);
            let response = match status {
                "401" => response.header("WWW-Authenticate", HeaderBuilder::new().build()),
                "405" => response.header("Allow", HeaderBuilder::new().build()),
                "412" | "428" => response.header("ETag", HeaderBuilder::new().build()),
                "429" | "503" => response.header("Retry-After", HeaderBuilder::new().build()),
                _ => response,
            };
            (status.to_owned(), RefOr::T(response.build()))
        })
        .collect()
    }
}
