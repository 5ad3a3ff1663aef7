//! `/incidents/types`: what kinds of incidents there are.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::incidents::types::{self, IncidentType, TypeInput};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::List;
use crate::api::caller::{ApiState, Caller, IfMatch, versioned};
use crate::api::input::{Json, Path, Query};
use crate::api::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put))
}

/// A type of incident.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentType)]
struct TypeBody {
    #[schema(example = "config_change")]
    slug: String,
    name: String,
    /// From 1.
    position: i32,
    /// Since when nobody chooses it any more.
    #[schema(value_type = Option<String>, format = DateTime)]
    archived_at: Option<Timestamp>,
    /// How many incidents have it.
    incidents: i64,
    version: i64,
}

impl From<IncidentType> for TypeBody {
    fn from(found: IncidentType) -> Self {
        let IncidentType { slug, name, position, archived_at, incidents, version } = found;
        Self { slug, name, position, archived_at, incidents, version }
    }
}

/// What to write about a type.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TypePut {
    name: String,
    /// From 1; the others make room. Where it is, or last, when left out.
    position: Option<i64>,
    /// Nobody chooses it any more; what has it keeps it.
    #[serde(default)]
    archived: bool,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Archived ones, too.
    #[serde(default)]
    archived: bool,
}

/// The types, in their order, on one page
#[utoipa::path(get, path = "/incidents/types", tag = "Incidents", params(Wanted),
    responses((status = 200, body = List<TypeBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<PlainJson<List<TypeBody>>, Failure> {
    let found = types::list(&backend, &actor, wanted.archived).await?;
    Ok(PlainJson(List { items: found.into_iter().map(TypeBody::from).collect(), next_cursor: None }))
}

/// One type
#[utoipa::path(get, path = "/incidents/types/{slug}", tag = "Incidents", params(("slug", description = "The type")),
    responses((status = 200, body = TypeBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(slug): Path<String>) -> Result<impl IntoResponse, Failure> {
    let found = types::get(&backend, &actor, &slug).await?;
    Ok(versioned(found.version, TypeBody::from(found)))
}

/// Add or change a type
#[utoipa::path(put, path = "/incidents/types/{slug}", tag = "Incidents", request_body = TypePut,
    params(("slug", description = "The type"), ("If-Match" = Option<String>, Header, description = "The version to change; none to add")),
    responses((status = 200, body = TypeBody, headers(("ETag", description = "The version"))),
        (status = 201, body = TypeBody, headers(("ETag", description = "The version"))), Refused))]
async fn put(
    Caller { backend, actor }: Caller,
    Path(slug): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<TypePut>,
) -> Result<impl IntoResponse, Failure> {
    let input = TypeInput { name: sent.name, position: sent.position, archived: sent.archived };
    let (found, new) = types::put(&backend, &actor, &slug, expected, input).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, versioned(found.version, TypeBody::from(found))))
}
