//! The whole router on a database of its own, and people who send requests to it. Every answer of the REST API is held
//! against the OpenAPI document.

mod contract;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use backend::accounts::sessions::{self, Content};
use backend::accounts::tokens::{self, NewToken};
use backend::entropy;
use backend::testing::{self, TestBackend};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Actor, Role};
use serde_json::Value;
use server::cli::serve::Serving;
use server::config::Config;
use server::jobs::news::{self, News};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Where the product believes it is.
pub const BASE_URL: &str = "http://plumbline.test";
/// A password that the policy accepts.
pub const PASSWORD: &str = "correct horse battery staple 9";

/// The product, without a network.
pub struct TestApp {
    /// The use cases, with a clock that stands still.
    pub backend: TestBackend,
    /// All routes.
    pub router: Router,
    /// Stops the product.
    pub stopping: CancellationToken,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Somebody with a browser session and a token.
#[derive(Clone)]
pub struct Persona {
    pub actor: Actor,
    pub cookie: String,
    pub token: String,
}

/// What runs beside the routes ends with the test, and gives its connections back.
impl Drop for TestApp {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

impl TestApp {
    /// A fresh product.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A fresh product with further environment variables.
    pub async fn with(vars: &[(&str, &str)]) -> Self {
        let mut backend = testing::backend().await;
        backend.backend = backend.backend.with_base_url(BASE_URL);
        Self::on(backend, vars, News::default(), CancellationToken::new())
    }

    /// The product on this backend. Of what a server does by itself, it only says when something was committed.
    pub fn on(backend: TestBackend, vars: &[(&str, &str)], news: News, stopping: CancellationToken) -> Self {
        let vars = [("PLUMBLINE_BASE_URL", BASE_URL)].iter().chain(vars);
        let vars = vars.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::from_vars(vars, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
        let serving = Serving {
            backend: backend.backend.clone(),
            base_url: config.base_url(([127, 0, 0, 1], 3000).into()),
            config: Arc::new(config),
            demo: false,
            news: news.clone(),
            stopping: stopping.clone(),
        };
        tokio::spawn(news::announce(backend.backend.clone(), news, stopping.clone()));
        Self { router: server::router::build(serving), backend, stopping }
    }

    /// Adds a person with a session and a token that reaches as far as their role.
    pub async fn person(&self, name: &str, role: Role, team: Option<&str>) -> Persona {
        let actor = testing::person(&self.backend, name, role, team).await;
        let cookie = self.session(&actor).await;
        let token = self.token(&actor, &["read", "write", "admin"]).await;
        Persona { actor, cookie, token }
    }

    /// A session of this person, as the cookie has it.
    async fn session(&self, actor: &Actor) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id = i128::from(NEXT.fetch_add(1, Ordering::Relaxed)).to_le_bytes();
        let content = Content {
            person: Some(actor.id.into()),
            data: serde_json::json!({ "person": actor.id }),
            user_agent: String::new(),
            address: String::new(),
        };
        let begun = sessions::create(&self.backend, &entropy::hash_bytes(&id), &content).await.unwrap();
        assert_eq!(begun, sessions::Begun::Yes);
        format!("plumbline={}", URL_SAFE_NO_PAD.encode(id))
    }

    /// A token of this person with these scopes.
    pub async fn token(&self, actor: &Actor, scopes: &[&str]) -> String {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let new = NewToken { name: "test".to_owned(), scopes, days: None };
        tokens::create(&self.backend, &Actor::operator(), &actor.email, new).await.unwrap()
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 32 * 1024 * 1024).await.unwrap();
        if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
            assert_eq!(length.to_str().unwrap(), bytes.len().to_string());
        }
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// A page, as a browser asks for it.
    pub async fn page(&self, who: Option<&Persona>, path: &str) -> Answer {
        let mut request = Request::get(path).header(header::ACCEPT, "text/html").header(header::HOST, "plumbline.test");
        if let Some(who) = who {
            request = request.header(header::COOKIE, &who.cookie);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// An answer that has no end: its head, and its body piece by piece.
    pub async fn open(&self, who: Option<&Persona>, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
        let mut request = Request::get(path).header(header::HOST, "plumbline.test");
        if let Some(who) = who {
            request = request.header(header::COOKIE, &who.cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// A form of the page `on`, sent by a browser without JavaScript.
    pub async fn form(&self, who: Option<&Persona>, on: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(action)
            .header(header::ACCEPT, "text/html")
            .header(header::HOST, "plumbline.test")
            .header(header::ORIGIN, BASE_URL)
            .header(header::REFERER, format!("{BASE_URL}{on}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(who) = who {
            request = request.header(header::COOKIE, &who.cookie);
        }
        self.send(request.body(Body::from(encode(fields))).unwrap()).await
    }

    /// A call of the REST API; `body` null sends none.
    pub async fn call(&self, who: Option<&Persona>, method: &str, path: &str, body: Value) -> Answer {
        self.call_with(who, method, path, body, &[]).await
    }

    /// A call with further headers.
    pub async fn call_with(
        &self,
        who: Option<&Persona>,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(who) = who {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", who.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let answer = self.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap()).await;
        contract::check(method, path, &answer);
        answer
    }
}

/// Fields as a form sends them.
pub fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
