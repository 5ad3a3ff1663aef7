//! Answers of the layers themselves, for requests that never reach the product: a small page for a person, a problem
//! (RFC 9457) for a program.

use std::fmt::Write as _;

use app::form_echo::{FormEcho, in_text_area};
use app::session::Theme;
use app::urls;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};
use domain::Refusal;
use serde_json::json;

use super::request_id::RequestId;
use crate::assets;

/// What can be said to a request without a page of the product.
#[derive(Debug, Clone)]
pub struct Answer {
    page: bool,
    theme: Theme,
    request_id: Option<RequestId>,
}

impl Answer {
    /// Remembers what kind of answer this request understands.
    pub fn to(request: &Request) -> Self {
        let page = accepts_html(request.headers()) && !request.uri().path().starts_with("/api/");
        let theme = Theme::chosen(request.headers());
        Self { page, theme, request_id: request.extensions().get().cloned() }
    }

    /// `title` and `detail` are plain text: what happened, what to do.
    pub fn with(&self, status: StatusCode, title: &str, detail: &str) -> Response {
        let request_id = self.request_id.as_ref().map_or("-", RequestId::as_str);
        if self.page {
            let text = format!("<p>{}</p><p><small>Request {request_id}</small></p>", escape(detail));
            return self.page(status, title, &text);
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
    /// A form that was refused and cannot be shown again on a page of its own: why, what to do, and what was written,
    /// to copy from. `page` is where the form was.
    pub fn refused(&self, status: StatusCode, echo: &FormEcho, page: Option<&Uri>) -> Response {
        let signed_out = echo.error.refusal() == Some(&Refusal::SignInNeeded);
        let page = page.and_then(Uri::path_and_query).map(PathAndQuery::as_str);
        let texts = echo.texts();
        let title = if signed_out { "You are signed out" } else { "This could not be done" };
        let mut content = if signed_out {
            "<p role=\"alert\">Nothing was saved: your session has ended.</p>".to_owned()
        } else {
            let known = echo.error.refusal() != Some(&Refusal::OutcomeUnknown);
            let nothing = if known { " Nothing was saved." } else { "" };
            format!("<p role=\"alert\">{}{nothing}</p>", escape(&echo.error.to_string()))
        };
        if !texts.is_empty() {
            content.push_str("<p>This is what you wrote. Copy it first: no other page has it.</p>");
        }
        for (number, (label, text)) in texts.into_iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(
                content,
                "<div class=\"field\"><label class=\"field-label\" for=\"kept-{number}\">{}</label>\
                 <textarea class=\"input\" id=\"kept-{number}\" rows=\"8\" readonly>{}</textarea></div>",
                escape(label),
                in_text_area(text),
            );
        }
        let (next, words) = match page {
            page if signed_out => (urls::sign_in(page), "Sign in"),
            Some(page) => (page.to_owned(), "Back to the page"),
            None => return self.page(status, title, &content),
        };
        let _ = write!(content, "<p><a class=\"button button-primary\" href=\"{}\">{words}</a></p>", escape(&next));
        self.page(status, title, &content)
    }

    /// A page without the product's frame. `title` is text, `content` is markup.
    fn page(&self, status: StatusCode, title: &str, content: &str) -> Response {
        let title = escape(title);
        let style = assets::output_name()
            .map(|name| format!("<link rel=\"stylesheet\" href=\"/pkg/{}.css\">", escape(&name)))
            .unwrap_or_default();
        let theme = match self.theme {
            Theme::System => String::new(),
            chosen => format!(" data-theme=\"{}\"", chosen.as_str()),
        };
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"{theme}><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Plumbline</title>{style}</head>\
             <body><main class=\"main\" id=\"main\"><div class=\"narrow stack\"><h1>{title}</h1>{content}\
             <p><a href=\"/\">Go to the start page</a></p></div></main></body></html>\n"
        );
        (status, Html(page)).into_response()
    }
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

    async fn refused(error: Refusal, page: &'static str) -> String {
        let request = Request::post("/do/x").header(header::ACCEPT, "text/html").header(header::COOKIE, "theme=dark");
        let fields = [("body", "\n<script>"), ("summary", " "), ("number", "7"), ("form", "17")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let echo = FormEcho { action: "/do/x".into(), error: error.into(), fields };
        let answer = Answer::to(&request.body(Body::empty()).unwrap());
        let response = answer.refused(StatusCode::OK, &echo, Some(&Uri::from_static(page)));
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_refused_form_says_why_and_keeps_what_was_written() {
        let body = refused(Refusal::Busy { retry_after_seconds: 7 }, "/rfcs/7").await;
        assert!(
            body.contains("Plumbline is busy") && body.contains("readonly>\n\n&lt;script&gt;</textarea>"),
            "{body}"
        );
        assert!(body.contains("data-theme=\"dark\"") && body.contains("href=\"/rfcs/7\""), "{body}");
        for ours in ["summary", "Summary", "number", ">7<", ">17<"] {
            assert!(!body.contains(ours), "{ours}: {body}");
        }
    }

    #[tokio::test]
    async fn whoever_was_signed_out_is_led_back_to_the_page_of_the_form() {
        let body = refused(Refusal::SignInNeeded, "/rfcs/7/edit?part=details").await;
        assert!(body.contains("href=\"/sign-in?next=%2Frfcs%2F7%2Fedit%3Fpart%3Ddetails\">Sign in<"), "{body}");
        assert!(body.contains("&lt;script&gt;"), "{body}");
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
