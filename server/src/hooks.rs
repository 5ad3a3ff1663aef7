//! `POST /hooks/{id}`: what others report, signed by Standard Webhooks 1.0. The headers are checked here, the signature and
//! the rest in `backend::hooks`.

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router, middleware};
use backend::Backend;
use backend::hooks::{self, Incoming, Received};
use backend::webhooks::signature::{self, ID, SIGNATURE, TIMESTAMP};
use domain::{Refusal, limits};

use crate::api::problem::{self, Failure};
use crate::middleware::form_errors;
use crate::middleware::request_id::RequestId;

/// Characters of a `webhook-id`.
const ID_CHARS: usize = 200;

/// The route.
pub fn routes(backend: &Backend) -> Router {
    Router::new()
        .route("/hooks/{id}", post(receive))
        .layer(middleware::from_fn(problem::finish))
        .with_state(backend.clone())
}

async fn receive(
    State(backend): State<Backend>,
    Path(hook): Path<String>,
    request_id: Option<Extension<RequestId>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let request_id = request_id.map_or_else(|| "-".to_owned(), |Extension(id)| id.to_string());
    let body = to_bytes(body, limits::HOOK_BODY_BYTES).await.map_err(|error| unreadable(&error))?;
    let id = header(&headers, ID)?;
    if id.len() > ID_CHARS {
        return Err(Refusal::field(ID, format!("The header {ID} has at most {ID_CHARS} characters.")).into());
    }
    let timestamp = header(&headers, TIMESTAMP)?;
    let seconds = || Refusal::field(TIMESTAMP, format!("The header {TIMESTAMP} is a number of seconds since 1970."));
    let timestamp: i64 = timestamp.parse().map_err(|_| seconds())?;
    let signatures = header(&headers, SIGNATURE)?;
    let backend = backend.for_request(&request_id, None);
    if !signature::is_timely(timestamp, backend.now()) {
        let detail = format!(
            "The {TIMESTAMP} is more than five minutes away from the time here, which is {} ({}): \
             send the message with a new timestamp and signature, or set the sender's clock.",
            backend.now().as_second(),
            backend.now(),
        );
        return Ok(problem::not_signed(&request_id, &detail));
    }
    Ok(match hooks::receive(&backend, &hook, Incoming { id, timestamp, signatures, body: &body }).await? {
        Received::Done(answer) => Json(answer).into_response(),
        Received::Unknown => {
            let detail = "There is no such hook, or the signature is not by its secret: check the address, the secret, \
                          and that the body is signed byte for byte as it is sent.";
            problem::not_signed(&request_id, detail)
        }
    })
}

/// A header that must be there, in visible letters.
fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    value.ok_or_else(|| Refusal::field(name, format!("The header {name} is missing (Standard Webhooks 1.0).")))
}

fn unreadable(error: &axum::Error) -> Refusal {
    if form_errors::is_too_large(error) {
        return Refusal::TooLarge { field: "body".into(), limit_bytes: limits::HOOK_BODY_BYTES as u64 };
    }
    Refusal::field("body", "The body could not be read to its end.")
}
