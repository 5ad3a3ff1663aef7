//! `POST /unsubscribe/{token}`: turns one kind of mail off with one click of a mail program (RFC 8058). No session and no
//! cookie: the token is the proof, and so this path lies outside the cross-site protection. `GET` only shows the page
//! with the button, whose form comes here as well.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get_service};
use backend::Backend;
use backend::notices::unsubscribe::unsubscribe;
use domain::Refusal;
use tower::ServiceExt as _;

use crate::middleware::answer::Answer;

/// The route; `pages` has the page.
pub fn route(backend: Backend, pages: Router) -> MethodRouter {
    let page = pages.clone();
    get_service(pages).post(move |Path(token): Path<String>, request: Request| {
        let (backend, page) = (backend.clone(), page.clone());
        async move { act(&backend, page, &token, request).await }
    })
}

/// Turns it off and answers with the page, which says so. Not with a redirect: mail programs do not follow it.
async fn act(backend: &Backend, page: Router, token: &str, request: Request) -> Response {
    match unsubscribe(backend, token).await {
        // The page says that there is no such link.
        Ok(_) | Err(backend::Error::Refused(Refusal::NotFound { .. })) => {}
        Err(error) => {
            tracing::warn!(%error, "a person could not be unsubscribed");
            let detail = "Nothing was changed. Please try again in a few seconds.";
            let answer = Answer::to(&request).with(StatusCode::SERVICE_UNAVAILABLE, "One moment", detail);
            return ([(header::RETRY_AFTER, "2")], answer).into_response();
        }
    }
    let (mut parts, _) = request.into_parts();
    parts.method = Method::GET;
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        parts.headers.remove(name);
    }
    // A router's error type is uninhabited.
    page.oneshot(Request::from_parts(parts, Body::empty())).await.into_response()
}
