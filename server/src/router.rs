//! All routes and the layers around them.

use axum::Router;

use crate::cli::serve::Serving;

/// The product's routes.
pub fn build(_serving: Serving) -> Router {
    Router::new()
}
