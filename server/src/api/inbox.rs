//! `/inbox`: what the token's owner was told of, and how far they are with it.

use axum::Json as PlainJson;
use axum::response::IntoResponse;
use backend::notices::inbox::{self, Change, Item, Notice, State, Until};
use domain::notice::{Kind, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, versioned};
use super::input::{Json, Paging, Path, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(read_all))
        .routes(routes!(read))
        .routes(routes!(unread))
        .routes(routes!(later))
        .routes(routes!(done))
        .routes(routes!(open))
}

/// An object that one was told of.
#[derive(Serialize, ToSchema)]
#[schema(as = InboxItem)]
struct ItemBody {
    id: String,
    subject: SubjectBody,
    title: String,
    /// Where it leads.
    url: String,
    #[schema(value_type = String, example = "open")]
    state: State,
    /// Whether there is something not looked at yet.
    unread: bool,
    /// When it comes back, if it was put off.
    back_at: Option<Timestamp>,
    /// When there was news, or it came back.
    at: Timestamp,
    /// The newest notices, the newest first.
    notices: Vec<NoticeBody>,
    /// How many there are in all.
    notice_count: i64,
    version: i64,
}

/// What an item is about, in the words of events.
#[derive(Serialize, ToSchema)]
#[schema(as = InboxSubject)]
struct SubjectBody {
    /// The noun, such as `rfc`.
    kind: String,
    /// The name it has in the API.
    key: String,
}

/// Something one was told.
#[derive(Serialize, ToSchema)]
#[schema(as = Notice)]
struct NoticeBody {
    #[schema(value_type = String, example = "comment")]
    kind: Kind,
    /// Why one was told.
    #[schema(value_type = String, example = "author")]
    reason: Reason,
    /// What happened, as a sentence without a full stop.
    text: String,
    /// The beginning of what was said; may be empty.
    excerpt: String,
    at: Timestamp,
}

impl ItemBody {
    fn of(item: Item, base_url: &str) -> Self {
        Self {
            url: format!("{base_url}{}", item.path),
            id: item.id,
            subject: SubjectBody { kind: item.subject_kind, key: item.subject_key },
            title: item.title,
            state: item.state,
            unread: item.unread,
            back_at: item.back_at,
            at: item.at,
            notices: item.notices.into_iter().map(NoticeBody::from).collect(),
            notice_count: item.notice_count,
            version: item.version,
        }
    }
}

impl From<Notice> for NoticeBody {
    fn from(Notice { kind, reason, text, excerpt, at, .. }: Notice) -> Self {
        Self { kind, reason, text, excerpt, at }
    }
}

/// Until when an item is put off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LaterPost {
    /// `tomorrow`, `next_week` (in the morning, in one's own zone) or an instant.
    until: String,
}

/// How many items were marked.
#[derive(Serialize, ToSchema)]
struct Marked {
    marked: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `open` (the default), `later` or `done`.
    state: Option<String>,
}

/// What one was told of, by object
#[utoipa::path(get, path = "/inbox", tag = "Inbox", params(Wanted, Paging),
    responses((status = 200, body = List<ItemBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<ItemBody>>, Failure> {
    let state = wanted.state.as_deref().map(State::parse).transpose()?.unwrap_or_default();
    let page = inbox::list(&backend, &actor, state, &paging.into()).await?;
    Ok(PlainJson(List::of(page, |item| ItemBody::of(item, backend.base_url()))))
}

/// One item
#[utoipa::path(get, path = "/inbox/{id}", tag = "Inbox", params(("id", description = "The item")),
    responses((status = 200, body = ItemBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let item = inbox::get(&backend, &actor, &id).await?;
    Ok(versioned(item.version, ItemBody::of(item, backend.base_url())))
}

/// Mark everything open as read
#[utoipa::path(post, path = "/inbox/read", tag = "Inbox", responses((status = 200, body = Marked), Refused))]
async fn read_all(Caller { backend, actor }: Caller) -> Result<PlainJson<Marked>, Failure> {
    Ok(PlainJson(Marked { marked: inbox::read_all(&backend, &actor, None).await? }))
}

/// Mark as read
#[utoipa::path(post, path = "/inbox/{id}/read", tag = "Inbox", params(("id", description = "The item")),
    responses((status = 200, body = ItemBody, headers(("ETag", description = "The version"))), Refused))]
async fn read(caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    change(caller, &id, Change::Read).await
}

/// Mark as unread
#[utoipa::path(post, path = "/inbox/{id}/unread", tag = "Inbox", params(("id", description = "The item")),
    responses((status = 200, body = ItemBody, headers(("ETag", description = "The version"))), Refused))]
async fn unread(caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    change(caller, &id, Change::Unread).await
}

/// Put off: it comes back by itself
#[utoipa::path(post, path = "/inbox/{id}/later", tag = "Inbox", params(("id", description = "The item")),
    request_body = LaterPost,
    responses((status = 200, body = ItemBody, headers(("ETag", description = "The version"))), Refused))]
async fn later(
    caller: Caller,
    Path(id): Path<String>,
    Json(sent): Json<LaterPost>,
) -> Result<impl IntoResponse, Failure> {
    change(caller, &id, Change::Later(Until::parse(&sent.until)?)).await
}

/// Be done with it until there is news
#[utoipa::path(post, path = "/inbox/{id}/done", tag = "Inbox", params(("id", description = "The item")),
    responses((status = 200, body = ItemBody, headers(("ETag", description = "The version"))), Refused))]
async fn done(caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    change(caller, &id, Change::Done).await
}

/// Take it back into the inbox
#[utoipa::path(post, path = "/inbox/{id}/open", tag = "Inbox", params(("id", description = "The item")),
    responses((status = 200, body = ItemBody, headers(("ETag", description = "The version"))), Refused))]
async fn open(caller: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    change(caller, &id, Change::Reopen).await
}

async fn change(
    Caller { backend, actor }: Caller,
    id: &str,
    change: Change,
) -> Result<impl IntoResponse + use<>, Failure> {
    let item = inbox::change(&backend, &actor, id, change, None).await?;
    Ok(versioned(item.version, ItemBody::of(item, backend.base_url())))
}
