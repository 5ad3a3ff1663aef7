//! All routes and the layers around them, from the outside in.

use std::sync::Arc;

use axum::routing::get;
use axum::{Router, middleware};
use backend::Entropy;
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration;
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::cli::serve::Serving;
use crate::middleware::{client_address, cross_site, form_errors, panic, request_id, security_headers, timeouts};
use crate::render_context::{self, Site};
use crate::session_store::{self, SessionStore};
use crate::{api, assets, logging, uploads};

/// The product's routes.
pub fn build(serving: Serving) -> Router {
    let Serving { backend, config, base_url, demo, news: _, stopping: _ } = serving;
    let entropy: Arc<dyn Entropy> = Arc::new(backend::SystemEntropy);
    let backend = backend.with_rate_limits(config.rate_limits);
    let site = Site {
        backend: backend.clone(),
        base_url: base_url.origin().into(),
        https: base_url.is_https(),
        demo,
        rate_limits: config.rate_limits,
    };
    let headers = security_headers::Policy { https: base_url.is_https(), entropy: Arc::clone(&entropy) };
    let routes = Router::new()
        .merge(assets::routes())
        .nest("/api/v1", api::routes(&backend, &base_url))
        .route_layer(middleware::from_fn(logging::note_route))
        .fallback_service(pages(&site, base_url.origin()));
    let routes = match cross_site::layer(&base_url) {
        Ok(layer) => routes.layer(layer),
        Err(error) => {
            // A base URL that parsed is an origin; without the protection nothing may be served.
            tracing::error!(%error, "no cross-site protection: refusing to serve");
            Router::new()
        }
    };
    routes
        // A long RFC is a megabyte of HTML. Quickly: on a fast network compressing must not take longer than sending.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn_with_state(timeouts::BODY, timeouts::limit_body))
        .layer(middleware::from_fn_with_state(timeouts::TIME, timeouts::limit_time))
        .layer(middleware::from_fn_with_state(Arc::new(config.trusted_proxies.clone()), client_address::find))
        .layer(middleware::from_fn(panic::catch))
        .layer(middleware::from_fn_with_state(headers, security_headers::set))
        .layer(middleware::from_fn(logging::log_request))
        .layer(middleware::from_fn_with_state(entropy, request_id::assign))
}

/// Pages and server functions, with the session, and with the form that comes back when it was refused.
fn pages(site: &Site, origin: String) -> Router {
    let options = assets::leptos_options();
    let shell_options = options.clone();
    let shell = move || app::shell::shell(shell_options.clone());
    let table = generate_route_list(app::routes::Pages);
    let pages = Router::new()
        .leptos_routes_with_context(&options, table, render_context::provide, shell.clone())
        .merge(uploads::routes())
        .route_layer(middleware::from_fn(logging::note_route))
        .fallback(get(leptos_axum::render_app_async_with_context(render_context::provide, shell)))
        .with_state(options)
        .layer(middleware::from_fn_with_state(site.clone(), render_context::prepare))
        .layer(sessions(site))
        .layer(middleware::from_fn(session_store::answer_unsaved));
    form_errors::wrap(pages, origin)
}

/// The session cookie. It lives as long as a session may at most; when a session ends is the backend's rule.
fn sessions(site: &Site) -> SessionManagerLayer<SessionStore> {
    let name = if site.https { "__Host-plumbline" } else { "plumbline" };
    SessionManagerLayer::new(SessionStore(site.backend.clone()))
        .with_name(name)
        .with_secure(site.https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(Duration::days(7)))
}
