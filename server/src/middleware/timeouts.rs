//! What one request may cost: time and bytes.

use std::time::Duration;

use app::imports::api::UPLOAD;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use domain::limits;
use http_body_util::Limited;

use super::answer::Answer;

/// Time for an answer to begin, the request's body included.
pub const TIME: Duration = Duration::from_secs(10);
/// Time for what a form does: what is left of [`TIME`] is for giving its text back.
pub const FORM_TIME: Duration = Duration::from_secs(9);
/// Largest body. Documents have their own, smaller limits, which are explained where they are written.
pub const BODY: usize = 2 * 1024 * 1024;

/// Time for a form with a file: ten minutes for the largest at 1.5 Mbit/s.
pub const UPLOAD_TIME: Duration = Duration::from_mins(10);
/// Largest form with a file: the largest file and what is around it. What each kind of file may have is less, and is said
/// where it is kept.
const UPLOAD_BODY: usize = limits::INCIDENTS_FILE_BYTES + 64 * 1024;

/// Whether a form with a file goes here.
pub fn is_upload(uri: &Uri) -> bool {
    uri.path() == UPLOAD
}

/// Middleware: 503 when the answer has not begun in time. The handler is dropped; its transaction rolls back, unless it
/// was being committed.
pub async fn limit_time(State(time): State<Duration>, request: Request, next: Next) -> Response {
    let time = if is_upload(request.uri()) { UPLOAD_TIME } else { time };
    let answer = Answer::to(&request);
    let changes = !request.method().is_safe();
    if let Ok(response) = tokio::time::timeout(time, next.run(request)).await {
        return response;
    }
    tracing::warn!("no answer in time");
    let detail = if changes {
        "Plumbline is too busy to answer in time. It is not known whether this was saved: look before you try again."
    } else {
        "Plumbline is too busy to answer right now. Please try again in a few seconds."
    };
    let mut response = answer.with(StatusCode::SERVICE_UNAVAILABLE, "Too busy", detail);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}

/// Middleware: 413 for a body that says it is too large; one that turns out to be is cut, which its reader reports.
pub async fn limit_body(State(limit): State<usize>, request: Request, next: Next) -> Response {
    let limit = if is_upload(request.uri()) { UPLOAD_BODY } else { limit };
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<u64>().ok());
    if length.is_none_or(|length| usize::try_from(length).is_ok_and(|length| length <= limit)) {
        return next.run(request.map(|body| Body::new(Limited::new(body, limit)))).await;
    }
    too_large(&Answer::to(&request), limit)
}

/// The answer to a body over the limit.
pub(super) fn too_large(answer: &Answer, limit: usize) -> Response {
    let detail = format!(
        "What you sent is larger than {} MiB, so nothing of it was saved. Go back with your browser: \
         most still show the text then, but not all do; copy it before anything else.",
        limit / (1024 * 1024)
    );
    answer.with(StatusCode::PAYLOAD_TOO_LARGE, "Too large", &detail)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_slow_answer_becomes_a_503_that_asks_to_come_back() {
        let app = Router::new()
            .route("/", post(|| async { tokio::time::sleep(Duration::from_secs(5)).await }))
            .layer(from_fn_with_state(Duration::from_millis(50), limit_time));
        let response = app.oneshot(Request::post("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(header::RETRY_AFTER));
    }

    #[tokio::test]
    async fn a_large_body_is_a_413_whether_or_not_it_says_so() {
        let app = Router::new()
            .route("/", post(|body: axum::body::Bytes| async move { body.len().to_string() }))
            .layer(from_fn_with_state(10_usize, limit_body));
        for (length, announced, expected) in [(10, true, 200), (11, true, 413), (10, false, 200), (11, false, 413)] {
            let mut request = Request::post("/");
            if announced {
                request = request.header(header::CONTENT_LENGTH, length);
            }
            let chunks = http_body_util::Full::new(axum::body::Bytes::from(vec![b'x'; length]));
            let response = app.clone().oneshot(request.body(Body::new(chunks)).unwrap()).await.unwrap();
            assert_eq!(response.status().as_u16(), expected, "{length} {announced}");
        }
    }
}
