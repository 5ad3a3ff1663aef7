//! `/rfcs/{number}/revisions`: the immutable texts.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::rfcs::revisions::{self, NewRevision, RevisionSummary};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::List;
use crate::api::caller::{ApiState, Caller};
use crate::api::input::{Json, Paging, Path, Query};
use crate::api::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, publish)).routes(routes!(get))
}

/// A revision without its text.
#[derive(Serialize, ToSchema)]
struct RevisionRow {
    revision: i32,
    summary: String,
    major: bool,
    /// Address.
    author: String,
    created_at: Timestamp,
    bytes: i32,
}

impl From<RevisionSummary> for RevisionRow {
    fn from(revision: RevisionSummary) -> Self {
        Self {
            revision: revision.revision,
            summary: revision.summary,
            major: revision.major,
            author: revision.author.email,
            created_at: revision.created_at,
            bytes: revision.bytes,
        }
    }
}

/// A revision with its text.
#[derive(Serialize, ToSchema)]
struct RevisionBody {
    #[serde(flatten)]
    row: RevisionRow,
    /// Markdown.
    body: String,
}

/// The next revision.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RevisionPost {
    /// Markdown, kept byte for byte after CRLF became LF; at most 512 KiB.
    body: String,
    /// What changed, in a line.
    #[serde(default)]
    summary: String,
    /// The revision this one was written on: 409 when it is not the newest.
    base_revision: i64,
    /// A change that reviewers should look at anew.
    #[serde(default)]
    major: bool,
}

/// The revision just published.
#[derive(Serialize, ToSchema)]
struct RevisionPublished {
    revision: i32,
    /// The RFC's version.
    version: i64,
}

/// All revisions, the newest first
#[utoipa::path(get, path = "/rfcs/{number}/revisions", tag = "RFCs", params(("number" = i64, Path), Paging),
    responses((status = 200, body = List<RevisionRow>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Path(number): Path<i64>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<RevisionRow>>, Failure> {
    let page = revisions::list(&backend, &actor, number, &paging.into()).await?;
    Ok(PlainJson(List::of(page, RevisionRow::from)))
}

/// One revision
#[utoipa::path(get, path = "/rfcs/{number}/revisions/{revision}", tag = "RFCs",
    params(("number" = i64, Path), ("revision" = i64, Path)),
    responses((status = 200, body = RevisionBody), Refused))]
async fn get(
    Caller { backend, actor }: Caller,
    Path((number, revision)): Path<(i64, i64)>,
) -> Result<PlainJson<RevisionBody>, Failure> {
    let found = revisions::get(&backend, &actor, number, revision).await?;
    Ok(PlainJson(RevisionBody { row: found.summary.into(), body: found.body }))
}

/// Publish a revision; every thread is carried into it
#[utoipa::path(post, path = "/rfcs/{number}/revisions", tag = "RFCs", request_body = RevisionPost,
    params(("number" = i64, Path)),
    responses((status = 201, body = RevisionPublished), Refused))]
async fn publish(
    Caller { backend, actor }: Caller,
    Path(number): Path<i64>,
    Json(sent): Json<RevisionPost>,
) -> Result<impl IntoResponse, Failure> {
    let RevisionPost { body, summary, base_revision, major } = sent;
    let new = NewRevision { body, summary, base_revision, major };
    let revised = revisions::publish_revision(&backend, &actor, number, new).await?;
    let published = RevisionPublished { revision: revised.revision, version: revised.version };
    Ok((StatusCode::CREATED, PlainJson(published)))
}
