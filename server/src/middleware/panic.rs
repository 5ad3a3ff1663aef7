//! A panic ends one request, not the connection: 500 with nothing but the request's id. The panic hook in
//! [`crate::logging`] writes the rest into the log.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::answer::Answer;

/// Middleware.
pub async fn catch(request: Request, next: Next) -> Response {
    let answer = Answer::to(&request);
    let mut response = pin!(next.run(request));
    poll_fn(|cx| {
        // The future is dropped after a panic, so nobody sees what it left half done.
        catch_unwind(AssertUnwindSafe(|| response.as_mut().poll(cx))).unwrap_or_else(|_| {
            let detail = "The mistake is ours and has been logged. What you sent was not saved; please try again.";
            Poll::Ready(answer.with(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", detail))
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_a_500_that_says_nothing_about_it() {
        let app = Router::new()
            .route(
                "/",
                get(|| async {
                    tokio::task::yield_now().await;
                    assert!(std::hint::black_box(false), "secret detail");
                }),
            )
            .layer(axum::middleware::from_fn(catch));
        let response = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("secret detail"));
    }
}
