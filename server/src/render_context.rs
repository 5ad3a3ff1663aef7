//! What pages and server functions find in their context: one [`Visit`] a request, made here from the session, the
//! headers and the layers outside.

use std::sync::Arc;

use app::error::AppError;
use app::form_echo::FormEcho;
use app::session::{PERSON, Theme, Visit};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use backend::{Backend, Once, accounts};
use http::{HeaderMap, Method, StatusCode, header};
use leptos::nonce::Nonce as LeptosNonce;
use leptos::prelude::{provide_context, use_context};
use tower_sessions::Session;

use crate::logging;
use crate::middleware::client_address::ClientAddress;
use crate::middleware::form_errors;
use crate::middleware::request_id::RequestId;
use crate::middleware::security_headers::Nonce;

/// What every visit has in common.
#[derive(Clone)]
pub struct Site {
    /// The use cases.
    pub backend: Backend,
    /// The address people type, without a slash at the end.
    pub base_url: Arc<str>,
    /// Whether that is https.
    pub https: bool,
    /// Started with `--demo`.
    pub demo: bool,
    /// Whether failed sign-ins are slowed down.
    pub rate_limits: bool,
}

/// Paths that may be seen without signing in.
const OPEN: [&str; 4] = ["/sign-in", "/setup/", "/invitations/", "/do/"];

/// Middleware: finds out who is asking, sends whoever must sign in first to the sign-in page, and leaves the [`Visit`]
/// among the request's extensions. Server functions under `/do/` decide for themselves.
pub async fn prepare(State(site): State<Site>, session: Session, mut request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let extensions = request.extensions();
    let request_id = extensions.get::<RequestId>().map_or("-", RequestId::as_str).to_owned();
    let backend = site.backend.for_request(&request_id, extensions.get::<Once>().cloned());
    let actor = match signed_in(&backend, &session).await {
        Ok(actor) => actor,
        Err(error) => {
            tracing::error!(request_id, %error, "cannot find out who is signed in");
            return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], "Plumbline is busy. Try again.\n")
                .into_response();
        }
    };
    if let Some(actor) = &actor {
        logging::note_person(actor);
    }
    let open = OPEN.iter().any(|open| path.starts_with(open));
    if actor.is_none() && !open && request.method() == Method::GET {
        return Redirect::to(&app::urls::sign_in(Some(&path))).into_response();
    }
    let visit = Visit {
        backend,
        actor,
        nonce: extensions.get::<Nonce>().map_or_else(String::new, |nonce| nonce.0.to_string()),
        request_id,
        path,
        address: extensions.get::<ClientAddress>().map_or_else(String::new, |address| address.0.to_string()),
        user_agent: header_text(request.headers(), header::USER_AGENT),
        theme: theme(request.headers()),
        echo: extensions.get::<form_errors::FormEcho>().and_then(read_echo).map(Arc::new),
        base_url: site.base_url,
        https: site.https,
        demo: site.demo,
        rate_limits: site.rate_limits,
    };
    request.extensions_mut().insert(visit);
    next.run(request).await
}

/// Puts the visit of this request into Leptos' context.
pub fn provide() {
    let Some(visit) = use_context::<http::request::Parts>().and_then(|parts| parts.extensions.get::<Visit>().cloned())
    else {
        return;
    };
    provide_context(LeptosNonce::from_value(visit.nonce.clone()));
    provide_context(visit);
}

/// Reads a server function's error: its status, and itself for the page.
pub fn decode_error(body: &[u8]) -> Option<(StatusCode, serde_json::Value)> {
    let error: AppError = serde_json::from_slice(body).ok()?;
    Some((StatusCode::from_u16(error.status()).ok()?, serde_json::to_value(&error).ok()?))
}

async fn signed_in(backend: &Backend, session: &Session) -> Result<Option<domain::Actor>, backend::Error> {
    match session.get::<i64>(PERSON).await.map_err(backend::Error::internal)? {
        Some(person) => accounts::actor_of(backend, person).await,
        None => Ok(None),
    }
}

fn read_echo(echo: &form_errors::FormEcho) -> Option<FormEcho> {
    let error = serde_json::from_value(echo.error.clone()).ok()?;
    Some(FormEcho { action: echo.action.clone(), error, fields: echo.fields.clone() })
}

fn theme(headers: &HeaderMap) -> Theme {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix("theme="))
        .map_or(Theme::System, Theme::parse)
}

fn header_text(headers: &HeaderMap, name: http::HeaderName) -> String {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.chars().take(400).collect()
}
