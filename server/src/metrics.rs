//! Metrics for Prometheus, on a listener of their own (`PLUMBLINE_METRICS_LISTEN`): requests, database connections, and
//! how far the outbox is behind. Without the setting nothing is counted.

#![expect(clippy::cast_precision_loss, reason = "Prometheus counts in f64; no figure here comes near its limits")]

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use backend::{Backend, outbox};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;

/// Upper limits in seconds of the classes that requests are counted in: the bars of the product are among them.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// How often counts that nobody fetched are folded.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts counting. Once a process.
pub fn install() -> Result<PrometheusHandle, Problem> {
    let mend = "this is a mistake in Plumbline; start it without PLUMBLINE_METRICS_LISTEN";
    let problem = |error| Problem::new(format!("metrics cannot be counted: {error}"), mend);
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(problem)?
        .install_recorder()
        .map_err(problem)
}

/// Counts an answer. `route` is the pattern that matched, not what was asked for: there are few of them.
pub fn answered(route: Option<&str>, status: u16, took: Duration) {
    let route = route.unwrap_or("none").to_owned();
    metrics::histogram!("plumbline_http_request_seconds", "route" => route.clone()).record(took);
    metrics::counter!("plumbline_http_requests_total", "route" => route, "status" => status.to_string()).increment(1);
}

/// Serves `GET /metrics` until the server stops.
pub async fn serve(listener: TcpListener, handle: PrometheusHandle, backend: Backend, stopping: CancellationToken) {
    let upkeep = {
        let handle = handle.clone();
        async move {
            loop {
                tokio::time::sleep(UPKEEP).await;
                handle.run_upkeep();
            }
        }
    };
    let routes = Router::new().route("/metrics", get(render)).with_state((handle, backend));
    let server = axum::serve(listener, routes).with_graceful_shutdown(stopping.clone().cancelled_owned());
    tokio::select! {
        _ = server => {}
        () = upkeep => {}
        () = stopping.cancelled() => {}
    }
}

async fn render(State((handle, backend)): State<(PrometheusHandle, Backend)>) -> Response {
    let pool = backend.pool();
    metrics::gauge!("plumbline_database_connections").set(f64::from(pool.size()));
    metrics::gauge!("plumbline_database_connections_idle").set(pool.num_idle() as f64);
    // Asks it for a sign of life.
    let up = pool.acquire().await.is_ok();
    metrics::gauge!("plumbline_database_up").set(f64::from(u8::from(up)));
    match outbox::lag(&backend).await {
        Ok(lag) => {
            for lag in lag {
                for (name, value) in [
                    ("plumbline_outbox_due", lag.due),
                    ("plumbline_outbox_oldest_seconds", lag.oldest_seconds),
                    ("plumbline_outbox_planned", lag.planned),
                    ("plumbline_outbox_dead", lag.dead),
                ] {
                    metrics::gauge!(name, "kind" => lag.kind.clone()).set(value as f64);
                }
            }
        }
        // The other figures are worth having all the more.
        Err(error) => tracing::warn!(%error, "how far the outbox is behind could not be counted"),
    }
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
        .into_response()
}
