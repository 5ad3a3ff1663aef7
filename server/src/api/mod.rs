//! REST under `/api/v1`: one file a noun, each handler a translation to one use case and back.
//!
//! The OpenAPI document is made from the handlers' own annotations and lists every route; the HTTP tests hold each answer
//! against it.

pub mod caller;
pub mod imports;
pub mod input;
pub mod me;
pub mod people;
pub mod problem;
pub mod rfcs;
pub mod services;
pub mod teams;

use std::sync::LazyLock;

use axum::{Json, Router, middleware};
use backend::{Backend, Page};
use serde::Serialize;
use utoipa::openapi::Required;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::BaseUrl;
use caller::ApiState;
use domain::Refusal;
use problem::{Failure, Refused};

/// The document's frame; the calls come from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(title = "Plumbline", description = "Everything that the pages can do, for scripts and other tools."),
    servers((url = "/api/v1")),
    components(schemas(problem::Problem)),
    modifiers(&BearerToken),
    security(("bearer" = []))
)]
struct Document;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Ask for the next page with this; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A page of the backend in the API's words.
    pub fn of<S>(page: Page<S>, say: impl FnMut(S) -> T) -> Self {
        Self { items: page.items.into_iter().map(say).collect(), next_cursor: page.next_cursor }
    }
}

/// Every call, without state: for the routes and for the document.
fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(openapi))
        .merge(me::calls())
        .merge(people::calls())
        .merge(teams::calls())
        .merge(services::calls())
        .merge(imports::calls())
        .merge(rfcs::calls())
}

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = calls().into_openapi();
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Same key and body, same answer; another body under the same key is refused"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255))))
        .build();
    for post in document.paths.paths.values_mut().filter_map(|path| path.post.as_mut()) {
        post.parameters.get_or_insert_default().push(key.clone().into());
    }
    document
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "Common", security(()),
    responses((status = 200, body = serde_json::Value, description = "OpenAPI 3.1"), Refused))]
async fn openapi() -> Json<&'static utoipa::openapi::OpenApi> {
    static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(document);
    Json(&DOCUMENT)
}

/// The routes, to be nested under `/api/v1`.
pub fn routes(backend: &Backend, base_url: &BaseUrl) -> Router {
    let state = ApiState { backend: backend.clone(), base_url: base_url.origin().into() };
    Router::from(calls())
        // Without it the pages' fallback would answer, with the way to the sign-in page.
        .fallback(|| std::future::ready(Failure::from(Refusal::not_found("address"))))
        .layer(middleware::from_fn(caller::read_idempotency_key))
        .layer(middleware::from_fn(problem::finish))
        .with_state(state)
}
