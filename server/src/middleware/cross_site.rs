//! No other site may make a signed-in browser change something here.
//!
//! tower-http's layer decides by `Sec-Fetch-Site` and `Origin`: same origin passes, the configured base URL passes, a
//! request with neither header passes because it does not come from a browser. Left out is what carries its own proof
//! instead of a cookie: the API (bearer tokens), inbound hooks (signed), one-click unsubscribe (a secret in the path).

use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tower_http::csrf::{ConfigError, CsrfLayer, ProtectionError};

use crate::config::BaseUrl;

/// Paths that never read the cookie.
const OUTSIDE: [&str; 3] = ["/api/v1/", "/hooks/", "/unsubscribe/"];

/// The layer, with our words for a refusal.
pub type CrossSiteLayer = CsrfLayer<fn(ProtectionError) -> Response>;

/// The layer for everything the server answers.
pub fn layer(base_url: &BaseUrl) -> Result<CrossSiteLayer, ConfigError> {
    let refuse: fn(ProtectionError) -> Response = refuse;
    let layer = CsrfLayer::new().add_trusted_origin(base_url.origin())?;
    Ok(layer.with_insecure_bypass(is_outside).with_rejection_response(refuse))
}

fn is_outside(_method: &Method, uri: &Uri) -> bool {
    OUTSIDE.iter().any(|prefix| uri.path().starts_with(prefix))
}

fn refuse(_error: ProtectionError) -> Response {
    let text = "This request came from another site, so Plumbline did not act on it. Nothing was changed.\n\
                Open Plumbline in this browser and repeat the action there. If you did, the address in your browser \
                is not the one Plumbline is configured for (PLUMBLINE_BASE_URL).\n";
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::Request;
    use axum::routing::any;
    use tower::ServiceExt as _;

    use super::*;

    async fn status(method: Method, path: &str, site: Option<&str>, origin: Option<&str>) -> u16 {
        let layer = layer(&"https://plumbline.example".parse().unwrap()).unwrap();
        let app = Router::new().fallback(any(|| async { "acted" })).layer(layer);
        let mut request = Request::builder().method(method).uri(path).header("host", "internal:3000");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn only_our_own_pages_and_programs_may_change_something() {
        const OURS: Option<&str> = Some("https://plumbline.example");
        const FOREIGN: Option<&str> = Some("https://evil.example");
        let cases = [
            (Some("same-origin"), OURS, 200),
            (Some("same-origin"), None, 200),
            (Some("none"), None, 200),
            (Some("cross-site"), FOREIGN, 403),
            (Some("cross-site"), None, 403),
            (Some("cross-site"), Some("null"), 403),
            (Some("same-site"), Some("https://other.plumbline.example"), 403),
            (None, OURS, 200),
            (None, FOREIGN, 403),
            (None, Some("null"), 403),
            (None, Some("http://plumbline.example"), 403),
            (None, None, 200),
        ];
        for (site, origin, expected) in cases {
            for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                assert_eq!(status(method, "/do/comment", site, origin).await, expected, "{site:?} {origin:?}");
            }
            assert_eq!(status(Method::GET, "/rfcs", site, origin).await, 200);
            for outside in ["/api/v1/rfcs", "/hooks/1", "/unsubscribe/secret"] {
                assert_eq!(status(Method::POST, outside, site, origin).await, 200);
            }
        }
    }
}
