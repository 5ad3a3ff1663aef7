//! `/teams`: who owns services.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::accounts::teams::{self, Team, TeamInput, TeamSummary};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, IfMatch, versioned};
use super::input::{Json, Paging, Path, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get, put))
}

/// A team.
#[derive(Serialize, ToSchema)]
#[schema(as = Team)]
struct TeamBody {
    slug: String,
    name: String,
    /// Addresses of its members.
    members: Vec<String>,
    /// Slugs of the services it owns, archived ones not counted.
    services: Vec<String>,
    version: i64,
}

impl From<Team> for TeamBody {
    fn from(team: Team) -> Self {
        Self {
            slug: team.slug,
            name: team.name,
            members: team.members.into_iter().map(|member| member.email).collect(),
            services: team.services.into_iter().map(|service| service.slug).collect(),
            version: team.version,
        }
    }
}

/// A team in a list.
#[derive(Serialize, ToSchema)]
struct TeamRow {
    slug: String,
    name: String,
    /// How many people belong to it.
    members: i64,
    /// How many services it owns, archived ones not counted.
    services: i64,
    version: i64,
}

impl From<TeamSummary> for TeamRow {
    fn from(team: TeamSummary) -> Self {
        let TeamSummary { slug, name, members, services, version } = team;
        Self { slug, name, members, services, version }
    }
}

/// What to write about a team.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamPut {
    name: String,
    /// Addresses of everybody who belongs to it; absent leaves the members as they are.
    members: Option<Vec<String>>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words in name or slug.
    q: Option<String>,
}

/// All teams
#[utoipa::path(get, path = "/teams", tag = "Teams", params(Wanted, Paging),
    responses((status = 200, body = List<TeamRow>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<TeamRow>>, Failure> {
    let page = teams::list(&backend, &actor, wanted.q.as_deref(), &paging.into()).await?;
    Ok(PlainJson(List::of(page, TeamRow::from)))
}

/// One team
#[utoipa::path(get, path = "/teams/{slug}", tag = "Teams", params(("slug", description = "The team")),
    responses((status = 200, body = TeamBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(slug): Path<String>) -> Result<impl IntoResponse, Failure> {
    let team = TeamBody::from(teams::get(&backend, &actor, &slug).await?);
    Ok(versioned(team.version, team))
}

/// Create or change a team
#[utoipa::path(put, path = "/teams/{slug}", tag = "Teams", request_body = TeamPut,
    params(("slug", description = "The team"), ("If-Match" = Option<String>, Header, description = "The version to change; none to create")),
    responses((status = 200, body = TeamBody, headers(("ETag", description = "The version"))),
        (status = 201, body = TeamBody, headers(("ETag", description = "The version"))), Refused))]
async fn put(
    Caller { backend, actor }: Caller,
    Path(slug): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<TeamPut>,
) -> Result<impl IntoResponse, Failure> {
    let input = TeamInput { name: sent.name, members: sent.members };
    let (team, created) = teams::put(&backend, &actor, &slug, expected, input).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, versioned(team.version, TeamBody::from(team))))
}
