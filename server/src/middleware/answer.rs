//! Answers of the layers themselves, for requests that never reach the product: a small page for a person, a problem
//! (RFC 9457) for a program.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::json;

use super::request_id::RequestId;

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
            return (status, page(title, detail, request_id)).into_response();
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

/// A small page for a person, without the product's frame.
pub fn page(title: &str, detail: &str, request_id: &str) -> Html<String> {
    let (title, detail) = (escape(title), escape(detail));
    Html(format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title} · Plumbline</title></head><body><main><h1>{title}</h1><p>{detail}</p>\
         <p><a href=\"/\">Go to the start page</a></p><p><small>Request {request_id}</small></p></main></body></html>\n"
    ))
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
