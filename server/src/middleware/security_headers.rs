//! Headers that tell a browser what this site never does, so that a mistake of ours cannot be used against its reader.
//!
//! Pages get a Content-Security-Policy with a nonce of their own (the extension [`Nonce`]); everything else may load
//! nothing at all. A handler that sets a header itself keeps its value.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use backend::Entropy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Marks the scripts of one page as ours; an extension of every request.
#[derive(Debug, Clone)]
pub struct Nonce(pub Arc<str>);

/// What the headers depend on.
#[derive(Clone)]
pub struct Policy {
    /// People reach us by https: browsers may refuse anything else from now on.
    pub https: bool,
    /// Where nonces come from.
    pub entropy: Arc<dyn Entropy>,
}

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: a form post finds back to its page by the Referer.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()",
    ),
    // Whoever uses the browser after signing out must not find pages in it. Assets say otherwise themselves.
    (header::CACHE_CONTROL, "no-store"),
];

/// For everything that is not a page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
const HSTS: &str = "max-age=31536000";

/// Middleware, outside everything that makes answers.
pub async fn set(State(policy): State<Policy>, mut request: Request, next: Next) -> Response {
    let mut bytes = [0; 16];
    policy.entropy.fill(&mut bytes);
    let nonce: Arc<str> = STANDARD_NO_PAD.encode(bytes).into();
    request.extensions_mut().insert(Nonce(Arc::clone(&nonce)));

    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let content = if is_page { HeaderValue::try_from(for_pages(&nonce)).ok() } else { None };
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(content.unwrap_or(HeaderValue::from_static(NOTHING)));
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if policy.https {
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static(HSTS));
    }
    response
}

fn for_pages(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'"
    )
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::response::Html;
    use axum::routing::get;
    use axum::{Extension, Json, Router};
    use tower::ServiceExt as _;

    use super::*;

    async fn get_path(path: &str, https: bool) -> Response {
        let policy = Policy { https, entropy: Arc::new(backend::SystemEntropy) };
        let app = Router::new()
            .route("/page", get(|Extension(nonce): Extension<Nonce>| async move { Html(nonce.0.to_string()) }))
            .route("/json", get(|| async { Json(1) }))
            .route("/asset", get(|| async { ([(header::CACHE_CONTROL, "immutable")], "x") }))
            .layer(axum::middleware::from_fn_with_state(policy, set));
        app.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn a_page_may_run_only_scripts_with_its_own_nonce() {
        let mut nonces = Vec::new();
        for _ in 0..2 {
            let response = get_path("/page", true).await;
            let csp = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            let nonce = to_bytes(response.into_body(), 100).await.unwrap();
            let nonce = String::from_utf8(nonce.to_vec()).unwrap();
            assert!(csp.contains(&format!("script-src 'nonce-{nonce}' 'strict-dynamic'")), "{csp}");
            assert!(!csp.contains("unsafe-inline"), "{csp}");
            nonces.push(nonce);
        }
        assert_ne!(nonces[0], nonces[1]);
    }

    #[tokio::test]
    async fn other_answers_may_load_nothing_and_assets_keep_their_lifetime() {
        let response = get_path("/json", true).await;
        assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], NOTHING);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(get_path("/asset", true).await.headers()[header::CACHE_CONTROL], "immutable");
    }

    #[tokio::test]
    async fn https_is_demanded_only_where_it_is_spoken() {
        assert!(get_path("/page", true).await.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert!(!get_path("/page", false).await.headers().contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
