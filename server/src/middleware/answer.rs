//! Answers of the layers themselves, for requests that never reach the product: a small page for a person, a problem
//! (RFC 9457) for a program.

use std::fmt::Write as _;

use app::error::AppError;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use domain::Refusal;
use serde_json::json;

use super::form_errors::FormEcho;
use super::request_id::RequestId;
use crate::assets;

/// What can be said to a request without knowing the product.
#[derive(Debug, Clone)]
pub struct Answer {
    page: bool,
    request_id: Option<RequestId>,
}

impl Answer {
    /// Remembers what kind of answer this request understands.
    pub fn to(request: &Request) -> Self {
        let page = accepts_html(request.headers()) && !request.uri().path().starts_with("/api/");
        Self { page, request_id: request.extensions().get().cloned() }
    }

    /// `title` and `detail` are plain text: what happened, what to do.
    pub fn with(&self, status: StatusCode, title: &str, detail: &str) -> Response {
        let request_id = self.request_id.as_ref().map_or("-", RequestId::as_str);
        if self.page {
            let text = format!("<p>{}</p><p><small>Request {request_id}</small></p>", escape(detail));
            return page(status, title, &text);
        }
        let problem = json!({
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
            "detail": detail,
            "request_id": request_id,
        });
        let kind = HeaderValue::from_static("application/problem+json");
        (status, [(header::CONTENT_TYPE, kind)], problem.to_string()).into_response()
    }
}

/// A form that was refused and cannot be shown again on a page of its own: why, and what was entered, to copy from.
pub fn refused(status: StatusCode, echo: &FormEcho) -> Response {
    let why = read_error(&echo.error)
        .map_or_else(|| "Something went wrong on our side.".to_owned(), |error| error.to_string());
    let mut text = format!("<p role=\"alert\">{}</p><p>Nothing was saved.", escape(&why));
    let entered: Vec<_> = echo.fields.iter().filter(|(_, value)| !value.trim().is_empty()).collect();
    if entered.is_empty() {
        text.push_str("</p>");
    } else {
        text.push_str(" This is what you entered:</p>");
        for (name, value) in entered {
            // Writing to a String cannot fail.
            let _ = write!(text, "<h2>{}</h2><pre>{}</pre>", escape(name), escape(value));
        }
    }
    page(status, "This could not be done", &text)
}

/// Seconds after which a refused request is worth repeating, if time mends it.
pub(super) fn retry_after(error: &serde_json::Value) -> Option<u64> {
    match read_error(error)?.refusal()? {
        Refusal::TooMany { retry_after_seconds } | Refusal::Busy { retry_after_seconds } => Some(*retry_after_seconds),
        _ => None,
    }
}

fn read_error(error: &serde_json::Value) -> Option<AppError> {
    serde_json::from_value(error.clone()).ok()
}

/// A page without the product's frame. `title` is text, `content` is markup.
fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let title = escape(title);
    let style = assets::output_name()
        .map(|name| format!("<link rel=\"stylesheet\" href=\"/pkg/{}.css\">", escape(&name)))
        .unwrap_or_default();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Plumbline</title>{style}</head>\
         <body><main><h1>{title}</h1>{content}<p><a href=\"/\">Go to the start page</a></p></main></body></html>\n"
    );
    (status, Html(page)).into_response()
}

/// A browser that shows what it gets, as opposed to a script that reads it.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};

    use super::*;

    async fn answer(path: &str, accept: &str) -> (String, String) {
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap();
        let response = Answer::to(&request).with(StatusCode::BAD_REQUEST, "No <b>", "Why not");
        let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_refused_form_says_why_and_keeps_the_text() {
        let error = AppError::from(Refusal::Busy { retry_after_seconds: 7 });
        let error = serde_json::to_value(&error).unwrap();
        assert_eq!(retry_after(&error), Some(7));
        let fields = vec![("body".to_owned(), "<script>".to_owned()), ("empty".to_owned(), " ".to_owned())];
        let response = refused(StatusCode::SERVICE_UNAVAILABLE, &FormEcho { action: "/do/x".into(), error, fields });
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("Plumbline is busy") && body.contains("<pre>&lt;script&gt;</pre>"), "{body}");
        assert!(!body.contains("empty"), "{body}");
    }

    #[tokio::test]
    async fn people_get_pages_and_programs_get_problems() {
        let (kind, body) = answer("/rfcs", "text/html,*/*").await;
        assert_eq!(kind, "text/html; charset=utf-8");
        assert!(body.contains("<h1>No &lt;b&gt;</h1>"), "{body}");
        for (path, accept) in [("/api/v1/rfcs", "text/html"), ("/do/comment", "application/json")] {
            let (kind, body) = answer(path, accept).await;
            assert_eq!(kind, "application/problem+json");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["title"], "No <b>");
        }
    }
}
