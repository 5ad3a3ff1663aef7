//! `GET /me`.

use axum::Json;
use domain::Role;
use domain::policy::{Action, allows};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::{ApiState, Caller};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(me))
}

/// The token's owner.
#[derive(Serialize, ToSchema)]
struct Me {
    email: String,
    name: String,
    #[schema(value_type = String, example = "sre")]
    role: Role,
    /// IANA name.
    time_zone: String,
    /// What this token may: `read`, `write`, `admin`.
    scopes: Vec<&'static str>,
}

/// Who this token belongs to
#[utoipa::path(get, path = "/me", tag = "Common", responses((status = 200, body = Me), Refused))]
async fn me(Caller { actor, .. }: Caller) -> Result<Json<Me>, Failure> {
    allows(&actor, Action::Read)?;
    let scopes = [("read", actor.scopes.read), ("write", actor.scopes.write), ("admin", actor.scopes.admin)];
    Ok(Json(Me {
        email: actor.email,
        name: actor.name,
        role: actor.role,
        time_zone: actor.time_zone,
        scopes: scopes.into_iter().filter(|(_, has)| *has).map(|(scope, _)| scope).collect(),
    }))
}
