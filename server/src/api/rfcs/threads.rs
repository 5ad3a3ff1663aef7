//! `/rfcs/{number}/threads` and `/threads/{id}`: review threads and where they sit.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::rfcs::threads::{self, NewThread, Reattach, Settled, Thread, ThreadAnchor};
use domain::rfc::anchor::{AnchorMethod, AnchorState};
use domain::rfc::{Severity, ThreadState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::comments::CommentBody;
use crate::api::List;
use crate::api::caller::{ApiState, Caller, versioned};
use crate::api::input::{Json, Paging, Path, Query};
use crate::api::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, open))
        .routes(routes!(get))
        .routes(routes!(resolve))
        .routes(routes!(reopen))
        .routes(routes!(reattach))
}

/// Where a thread sits in a revision.
#[derive(Serialize, ToSchema)]
pub(super) struct AnchorBody {
    revision: i32,
    /// Byte offsets in the revision's body; null only when orphaned.
    start: Option<i32>,
    end: Option<i32>,
    /// `exact`, `edited`, `moved`, `suggested` (asks to confirm) or `orphaned`.
    #[schema(value_type = String, example = "exact")]
    state: AnchorState,
    /// How the place was found: `selected`, `reattached`, `diff`, `quote`, `similar` or `none`.
    #[schema(value_type = String, example = "diff")]
    method: AnchorMethod,
    /// The share of the quote's bytes that stand there, 0 to 1.
    score: f32,
}

impl From<ThreadAnchor> for AnchorBody {
    fn from(anchor: ThreadAnchor) -> Self {
        let ThreadAnchor { revision, start, end, state, method, score, .. } = anchor;
        Self { revision, start, end, state, method, score }
    }
}

/// A review thread.
#[derive(Serialize, ToSchema)]
#[schema(as = Thread)]
struct ThreadBody {
    id: String,
    #[schema(value_type = String, example = "open")]
    state: ThreadState,
    #[schema(value_type = String, example = "note")]
    severity: Severity,
    /// The text it was opened on; empty when it is about the whole RFC.
    quote: String,
    /// Null when it is about the whole RFC.
    anchor: Option<AnchorBody>,
    /// Address.
    opened_by: String,
    opened_at: Timestamp,
    /// Address.
    resolved_by: Option<String>,
    resolved_at: Option<Timestamp>,
    comments: Vec<CommentBody>,
    version: i64,
}

impl From<Thread> for ThreadBody {
    fn from(thread: Thread) -> Self {
        Self {
            id: thread.id,
            state: thread.state,
            severity: thread.severity,
            quote: thread.quote,
            anchor: thread.anchor.map(AnchorBody::from),
            opened_by: thread.opened_by.email,
            opened_at: thread.opened_at,
            resolved_by: thread.resolved_by.map(|person| person.email),
            resolved_at: thread.resolved_at,
            comments: thread.comments.into_iter().map(CommentBody::from).collect(),
            version: thread.version,
        }
    }
}

/// A new thread.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ThreadPost {
    /// The revision that `start` and `end` belong to.
    revision: i64,
    /// Byte offset in that revision's body; absent with `end` for the whole RFC.
    start: Option<i64>,
    end: Option<i64>,
    /// Markdown; the first comment.
    body: String,
    /// `note`, `should` or `blocking`.
    #[serde(default = "note")]
    severity: String,
}

fn note() -> String {
    Severity::Note.as_str().to_owned()
}

/// The thread just opened.
#[derive(Serialize, ToSchema)]
struct ThreadOpened {
    id: String,
    #[schema(value_type = String, example = "open")]
    state: ThreadState,
    /// In the revision it was opened on; null for the whole RFC.
    anchor: Option<AnchorBody>,
    /// The first comment's id.
    comment: String,
}

/// A thread that was resolved or reopened.
#[derive(Serialize, ToSchema)]
struct ThreadSettled {
    id: String,
    #[schema(value_type = String, example = "resolved")]
    state: ThreadState,
    version: i64,
}

impl From<Settled> for ThreadSettled {
    fn from(settled: Settled) -> Self {
        Self { id: settled.id, state: settled.state, version: settled.version }
    }
}

/// Where a thread belongs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnchorPost {
    revision: i64,
    start: i64,
    end: i64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The revision to show anchors of; the newest when absent.
    revision: Option<i64>,
}

/// Every thread of an RFC, in the order they were opened
#[utoipa::path(get, path = "/rfcs/{number}/threads", tag = "Threads", params(("number" = i64, Path), Wanted, Paging),
    responses((status = 200, body = List<ThreadBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Path(number): Path<i64>,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<ThreadBody>>, Failure> {
    let page = threads::page(&backend, &actor, number, wanted.revision, &paging.into()).await?;
    Ok(PlainJson(List::of(page, ThreadBody::from)))
}

/// Open a thread
#[utoipa::path(post, path = "/rfcs/{number}/threads", tag = "Threads", request_body = ThreadPost,
    params(("number" = i64, Path)),
    responses((status = 201, body = ThreadOpened), Refused))]
async fn open(
    Caller { backend, actor }: Caller,
    Path(number): Path<i64>,
    Json(sent): Json<ThreadPost>,
) -> Result<impl IntoResponse, Failure> {
    let ThreadPost { revision, start, end, body, severity } = sent;
    let opened = threads::open(&backend, &actor, number, NewThread { revision, start, end, body, severity }).await?;
    let thread = ThreadOpened {
        id: opened.id,
        state: opened.state,
        anchor: opened.anchor.map(AnchorBody::from),
        comment: opened.comment_id,
    };
    Ok((StatusCode::CREATED, PlainJson(thread)))
}

/// One thread, as in the newest revision
#[utoipa::path(get, path = "/threads/{id}", tag = "Threads", params(("id", description = "The thread")),
    responses((status = 200, body = ThreadBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let (_, thread) = threads::get(&backend, &actor, &id).await?;
    Ok(versioned(thread.version, ThreadBody::from(thread)))
}

/// Resolve a thread
#[utoipa::path(post, path = "/threads/{id}/resolve", tag = "Threads", 
    params(("id", description = "The thread"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = ThreadSettled, headers(("ETag", description = "The version"))), Refused))]
async fn resolve(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let settled = threads::resolve(&backend, &actor, &id).await?;
    Ok(versioned(settled.version, ThreadSettled::from(settled)))
}

/// Reopen a thread
#[utoipa::path(post, path = "/threads/{id}/reopen", tag = "Threads", 
    params(("id", description = "The thread"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = ThreadSettled, headers(("ETag", description = "The version"))), Refused))]
async fn reopen(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let settled = threads::reopen(&backend, &actor, &id).await?;
    Ok(versioned(settled.version, ThreadSettled::from(settled)))
}

/// Put a thread where it belongs
#[utoipa::path(post, path = "/threads/{id}/anchor", tag = "Threads", request_body = AnchorPost,
    params(("id", description = "The thread"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = AnchorBody), Refused))]
async fn reattach(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    Json(sent): Json<AnchorPost>,
) -> Result<PlainJson<AnchorBody>, Failure> {
    let to = Reattach { revision: sent.revision, start: Some(sent.start), end: Some(sent.end) };
    Ok(PlainJson(threads::reattach(&backend, &actor, &id, to).await?.into()))
}
