//! `/services`: what is reviewed.

use axum::Json as PlainJson;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use backend::services::{self, Filter, Found, Link, Service, ServiceInput, ServiceSummary};
use domain::service::Tier;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, IfMatch, versioned};
use super::input::{Json, Paging, Path, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, put))
        .routes(routes!(archive))
        .routes(routes!(unarchive))
        .routes(routes!(rename))
}

/// A link on a service's page.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkBody {
    title: String,
    /// `https://` or `http://`.
    url: String,
}

/// A service.
#[derive(Serialize, ToSchema)]
#[schema(as = Service)]
struct ServiceBody {
    slug: String,
    name: String,
    /// 1 critical, 2 important, 3 supporting.
    #[schema(value_type = i16)]
    tier: Tier,
    /// Slug of the owner; null when nobody owns it.
    team: Option<String>,
    description: String,
    /// Slugs.
    depends_on: Vec<String>,
    /// Slugs of the services that need this one.
    depended_on_by: Vec<String>,
    links: Vec<LinkBody>,
    labels: Vec<String>,
    archived_at: Option<Timestamp>,
    version: i64,
}

impl From<Service> for ServiceBody {
    fn from(service: Service) -> Self {
        let slugs = |services: Vec<services::ServiceRef>| services.into_iter().map(|service| service.slug).collect();
        Self {
            slug: service.slug,
            name: service.name,
            tier: service.tier,
            team: service.team.map(|team| team.slug),
            description: service.description,
            depends_on: slugs(service.depends_on),
            depended_on_by: slugs(service.depended_on_by),
            links: service.links.into_iter().map(|Link { title, url }| LinkBody { title, url }).collect(),
            labels: service.labels,
            archived_at: service.archived_at,
            version: service.version,
        }
    }
}

/// A service in a list.
#[derive(Serialize, ToSchema)]
struct ServiceRow {
    slug: String,
    name: String,
    /// 1 critical, 2 important, 3 supporting.
    #[schema(value_type = i16)]
    tier: Tier,
    /// Slug of the owner; null when nobody owns it.
    team: Option<String>,
    description: String,
    labels: Vec<String>,
    archived_at: Option<Timestamp>,
    version: i64,
}

impl From<ServiceSummary> for ServiceRow {
    fn from(service: ServiceSummary) -> Self {
        Self {
            slug: service.slug,
            name: service.name,
            tier: service.tier,
            team: service.team.map(|team| team.slug),
            description: service.description,
            labels: service.labels,
            archived_at: service.archived_at,
            version: service.version,
        }
    }
}

/// What to write about a service.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ServicePut {
    name: String,
    /// 1 critical, 2 important, 3 supporting.
    tier: i64,
    /// Slug of the owner; null for nobody.
    team: Option<String>,
    #[serde(default)]
    description: String,
    /// Slugs.
    #[serde(default)]
    depends_on: Vec<String>,
    #[serde(default)]
    links: Vec<LinkBody>,
    #[serde(default)]
    labels: Vec<String>,
}

/// A new address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenamePost {
    slug: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words in name, slug or description.
    q: Option<String>,
    /// Slug of the owner.
    team: Option<String>,
    /// 1, 2 or 3.
    tier: Option<i64>,
    /// Show archived ones instead.
    #[serde(default)]
    archived: bool,
}

/// Services, by name
#[utoipa::path(get, path = "/services", tag = "Services", params(Wanted, Paging),
    responses((status = 200, body = List<ServiceRow>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<ServiceRow>>, Failure> {
    let tier = wanted.tier.map(Tier::parse).transpose()?;
    let filter = Filter { q: wanted.q, team: wanted.team, tier, archived: wanted.archived };
    let page = services::list(&backend, &actor, &filter, &paging.into()).await?;
    Ok(PlainJson(List::of(page, ServiceRow::from)))
}

/// One service
#[utoipa::path(get, path = "/services/{slug}", tag = "Services", params(("slug", description = "The service")),
    responses((status = 200, body = ServiceBody, headers(("ETag", description = "The version"))),
        (status = 308, description = "It was renamed", headers(("Location", description = "Its address now"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(slug): Path<String>) -> Result<Response, Failure> {
    Ok(match services::get(&backend, &actor, &slug).await? {
        Found::Here(service) => versioned(service.version, ServiceBody::from(*service)).into_response(),
        Found::Moved { to } => {
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, format!("/api/v1/services/{to}"))]).into_response()
        }
    })
}

/// Create or change a service
#[utoipa::path(put, path = "/services/{slug}", tag = "Services", request_body = ServicePut,
    params(("slug", description = "The service"), ("If-Match" = Option<String>, Header, description = "The version to change; none to create")),
    responses((status = 200, body = ServiceBody, headers(("ETag", description = "The version"))),
        (status = 201, body = ServiceBody, headers(("ETag", description = "The version"))), Refused))]
async fn put(
    Caller { backend, actor }: Caller,
    Path(slug): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<ServicePut>,
) -> Result<impl IntoResponse, Failure> {
    let input = ServiceInput {
        name: sent.name,
        tier: sent.tier,
        team: sent.team,
        description: sent.description,
        depends_on: sent.depends_on,
        links: sent.links.into_iter().map(|LinkBody { title, url }| Link { title, url }).collect(),
        labels: sent.labels,
    };
    let (service, created) = services::put(&backend, &actor, &slug, expected, input).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, versioned(service.version, ServiceBody::from(service))))
}

/// Archive a service; nothing that belongs to it is lost
#[utoipa::path(post, path = "/services/{slug}/archive", tag = "Services", 
    params(("slug", description = "The service"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = ServiceBody, headers(("ETag", description = "The version"))), Refused))]
async fn archive(Caller { backend, actor }: Caller, Path(slug): Path<String>) -> Result<impl IntoResponse, Failure> {
    let service = services::archive(&backend, &actor, &slug).await?;
    Ok(versioned(service.version, ServiceBody::from(service)))
}

/// Bring an archived service back
#[utoipa::path(post, path = "/services/{slug}/unarchive", tag = "Services", 
    params(("slug", description = "The service"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = ServiceBody, headers(("ETag", description = "The version"))), Refused))]
async fn unarchive(Caller { backend, actor }: Caller, Path(slug): Path<String>) -> Result<impl IntoResponse, Failure> {
    let service = services::unarchive(&backend, &actor, &slug).await?;
    Ok(versioned(service.version, ServiceBody::from(service)))
}

/// Give a service another address; the old one redirects
#[utoipa::path(post, path = "/services/{slug}/rename", tag = "Services", request_body = RenamePost,
    params(("slug", description = "The service"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = ServiceBody, headers(("ETag", description = "The version"))), Refused))]
async fn rename(
    Caller { backend, actor }: Caller,
    Path(slug): Path<String>,
    Json(sent): Json<RenamePost>,
) -> Result<impl IntoResponse, Failure> {
    let service = services::rename(&backend, &actor, &slug, &sent.slug).await?;
    Ok(versioned(service.version, ServiceBody::from(service)))
}
