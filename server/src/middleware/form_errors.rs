//! Forms without JavaScript: a refused form comes back filled in, with the message beside the field.
//!
//! When a plain form posts to a server function that returns an error, `server_fn` answers 302 to the page the form is
//! on, with the error in the query string: the text is lost, the status is a lie, the error ends up in the browser's
//! history. This layer recognises such an answer (header `serverfnerror`, the error itself as the body) and renders the
//! page again itself: it asks the same routes for the path of the Referer, on behalf of the same person, with a
//! [`FormEcho`] among the request's extensions, and answers with that page and the error's status. A good post is
//! answered with 303, which every browser turns into a GET.
//!
//! Callers that do not want HTML (islands) get the error as it is, with its own status instead of 500.
//!
//! Every form also carries a hidden field `once`, which becomes the request's [`Once`]: a double click has one effect.

use std::sync::Arc;

use app::error::AppError;
use app::form_echo::{FormEcho, INTENT, ONCE, PAGE};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use backend::Once;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Refusal;
use http_body_util::LengthLimitError;
use server_fn::error::SERVER_FN_ERROR_HEADER;
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;
use url::Url;

use super::answer::{Answer, accepts_html};
use super::request_id::RequestId;
use super::timeouts;

/// Where server functions live.
pub const SERVER_FUNCTIONS: &str = "/do/";
/// Longer names for a request are none of ours.
const LONGEST_ONCE: usize = 100;
/// Errors are a sentence or two.
const LARGEST_ERROR: usize = 64 * 1024;

/// What a form with a file said besides it, in an answer that refuses it: only whoever took the file in has read that.
#[derive(Debug, Clone)]
pub struct Sent(pub Vec<(String, String)>);

struct FormErrors {
    /// Origin of our own pages, as in [`crate::config::BaseUrl::origin`].
    origin: String,
}

/// Puts the layer around pages and server functions. Not a `Router::layer`, which runs after routing: the page of the
/// form is another route than the form's action.
pub fn wrap(pages: Router, origin: String) -> Router {
    let form_errors = Arc::new(FormErrors { origin });
    Router::new().fallback(move |request: Request| {
        let (pages, form_errors) = (pages.clone(), Arc::clone(&form_errors));
        async move { form_errors.handle(pages, request).await }
    })
}

impl FormErrors {
    async fn handle(&self, pages: Router, request: Request) -> Response {
        if request.method() != Method::POST || !request.uri().path().starts_with(SERVER_FUNCTIONS) {
            return call(pages, request).await;
        }
        let answer = Answer::to(&request);
        let (mut parts, mut body) = request.into_parts();
        let mut fields = Vec::new();
        if is_form(&parts.headers) {
            let bytes = match to_bytes(body, timeouts::BODY).await {
                Ok(bytes) => bytes,
                Err(error) if is_too_large(&error) => return timeouts::too_large(&answer, timeouts::BODY),
                Err(_) => return answer.with(StatusCode::BAD_REQUEST, "Incomplete", "The form did not arrive whole."),
            };
            fields = url::form_urlencoded::parse(&bytes).into_owned().collect();
            if let Some(once) = once(parts.uri.path(), &fields) {
                parts.extensions.insert(once);
            }
            body = Body::from(bytes);
        }
        let page = shown_again_at(&fields).or_else(|| self.page_of(&parts));
        let request = Request::from_parts(parts.clone(), body);
        let time = if timeouts::is_upload(request.uri()) { timeouts::UPLOAD_TIME } else { timeouts::FORM_TIME };
        let answered = tokio::time::timeout(time, call(pages.clone(), request)).await;
        // No time is left for its page, which may be as slow.
        let (mut response, page) = answered.map_or_else(|_| (too_slow(), None), |response| (response, page));
        if !response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
            see_other(&mut response);
            return response;
        }

        let (mut refused, body) = response.into_parts();
        let page = match refused.extensions.remove::<Sent>() {
            Some(Sent(sent)) => {
                fields = sent;
                shown_again_at(&fields).or(page)
            }
            None => page,
        };
        let body = to_bytes(body, LARGEST_ERROR).await.unwrap_or_default();
        let error = serde_json::from_slice(&body).unwrap_or_else(|_| {
            let request_id = parts.extensions.get::<RequestId>().map_or("-", RequestId::as_str);
            AppError::Internal { request_id: request_id.to_owned() }
        });
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = error.refusal().and_then(Refusal::retry_after_seconds).map(HeaderValue::from);
        if !accepts_html(&parts.headers) {
            refused.status = status;
            refused.headers.extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
            return Response::from_parts(refused, Body::from(body));
        }
        // Where it may have been saved, the same request again gets the first answer instead of a second effect.
        let again = matches!(error.refusal(), Some(Refusal::OutcomeUnknown | Refusal::Busy { .. }));
        fields.retain(|(name, _)| (name != ONCE || again) && name != PAGE && !is_secret(name));
        let echo = Arc::new(FormEcho { action: parts.uri.path().to_owned(), error, fields });
        let mut shown = match page.clone() {
            Some(page) => show_again(pages, parts, page, Arc::clone(&echo)).await,
            None => None,
        }
        .unwrap_or_else(|| answer.refused(status, &echo, page.as_ref()));
        *shown.status_mut() = status;
        shown.headers_mut().extend(retry_after.map(|seconds| (header::RETRY_AFTER, seconds)));
        // Whatever the server function did to the cookies still holds.
        for cookie in refused.headers.get_all(header::SET_COOKIE) {
            shown.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        shown
    }

    /// Path and query of the page the form is on, if it is one of ours.
    fn page_of(&self, parts: &Parts) -> Option<Uri> {
        let referer = Url::parse(parts.headers.get(header::REFERER)?.to_str().ok()?).ok()?;
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let ours = referer.origin().ascii_serialization() == self.origin || host == Some(referer.authority());
        if !ours || referer.path().starts_with(SERVER_FUNCTIONS) {
            return None;
        }
        // What server_fn appends to such addresses itself.
        let query = referer.query_pairs().filter(|(name, _)| name != "__path" && name != "__err");
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("{}{separator}{query}", referer.path()).parse().ok()
    }
}

/// The page that a form shown again says it is on.
fn shown_again_at(fields: &[(String, String)]) -> Option<Uri> {
    let (_, page) = fields.iter().find(|(name, _)| name == PAGE)?;
    let page: Uri = page.parse().ok()?;
    let ours = page.authority().is_none() && page.path().starts_with('/') && !page.path().starts_with(SERVER_FUNCTIONS);
    ours.then_some(page)
}

/// 302 leaves open whether a browser posts again; 303 does not. `server_fn` also leaves a bare `?` behind on the address of
/// the form's page.
fn see_other(response: &mut Response) {
    if response.status() != StatusCode::FOUND {
        return;
    }
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    if let Some(clean) = location.and_then(|location| location.strip_suffix('?')?.parse().ok()) {
        response.headers_mut().insert(header::LOCATION, clean);
    }
}

/// Renders the form's page once more for the same person; `None` when it is not a page any more.
async fn show_again(pages: Router, mut parts: Parts, page: Uri, echo: Arc<FormEcho>) -> Option<Response> {
    parts.method = Method::GET;
    parts.uri = page;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT] {
        parts.headers.remove(name);
    }
    parts.extensions.remove::<Once>();
    parts.extensions.insert(echo);
    let response = call(pages, Request::from_parts(parts, Body::empty())).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    (response.status() == StatusCode::OK && is_page).then_some(response)
}

/// What a server function that did not answer in time might have said. Its transaction may be past the point of return.
fn too_slow() -> Response {
    tracing::warn!("a form was not done in time");
    let error = AppError::from(Refusal::OutcomeUnknown);
    let mut response = Response::new(Body::from(serde_json::to_vec(&error).unwrap_or_default()));
    response.headers_mut().insert(SERVER_FN_ERROR_HEADER, HeaderValue::from_static(""));
    response
}

async fn call(pages: Router, request: Request) -> Response {
    match pages.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"))
}

/// Whether a body was cut because it was over the limit, however deep the cause lies.
pub fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What is typed again, or stands in the page's own address.
fn is_secret(name: &str) -> bool {
    name.contains("password") || name == "secret"
}

/// The request's name in the form's own name space: an API client's keys can never meet it. None with a password in the
/// form: a hash of it would be kept, and it is quick to guess from.
fn once(action: &str, fields: &[(String, String)]) -> Option<Once> {
    let (_, name) = fields.iter().find(|(field, _)| field == ONCE)?;
    if name.is_empty() || name.len() > LONGEST_ONCE || fields.iter().any(|(field, _)| field.contains("password")) {
        return None;
    }
    let mut hash = Sha256::new().chain_update(action);
    // Not which button: whoever presses "Save draft" and then "Publish" on the same page means the same text.
    // Nor where it was shown: after an answer got lost the same form comes back with the same name, to be sent again.
    for (field, value) in fields.iter().filter(|(field, _)| ![INTENT, ONCE, PAGE].contains(&field.as_str())) {
        for part in [field, value] {
            hash = hash.chain_update(part.len().to_le_bytes()).chain_update(part);
        }
    }
    let hash = hash.finalize();
    // Whoever goes back, writes something else and sends again means it: another text is another request.
    Some(Once { key: format!("form:{name}:{}", URL_SAFE_NO_PAD.encode(&hash[..9])), request_hash: hash.into() })
}

#[cfg(test)]
mod tests;
