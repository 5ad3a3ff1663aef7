//! `/threads/{id}/comments` and `/comments/{id}`: what is said in threads.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::rfcs::comments::{self, Comment, Posted, Said};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::caller::{ApiState, Caller, IfMatch, versioned};
use crate::api::input::{Json, Path};
use crate::api::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(reply)).routes(routes!(get, patch, delete))
}

/// A comment. The text of a deleted one is empty.
#[derive(Serialize, ToSchema)]
#[schema(as = Comment)]
pub(super) struct CommentBody {
    id: String,
    /// Address.
    author: String,
    /// Markdown.
    body: String,
    html: String,
    created_at: Timestamp,
    edited_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    version: i64,
}

impl From<Comment> for CommentBody {
    fn from(comment: Comment) -> Self {
        let Comment { id, author, body, html, created_at, edited_at, deleted_at, version, .. } = comment;
        Self { id, author: author.email, body, html, created_at, edited_at, deleted_at, version }
    }
}

/// What to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CommentPost {
    /// Markdown; at most 64 KiB.
    body: String,
}

/// The comment just written or changed.
#[derive(Serialize, ToSchema)]
struct CommentPosted {
    id: String,
    /// Its thread.
    thread: String,
    version: i64,
}

impl From<Posted> for CommentPosted {
    fn from(posted: Posted) -> Self {
        Self { id: posted.id, thread: posted.thread, version: posted.version }
    }
}

/// Answer in a thread
#[utoipa::path(post, path = "/threads/{id}/comments", tag = "Threads", request_body = CommentPost,
    params(("id", description = "The thread")),
    responses((status = 201, body = CommentPosted), Refused))]
async fn reply(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    Json(sent): Json<CommentPost>,
) -> Result<impl IntoResponse, Failure> {
    let posted = comments::reply(&backend, &actor, &id, &sent.body).await?;
    Ok((StatusCode::CREATED, PlainJson(CommentPosted::from(posted))))
}

/// One comment
#[utoipa::path(get, path = "/comments/{id}", tag = "Threads", params(("id", description = "The comment")),
    responses((status = 200, body = CommentBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let Said { comment, .. } = comments::get(&backend, &actor, &id).await?;
    Ok(versioned(comment.version, CommentBody::from(comment)))
}

/// Edit one's own comment; the earlier text is kept
#[utoipa::path(patch, path = "/comments/{id}", tag = "Threads", request_body = CommentPost,
    params(("id", description = "The comment"), ("If-Match" = String, Header, description = "The version to change")),
    responses((status = 200, body = CommentPosted, headers(("ETag", description = "The version"))), Refused))]
async fn patch(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<CommentPost>,
) -> Result<impl IntoResponse, Failure> {
    let posted = comments::edit(&backend, &actor, &id, expected, &sent.body).await?;
    Ok(versioned(posted.version, CommentPosted::from(posted)))
}

/// Delete one's own comment; its place in the thread and its history are kept
#[utoipa::path(delete, path = "/comments/{id}", tag = "Threads",
    params(("id", description = "The comment"), ("If-Match" = String, Header, description = "The version to delete")),
    responses((status = 204, description = "It is gone"), Refused))]
async fn delete(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Failure> {
    comments::delete(&backend, &actor, &id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
