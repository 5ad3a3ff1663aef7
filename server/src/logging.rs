//! The log on standard error, and the one line every request leaves in it.
//!
//! A line names the route (without a match the path's first segment), never the query, body, cookies or tokens. JSON escapes line breaks; so do the quoted values of
//! the pretty form: nobody can forge a line.

use std::io::IsTerminal as _;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Extensions;
use axum::middleware::Next;
use axum::response::Response;
use domain::Actor;
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;
use crate::metrics;
use crate::middleware::request_id::RequestId;

/// Starts logging. `format`: `None` is pretty on a terminal, JSON otherwise. Commands other than `serve` stay quiet
/// unless something is wrong.
pub fn init(format: Option<LogFormat>, filter: Option<&str>, serving: bool) {
    let usual = if serving { "info,sqlx=warn" } else { "warn" };
    let filter = EnvFilter::try_new(filter.unwrap_or(usual)).unwrap_or_else(|_| EnvFilter::new(usual));
    let terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A closed or full standard error must not become a panic.
        .log_internal_errors(false);
    // `try_init` fails when a test has set a subscriber before.
    let _ = match format {
        // The request, with its id, is the outermost span: list them all.
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Pretty => builder.with_ansi(terminal).try_init(),
    };
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(location, message, "panic");
    }));
}

/// The span of a request, among its extensions: layers between open spans of their own.
#[derive(Debug, Clone)]
struct RequestSpan(tracing::Span);

/// Middleware, outermost after the request id: one line when the answer is ready.
pub async fn log_request(mut request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let method = request.method().clone();
    let start = first_segment(request.uri().path());
    let began = Instant::now();
    let span = tracing::info_span!("request", request_id = id, person = tracing::field::Empty);
    request.extensions_mut().insert(RequestSpan(span.clone()));
    async move {
        let response = next.run(request).await;
        let route = response.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let took = began.elapsed();
        metrics::answered(route, response.status().as_u16(), took);
        tracing::info!(
            method = method.as_str(),
            path = route.unwrap_or(&start),
            status = response.status().as_u16(),
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}

/// What is logged of a path that matched no route: the rest may hold a secret, as that of an invitation does.
fn first_segment(path: &str) -> String {
    let mut segments = path.trim_start_matches('/').splitn(2, '/');
    let first: String = segments.next().unwrap_or_default().chars().take(40).collect();
    let rest = if segments.next().is_some_and(|rest| !rest.is_empty()) { "/…" } else { "" };
    format!("/{first}{rest}")
}

/// Names the person who asks in every line that this request logs from here on.
pub fn note_person(request: &Extensions, actor: &Actor) {
    if let Some(RequestSpan(span)) = request.get() {
        span.record("person", actor.id);
    }
}

/// Middleware for `Router::route_layer`: tells [`log_request`], which stands outside the router, what matched.
pub async fn note_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_a_route_is_not_written_out() {
        assert_eq!(first_segment("/"), "/");
        assert_eq!(first_segment("/rfcs"), "/rfcs");
        assert_eq!(first_segment("/invitations/sesame"), "/invitations/…");
        assert_eq!(first_segment("//setup/sesame"), "/setup/…");
        assert_eq!(first_segment(&"ä".repeat(100)).chars().count(), 41);
    }
}
