//! `/rfcs`, `/threads`, `/comments`: RFCs and their review.

mod comments;
mod revisions;
mod threads;

use axum::Json as PlainJson;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use backend::Backend;
use backend::rfcs::create::{self, NewRfc};
use backend::rfcs::list::{self, Filter, Listed};
use backend::rfcs::read::{self, Rfc};
use backend::rfcs::status::{self, ChangeStatus};
use backend::rfcs::update::{self, UpdateRfc};
use backend::rfcs::{PersonRef, ServiceRef, renderings};
use domain::Refusal;
use domain::rfc::{Kind, Status};
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
        .routes(routes!(list, create))
        .routes(routes!(get, patch, delete))
        .routes(routes!(change_status))
        .merge(revisions::calls())
        .merge(threads::calls())
        .merge(comments::calls())
}

/// A new RFC.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RfcPost {
    title: String,
    /// `architecture`, `slo`, `launch`, `process` or `other`.
    kind: String,
    /// Markdown, kept byte for byte after CRLF became LF; at most 512 KiB.
    body: String,
    /// Slugs of the services it touches.
    #[serde(default)]
    services: Vec<String>,
}

/// The RFC just written.
#[derive(Serialize, ToSchema)]
struct RfcCreated {
    number: i64,
    slug: String,
    #[schema(value_type = String, example = "draft")]
    status: Status,
    revision: i32,
    version: i64,
    /// Its page.
    url: String,
}

/// An RFC in a list.
#[derive(Serialize, ToSchema)]
struct RfcRow {
    number: i64,
    slug: String,
    title: String,
    #[schema(value_type = String, example = "architecture")]
    kind: Kind,
    #[schema(value_type = String, example = "in_review")]
    status: Status,
    /// The newest one.
    revision: i32,
    /// Addresses.
    authors: Vec<String>,
    /// Slugs.
    services: Vec<String>,
    open_threads: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: i64,
}

impl From<Listed> for RfcRow {
    fn from(rfc: Listed) -> Self {
        Self {
            number: rfc.number,
            slug: rfc.slug,
            title: rfc.title,
            kind: rfc.kind,
            status: rfc.status,
            revision: rfc.revision,
            authors: addresses(rfc.authors),
            services: slugs(rfc.services),
            open_threads: rfc.open_threads,
            created_at: rfc.created_at,
            updated_at: rfc.updated_at,
            version: rfc.version,
        }
    }
}

/// An RFC at its newest revision.
#[derive(Serialize, ToSchema)]
#[schema(as = Rfc)]
struct RfcBody {
    number: i64,
    slug: String,
    title: String,
    #[schema(value_type = String, example = "architecture")]
    kind: Kind,
    #[schema(value_type = String, example = "in_review")]
    status: Status,
    revision: i32,
    /// Markdown.
    body: String,
    /// The sanitised HTML of `body`, as the page shows it.
    html: String,
    /// Addresses.
    authors: Vec<String>,
    /// Addresses of people who may read the draft.
    shared_with: Vec<String>,
    /// Slugs.
    services: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    /// When it first left draft.
    published_at: Option<Timestamp>,
    url: String,
    version: i64,
}

impl RfcBody {
    fn new(rfc: Rfc, html: String, base_url: &str) -> Self {
        Self {
            url: format!("{base_url}{}", app::urls::rfc(rfc.number)),
            number: rfc.number,
            slug: rfc.slug,
            title: rfc.title,
            kind: rfc.kind,
            status: rfc.status,
            revision: rfc.revision,
            body: rfc.body,
            html,
            authors: addresses(rfc.authors),
            shared_with: addresses(rfc.shared_with),
            services: slugs(rfc.services),
            created_at: rfc.created_at,
            updated_at: rfc.updated_at,
            published_at: rfc.published_at,
            version: rfc.version,
        }
    }
}

/// What to change; absent leaves it as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RfcPatch {
    title: Option<String>,
    kind: Option<String>,
    /// Slugs.
    services: Option<Vec<String>>,
    /// Addresses; at least one.
    authors: Option<Vec<String>>,
    /// Addresses.
    shared_with: Option<Vec<String>>,
}

/// Where an RFC is to stand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StatusPost {
    /// `in_review` publishes a draft; `withdrawn` takes an RFC in review back.
    to: String,
    reason: Option<String>,
}

/// Where an RFC stands now.
#[derive(Serialize, ToSchema)]
struct StatusNow {
    number: i64,
    #[schema(value_type = String, example = "in_review")]
    status: Status,
    version: i64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words in title or text.
    q: Option<String>,
    status: Option<String>,
    kind: Option<String>,
    /// Slug of a service it touches.
    service: Option<String>,
    /// Address of an author.
    author: Option<String>,
    /// Whose turn it is; this release cannot tell yet.
    #[param(ignore)]
    attention: Option<String>,
}

/// Write an RFC
#[utoipa::path(post, path = "/rfcs", tag = "RFCs", request_body = RfcPost,
    responses((status = 201, body = RfcCreated,
        headers(("ETag", description = "The version"), ("Location", description = "Where to read it"))), Refused))]
async fn create(
    Caller { backend, actor }: Caller,
    State(state): State<ApiState>,
    Json(sent): Json<RfcPost>,
) -> Result<impl IntoResponse, Failure> {
    let new = NewRfc { title: sent.title, kind: sent.kind, body: sent.body, services: sent.services };
    let created = create::create(&backend, &actor, new).await?;
    let url = format!("{}{}", state.base_url, app::urls::rfc(created.number));
    let location = [(header::LOCATION, format!("/api/v1/rfcs/{}", created.number))];
    let create::Created { number, slug, status, revision, version, .. } = created;
    Ok((StatusCode::CREATED, location, versioned(version, RfcCreated { number, slug, status, revision, version, url })))
}

/// RFCs, the last active first
#[utoipa::path(get, path = "/rfcs", tag = "RFCs", params(Wanted, Paging),
    responses((status = 200, body = List<RfcRow>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<RfcRow>>, Failure> {
    let Wanted { q, status, kind, service, author, attention } = wanted;
    if attention.is_some() {
        return Err(Refusal::field("attention", "This release cannot tell whose turn it is yet; leave it out.").into());
    }
    let filter = Filter { q, status, kind, service, author };
    let page = list::list(&backend, &actor, filter, &paging.into()).await?;
    Ok(PlainJson(List::of(page, RfcRow::from)))
}

/// One RFC at its newest revision
#[utoipa::path(get, path = "/rfcs/{number}", tag = "RFCs", params(("number" = i64, Path)),
    responses((status = 200, body = RfcBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(
    Caller { backend, actor }: Caller,
    State(state): State<ApiState>,
    Path(number): Path<i64>,
) -> Result<impl IntoResponse, Failure> {
    let rfc = read::read(&backend, &actor, number, None).await?;
    show(&backend, rfc, &state.base_url).await
}

async fn show(backend: &Backend, rfc: Rfc, base_url: &str) -> Result<impl IntoResponse + use<>, Failure> {
    let rendered = renderings::rendering(backend, &rfc).await?;
    let html: String = rendered.blocks.iter().map(|block| block.html.as_str()).collect();
    Ok(versioned(rfc.version, RfcBody::new(rfc, html, base_url)))
}

/// Change an RFC's title, kind, services, authors or sharing
#[utoipa::path(patch, path = "/rfcs/{number}", tag = "RFCs", request_body = RfcPatch,
    params(("number" = i64, Path), ("If-Match" = String, Header, description = "The version to change")),
    responses((status = 200, body = RfcBody, headers(("ETag", description = "The version"))), Refused))]
async fn patch(
    Caller { backend, actor }: Caller,
    State(state): State<ApiState>,
    Path(number): Path<i64>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<RfcPatch>,
) -> Result<impl IntoResponse, Failure> {
    let RfcPatch { title, kind, services, authors, shared_with } = sent;
    let change = UpdateRfc { title, kind, services, authors, shared_with };
    let rfc = update::update_and_read(&backend, &actor, number, expected, change).await?;
    show(&backend, rfc, &state.base_url).await
}

/// Delete a draft
#[utoipa::path(delete, path = "/rfcs/{number}", tag = "RFCs",
    params(("number" = i64, Path), ("If-Match" = String, Header, description = "The version to delete")),
    responses((status = 204, description = "It is gone"), Refused))]
async fn delete(
    Caller { backend, actor }: Caller,
    Path(number): Path<i64>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Failure> {
    status::delete(&backend, &actor, number, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Publish a draft, or withdraw an RFC in review
#[utoipa::path(post, path = "/rfcs/{number}/status", tag = "RFCs", request_body = StatusPost,
    params(("number" = i64, Path), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = StatusNow, headers(("ETag", description = "The version"))), Refused))]
async fn change_status(
    Caller { backend, actor }: Caller,
    Path(number): Path<i64>,
    Json(sent): Json<StatusPost>,
) -> Result<impl IntoResponse, Failure> {
    let change = ChangeStatus { to: sent.to, reason: sent.reason };
    let status::StatusChanged { number, status, version, .. } =
        status::change_status(&backend, &actor, number, change).await?;
    Ok(versioned(version, StatusNow { number, status, version }))
}

fn addresses(people: Vec<PersonRef>) -> Vec<String> {
    people.into_iter().map(|person| person.email).collect()
}

fn slugs(services: Vec<ServiceRef>) -> Vec<String> {
    services.into_iter().map(|service| service.slug).collect()
}
