//! `/livez` and `/readyz`.
//!
//! Alive: the process answers. Ready: it has started, is not stopping, the database answers and has this version's
//! schema. A stop turns readiness off before the port closes, so that a load balancer looks elsewhere first.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::database;

/// How long the database may take to answer a question about nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// What `/readyz` looks at. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Health {
    pool: Arc<OnceLock<PgPool>>,
    stopping: CancellationToken,
}

impl Health {
    /// Starting; not ready before [`Health::started`], nor once `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> Self {
        Self { pool: Arc::default(), stopping }
    }

    /// The database is migrated and the routes are there: from now on readiness is the database's.
    pub fn started(&self, pool: PgPool) {
        // A second call has nothing to add.
        let _ = self.pool.set(pool);
    }

    /// Why this process should get no requests now; empty when it should.
    async fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.stopping.is_cancelled() {
            reasons.push("stopping".to_owned());
        }
        match self.pool.get() {
            None => reasons.push("starting: waiting for the database".to_owned()),
            Some(pool) => match tokio::time::timeout(PATIENCE, check_database(pool)).await {
                Ok(Ok(())) => {}
                Ok(Err(reason)) => reasons.push(reason.to_owned()),
                Err(_) => reasons.push("the database does not answer".to_owned()),
            },
        }
        reasons
    }
}

async fn check_database(pool: &PgPool) -> Result<(), &'static str> {
    let mut connection = pool.acquire().await.map_err(|_| "no database connection")?;
    match database::missing_migration(&mut connection).await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err("the database lacks migrations of this version"),
        Err(_) => Err("the database does not answer"),
    }
}

/// The two routes; they need no cookie, no database, and nothing of the product.
pub fn routes(health: Health) -> Router {
    Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(health)
}

async fn livez() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "status": "alive" }))).into_response()
}

async fn readyz(State(health): State<Health>) -> Response {
    let reasons = health.reasons().await;
    let (code, status) =
        if reasons.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    let body = Json(json!({ "status": status, "reasons": reasons }));
    (code, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn status(health: &Health, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes(health.clone()).oneshot(request).await.unwrap();
        let code = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        (code, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_starting_server_is_alive_but_not_ready() {
        let health = Health::new(CancellationToken::new());
        assert_eq!(status(&health, "/livez").await.0, StatusCode::OK);
        let (code, body) = status(&health, "/readyz").await;
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("starting"), "{body}");
    }

    #[tokio::test]
    async fn a_dead_database_is_reported_within_the_timeout() {
        let health = Health::new(CancellationToken::new());
        health.started(PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap());
        health.stopping.cancel();
        let began = std::time::Instant::now();
        let (code, body) = status(&health, "/readyz").await;
        assert_eq!(code, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("database") && body.contains("stopping"), "{body}");
        assert!(began.elapsed() < Duration::from_secs(2));
        assert_eq!(status(&health, "/livez").await.0, StatusCode::OK);
    }
}
