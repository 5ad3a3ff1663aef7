//! Against real server functions, because the layer rests on what `server_fn` and `leptos_axum` do.

use axum::Extension;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use leptos::prelude::*;

use super::*;

#[server(prefix = "/do", endpoint = "rename")]
async fn rename(name: String, password: String) -> Result<String, AppError> {
    tokio::task::yield_now().await;
    let _ = password;
    match name.as_str() {
        "good" => Ok("renamed".to_owned()),
        "broken" => Err(AppError::Internal { request_id: "r-1".to_owned() }),
        _ => Err(Refusal::field("name", format!("\"{name}\" is taken")).into()),
    }
}

fn app() -> Router {
    let page = |uri: Uri, echo: Option<Extension<Arc<FormEcho>>>, headers: HeaderMap| async move {
        let cookie = headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok()).unwrap_or("-").to_owned();
        match echo {
            None => Html(format!("fresh {uri}")),
            Some(Extension(echo)) => {
                Html(format!("again {uri} cookie {cookie}: {} {} {:?}", echo.action, echo.error, echo.fields))
            }
        }
    };
    let echo_once = |once: Option<Extension<Once>>| async move { once.map(|once| once.0.key).unwrap_or_default() };
    let pages = Router::new()
        .route("/service", get(page))
        .route("/gone", get(|| async { Redirect::to("/sign-in") }))
        .route("/do/echo-once", post(echo_once))
        .route("/do/slow", post(std::future::pending::<()>))
        .route("/do/{*name}", post(leptos_axum::handle_server_fns));
    wrap(pages, "https://plumbline.example".into())
}

struct Answered {
    status: u16,
    location: Option<HeaderValue>,
    body: String,
}

async fn send(path: &str, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answered {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    request = request.header(header::HOST, "plumbline.example").header(header::COOKIE, "sid=1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1_000_000).await.unwrap();
    Answered {
        status: parts.status.as_u16(),
        location: parts.headers.get(header::LOCATION).cloned(),
        body: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

#[tokio::test]
async fn a_refused_form_comes_back_on_its_page_with_the_message_and_the_text() {
    let referer = ("referer", "https://plumbline.example/service?tab=2&__path=x&__err=y");
    let body = "name=b%C3%A4d&password=hunter2&secret=s3cret&once=abc";
    let answered = send("/do/rename", body, &[HTML, referer]).await;
    assert_eq!(answered.status, 422);
    assert_eq!(answered.location, None);
    assert_eq!(answered.body, "again /service?tab=2 cookie sid=1: /do/rename \"bäd\" is taken [(\"name\", \"bäd\")]");
}

#[tokio::test]
async fn a_form_refused_a_second_time_says_itself_which_page_it_is_on() {
    let referer = ("referer", "https://plumbline.example/do/rename");
    let answered = send("/do/rename", "name=bad&password=x&page=%2Fservice%3Ftab%3D2", &[HTML, referer]).await;
    assert_eq!(answered.body, "again /service?tab=2 cookie sid=1: /do/rename \"bad\" is taken [(\"name\", \"bad\")]");
    for foreign in ["%2F%2Fevil.example%2Fservice", "https%3A%2F%2Fevil.example%2F", "%2Fdo%2Frename", "service", "%FF"]
    {
        let answered = send("/do/rename", format!("name=bad&password=x&page={foreign}"), &[HTML, referer]).await;
        assert!(answered.body.contains("This could not be done"), "{foreign}: {}", answered.body);
    }
}

/// In real time: takes as long as a form may.
#[tokio::test]
async fn a_form_that_is_not_done_in_time_gives_its_text_back() {
    let referer = ("referer", "https://plumbline.example/service");
    let answered = send("/do/slow", "body=Mind+the+gap", &[HTML, referer]).await;
    assert_eq!(answered.status, 503);
    assert!(answered.body.contains("It is not known whether this was saved"), "{}", answered.body);
    assert!(answered.body.contains("Mind the gap"), "{}", answered.body);
}

#[tokio::test]
async fn without_a_page_of_ours_to_show_there_is_still_an_answer_with_the_text() {
    let referers = [
        None,
        Some(("referer", "https://evil.example/service")),
        Some(("referer", "https://plumbline.example/nowhere")),
        Some(("referer", "https://plumbline.example/gone")),
        Some(("referer", "https://plumbline.example/do/rename")),
        Some(("referer", "nonsense")),
    ];
    for referer in referers {
        let headers: Vec<_> = [HTML].into_iter().chain(referer).collect();
        let answered = send("/do/rename", "name=bad&password=x", &headers).await;
        assert_eq!(answered.status, 422, "{referer:?}");
        assert!(answered.body.contains("This could not be done"), "{referer:?}: {}", answered.body);
        assert!(answered.body.contains("readonly>bad</textarea>"), "{referer:?}: {}", answered.body);
    }
}

#[tokio::test]
async fn a_good_form_is_followed_by_a_get() {
    let referer = ("referer", "https://plumbline.example/service");
    let answered = send("/do/rename", "name=good&password=x", &[HTML, referer]).await;
    assert_eq!(answered.status, 303);
    assert_eq!(answered.location.unwrap(), "https://plumbline.example/service");
}

#[tokio::test]
async fn islands_get_the_error_itself_with_its_status() {
    let answered = send("/do/rename", "name=bad&password=x", &[("accept", "application/json")]).await;
    assert_eq!(answered.status, 422);
    assert!(answered.body.contains("\\\"bad\\\" is taken"), "{}", answered.body);
    let answered = send("/do/rename", "name=good&password=x", &[("accept", "application/json")]).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.body, "\"renamed\"");
}

#[tokio::test]
async fn a_mistake_of_ours_is_a_500_and_keeps_the_text() {
    let answered = send("/do/rename", "name=broken&password=x", &[HTML]).await;
    assert_eq!(answered.status, 500);
    assert!(answered.body.contains("r-1") && answered.body.contains("readonly>broken</textarea>"), "{}", answered.body);
}

#[tokio::test]
async fn too_large_a_form_is_a_413() {
    let body = format!("name={}", "x".repeat(timeouts::BODY));
    let answered = send("/do/rename", body, &[HTML]).await;
    assert_eq!(answered.status, 413);
    assert!(answered.body.contains("larger than 2 MiB"), "{}", answered.body);
}

#[tokio::test]
async fn the_hidden_field_names_the_request() {
    let body = send("/do/echo-once", "name=x&once=abc", &[]).await.body;
    assert!(body.starts_with("form:abc:"), "{body}");
    assert_ne!(body, send("/do/echo-once", "name=y&once=abc", &[]).await.body);
    for without in ["name=x", "once=", &format!("once={}", "x".repeat(101))] {
        assert_eq!(send("/do/echo-once", without.to_owned(), &[]).await.body, "");
    }
}

#[test]
fn a_request_is_the_same_whichever_button_was_pressed_and_none_with_a_password() {
    let name = |action, fields: &[(&str, &str)]| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        once(action, &fields)
    };
    let saved = name("/do/a", &[("once", "abc"), ("x", "1"), ("intent", "save")]);
    assert!(saved.is_some());
    assert_eq!(saved, name("/do/a", &[("once", "abc"), ("x", "1"), ("intent", "publish")]));
    assert_ne!(saved, name("/do/a", &[("once", "abc"), ("x", "2"), ("intent", "save")]));
    assert_ne!(saved, name("/do/b", &[("once", "abc"), ("x", "1"), ("intent", "save")]));
    for field in ["password", "new_password"] {
        assert_eq!(name("/do/a", &[("once", "abc"), (field, "x")]), None);
    }
}

#[tokio::test]
async fn everything_else_passes_through() {
    let request = Request::get("/service?tab=1").body(Body::empty()).unwrap();
    let response = app().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = to_bytes(response.into_body(), 1000).await.unwrap();
    assert_eq!(&body[..], b"fresh /service?tab=1");
}
