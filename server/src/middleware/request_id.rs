//! A short random name for every request: in the log, in events, in errors, in the `x-request-id` header.
//!
//! Always made here: a name chosen by a client could forge or hide lines in the log.

use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use backend::Entropy;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The response header.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The request's name; an extension of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Twelve characters, 72 random bits.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 9];
        entropy.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Middleware, outermost of all.
pub async fn assign(State(entropy): State<Arc<dyn Entropy>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::random(entropy.as_ref());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Extension, Router};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn every_request_gets_a_name_of_its_own_whatever_it_claims() {
        let entropy: Arc<dyn Entropy> = Arc::new(backend::SystemEntropy);
        let app = Router::new()
            .route("/", get(|Extension(id): Extension<RequestId>| async move { id.to_string() }))
            .layer(axum::middleware::from_fn_with_state(entropy, assign));
        let mut names = Vec::new();
        for _ in 0..2 {
            let request = Request::get("/").header(HEADER, "forged").body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            let header = response.headers()[HEADER].to_str().unwrap().to_owned();
            let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
            assert_eq!(header.as_bytes(), &body[..]);
            assert_eq!(header.len(), 12);
            names.push(header);
        }
        assert_ne!(names[0], names[1]);
    }
}
