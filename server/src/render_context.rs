//! What pages and server functions find in their context: one [`Visit`] a request, made here from the session, the
//! headers and the layers outside.

use std::sync::Arc;

use app::error::AppError;
use app::form_echo::FormEcho;
use app::session::{PERSON, Theme, Visit};
use app::ui::Done;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use backend::notices::inbox;
use backend::{Backend, Once, accounts};
use domain::Refusal;
use http::{HeaderMap, Method, StatusCode, header};
use leptos::nonce::Nonce as LeptosNonce;
use leptos::prelude::{FromServerFnError as _, provide_context, use_context};
use server_fn::error::SERVER_FN_ERROR_HEADER;
use tower_sessions::Session;

use crate::live::hub::Hub;
use crate::logging;
use crate::middleware::answer::Answer;
use crate::middleware::client_address::ClientAddress;
use crate::middleware::form_errors::SERVER_FUNCTIONS;
use crate::middleware::request_id::RequestId;
use crate::middleware::security_headers::Nonce;

/// What every visit has in common.
#[derive(Clone)]
pub struct Site {
    /// The use cases.
    pub backend: Backend,
    /// Who listens to live pages.
    pub hub: Hub,
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
const OPEN: [&str; 5] = ["/sign-in", "/setup/", "/invitations/", "/unsubscribe/", "/do/"];

/// Middleware: finds out who is asking, sends whoever must sign in first to the sign-in page, and leaves the [`Visit`]
/// among the request's extensions. Server functions under `/do/` decide for themselves.
pub async fn prepare(State(site): State<Site>, session: Session, mut request: Request, next: Next) -> Response {
    let (path, done) = Done::take(request.uri().path_and_query().map_or("/", |path| path.as_str()));
    let extensions = request.extensions();
    let echo = extensions.get::<Arc<FormEcho>>().cloned();
    let request_id = extensions.get::<RequestId>().map_or("-", RequestId::as_str).to_owned();
    let backend = site.backend.for_request(&request_id, extensions.get::<Once>().cloned());
    let actor = match signed_in(&backend, &session).await {
        Ok(actor) => actor,
        Err(error) => {
            tracing::error!(request_id, %error, "cannot find out who is signed in");
            return busy(&request);
        }
    };
    if let Some(actor) = &actor {
        logging::note_person(request.extensions(), actor);
    }
    let open = OPEN.iter().any(|open| path.starts_with(open));
    if actor.is_none() && !open && request.method() == Method::GET {
        return Redirect::to(&app::urls::sign_in(Some(&path))).into_response();
    }
    let unread = match &actor {
        Some(actor) if request.method() == Method::GET => unread(&backend, actor).await,
        _ => 0,
    };
    let visit = Visit {
        // Before anything is read: what happens from here on is told to the page.
        live_after: site.hub.place().map(|place| place.to_string()),
        backend,
        actor,
        unread,
        nonce: extensions.get::<Nonce>().map_or_else(String::new, |nonce| nonce.0.to_string()),
        request_id,
        path,
        done: done.filter(|_| echo.is_none()),
        address: extensions.get::<ClientAddress>().map_or_else(String::new, |address| address.0.to_string()),
        user_agent: header_text(request.headers(), header::USER_AGENT),
        theme: Theme::chosen(request.headers()),
        echo,
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

/// The answer while the database does not say who is asking. To a form it is that of a server function: the layer around
/// it gives the person back what they wrote.
fn busy(request: &Request) -> Response {
    let error = AppError::from(Refusal::Busy { retry_after_seconds: 2 });
    if request.uri().path().starts_with(SERVER_FUNCTIONS) {
        let headers = [(SERVER_FN_ERROR_HEADER, request.uri().path().to_owned())];
        return (StatusCode::SERVICE_UNAVAILABLE, headers, error.ser()).into_response();
    }
    let answer = Answer::to(request).with(StatusCode::SERVICE_UNAVAILABLE, "One moment", &error.to_string());
    ([(header::RETRY_AFTER, "2")], answer).into_response()
}

/// For the bar on top of the page, which can do without.
async fn unread(backend: &Backend, actor: &domain::Actor) -> i64 {
    inbox::unread(backend, actor.id).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot count what is unread");
        0
    })
}

async fn signed_in(backend: &Backend, session: &Session) -> Result<Option<domain::Actor>, backend::Error> {
    match session.get::<i64>(PERSON).await.map_err(backend::Error::internal)? {
        Some(person) => accounts::actor_of(backend, person).await,
        None => Ok(None),
    }
}

fn header_text(headers: &HeaderMap, name: http::HeaderName) -> String {
    let text = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.chars().take(400).collect()
}
