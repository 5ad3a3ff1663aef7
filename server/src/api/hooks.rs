//! `/hooks`: addresses at which others report something.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::hooks::{self, Hook, Made, Purpose};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, versioned};
use super::input::{Json, Path};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, revoke)).routes(routes!(rotate))
}

/// A hook.
#[derive(Serialize, ToSchema)]
#[schema(as = Hook)]
struct HookBody {
    id: String,
    name: String,
    /// What becomes of what comes in: `incidents`.
    #[schema(value_type = String)]
    purpose: Purpose,
    /// Where to send it.
    url: String,
    /// Until when the secret before the newest is taken, too.
    previous_secret_until: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
    /// When something came in last.
    last_call_at: Option<Timestamp>,
}

impl HookBody {
    fn of(hook: Hook, origin: &str) -> Self {
        let url = format!("{origin}{}", app::urls::hook(&hook.id));
        let Hook { key: _, id, name, purpose, previous_secret_until, version, created_at, last_call_at } = hook;
        Self { id, name, purpose, url, previous_secret_until, version, created_at, last_call_at }
    }
}

/// A hook with its new secret.
#[derive(Serialize, ToSchema)]
struct HookMade {
    /// `whsec_…`: shown this once.
    secret: String,
    #[serde(flatten)]
    hook: HookBody,
}

impl HookMade {
    fn of(Made { hook, secret }: Made, origin: &str) -> Self {
        Self { secret: secret.expose(), hook: HookBody::of(hook, origin) }
    }
}

/// What to write about a hook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HookPost {
    /// Who calls it.
    name: String,
    /// `incidents`.
    purpose: String,
}

type State = axum::extract::State<ApiState>;

/// The hooks that work
#[utoipa::path(get, path = "/hooks", tag = "Webhooks", responses((status = 200, body = List<HookBody>), Refused))]
async fn list(
    axum::extract::State(state): State,
    Caller { backend, actor }: Caller,
) -> Result<PlainJson<List<HookBody>>, Failure> {
    let hooks = hooks::list(&backend, &actor).await?;
    let items = hooks.into_iter().map(|hook| HookBody::of(hook, &state.base_url)).collect();
    Ok(PlainJson(List { items, next_cursor: None }))
}

/// Make a hook; its secret is in this answer only
#[utoipa::path(post, path = "/hooks", tag = "Webhooks", request_body = HookPost,
    responses((status = 201, body = HookMade, headers(("ETag", description = "The version"))), Refused))]
async fn create(
    axum::extract::State(state): State,
    Caller { backend, actor }: Caller,
    Json(sent): Json<HookPost>,
) -> Result<impl IntoResponse, Failure> {
    let made = hooks::create(&backend, &actor, &sent.name, &sent.purpose).await?;
    Ok((StatusCode::CREATED, versioned(made.hook.version, HookMade::of(made, &state.base_url))))
}

/// One hook
#[utoipa::path(get, path = "/hooks/{id}", tag = "Webhooks", params(("id", description = "The hook")),
    responses((status = 200, body = HookBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(
    axum::extract::State(state): State,
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    let hook = hooks::get(&backend, &actor, &id).await?;
    Ok(versioned(hook.version, HookBody::of(hook, &state.base_url)))
}

/// Revoke a hook, at once and for good
#[utoipa::path(delete, path = "/hooks/{id}", tag = "Webhooks",
    params(("id", description = "The hook"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 204), Refused))]
async fn revoke(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    hooks::revoke(&backend, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a hook a new secret, in this answer only; the one before is taken for another day
#[utoipa::path(post, path = "/hooks/{id}/rotate", tag = "Webhooks",
    params(("id", description = "The hook"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = HookMade, headers(("ETag", description = "The version"))), Refused))]
async fn rotate(
    axum::extract::State(state): State,
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    let made = hooks::rotate(&backend, &actor, &id).await?;
    Ok(versioned(made.hook.version, HookMade::of(made, &state.base_url)))
}
