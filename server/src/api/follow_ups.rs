//! `/follow-ups`: what people promised to do by a day.

use axum::Json as PlainJson;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use backend::follow_ups::write::{self, Change, NewFollowUp, SourceInput};
use backend::follow_ups::{self, Filter, FollowUp};
use backend::rfcs::PersonRef;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, IfMatch, versioned};
use super::input::{Json, Paging, Path, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, patch))
}

/// What a follow-up comes from.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FollowUpSource)]
struct SourceBody {
    /// `incident`.
    kind: String,
    /// The name it has in the API.
    key: String,
}

impl From<SourceBody> for SourceInput {
    fn from(SourceBody { kind, key }: SourceBody) -> Self {
        Self { kind, key }
    }
}

/// A follow-up.
#[derive(Serialize, ToSchema)]
#[schema(as = FollowUp)]
struct FollowUpBody {
    id: String,
    title: String,
    /// Address of who does it.
    owner: String,
    /// Whether the owner cannot do it any more: their account is disabled, or they only read.
    needs_owner: bool,
    /// The day by the end of which it is to be done, in the organisation's time zone.
    due: Date,
    /// The day that was agreed at first.
    first_due: Date,
    /// How often the day was moved.
    moves: i32,
    /// What it comes from; null: nothing.
    source: Option<SourceBody>,
    /// `open`, `done` or `dropped`.
    state: &'static str,
    /// What was done, or why it was dropped.
    note: String,
    /// Address of who made it; null: an import.
    made_by: Option<String>,
    /// Address of who finished or dropped it.
    closed_by: Option<String>,
    closed_at: Option<Timestamp>,
    /// Days since the due day, until today or the day it was closed; negative: so many were left.
    days_overdue: i32,
    /// Days since it was made, until today or the day it was closed.
    age_days: i32,
    /// How often its owner was reminded.
    reminders: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
    url: String,
    version: i64,
}

impl FollowUpBody {
    fn new(follow_up: FollowUp, base_url: &str) -> Self {
        let address = |person: PersonRef| person.email;
        Self {
            url: format!("{base_url}{}", app::urls::follow_up(follow_up.id)),
            id: follow_up.id.to_string(),
            title: follow_up.title,
            owner: follow_up.owner.email,
            needs_owner: follow_up.needs_owner,
            due: follow_up.due_on,
            first_due: follow_up.first_due_on,
            moves: follow_up.moves,
            source: follow_up
                .source
                .map(|source| SourceBody { kind: source.kind.as_str().to_owned(), key: source.key }),
            state: follow_up.state.as_str(),
            note: follow_up.note,
            made_by: follow_up.made_by.map(address),
            closed_by: follow_up.closed_by.map(address),
            closed_at: follow_up.closed_at,
            days_overdue: follow_up.days_overdue,
            age_days: follow_up.age_days,
            reminders: follow_up.reminders,
            created_at: follow_up.created_at,
            updated_at: follow_up.updated_at,
            version: follow_up.version,
        }
    }
}

/// A new follow-up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FollowUpPost {
    title: String,
    /// Address of who does it.
    owner: String,
    /// The day by the end of which it is to be done: `2026-12-24`; from today on, within two years.
    due: String,
    source: Option<SourceBody>,
}

/// What to change; absent leaves it as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FollowUpPatch {
    title: Option<String>,
    /// Address of who does it from now on.
    owner: Option<String>,
    /// The day by the end of which it is to be done from now on.
    due: Option<String>,
    /// What it comes from; null: nothing.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<SourceBody>)]
    #[expect(clippy::option_option, reason = "absent, null and something are three things")]
    source: Option<Option<SourceBody>>,
    /// `done`, `dropped` (needs a note), or `open` again.
    state: Option<String>,
    /// What was done, or why it is dropped.
    note: Option<String>,
}

/// Tells null from absent.
#[expect(clippy::option_option, reason = "absent, null and something are three things")]
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words in the title.
    q: Option<String>,
    /// `open`, `done` or `dropped`.
    state: Option<String>,
    /// Address of who does it.
    owner: Option<String>,
    /// Slug of a team its owner is in.
    team: Option<String>,
    /// Slug of a service that the incident it comes from touched.
    service: Option<String>,
    /// What kind of thing it comes from: `incident`.
    source_kind: Option<String>,
    /// The name of that thing in the API.
    source_key: Option<String>,
    /// Only open ones whose day has passed.
    #[serde(default)]
    overdue: bool,
    /// Only open ones whose owner cannot do them any more.
    #[serde(default)]
    needs_owner: bool,
}

/// Follow-ups: open ones by due day, then closed ones, the last closed first
#[utoipa::path(get, path = "/follow-ups", tag = "Follow-ups", params(Wanted, Paging),
    responses((status = 200, body = List<FollowUpBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    State(state): State<ApiState>,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<FollowUpBody>>, Failure> {
    let filter = Filter {
        q: wanted.q,
        state: wanted.state,
        owner: wanted.owner,
        team: wanted.team,
        service: wanted.service,
        source_kind: wanted.source_kind,
        source_key: wanted.source_key,
        overdue: wanted.overdue,
        needs_owner: wanted.needs_owner,
    };
    let page = follow_ups::list(&backend, &actor, filter, &paging.into()).await?;
    Ok(PlainJson(List::of(page, |follow_up| FollowUpBody::new(follow_up, &state.base_url))))
}

/// Make a follow-up
#[utoipa::path(post, path = "/follow-ups", tag = "Follow-ups", request_body = FollowUpPost,
    responses((status = 201, body = FollowUpBody,
        headers(("ETag", description = "The version"), ("Location", description = "Where to read it"))), Refused))]
async fn create(
    Caller { backend, actor }: Caller,
    State(state): State<ApiState>,
    Json(sent): Json<FollowUpPost>,
) -> Result<impl IntoResponse, Failure> {
    let FollowUpPost { title, owner, due, source } = sent;
    let new = NewFollowUp { title, owner, due, source: source.map(Into::into) };
    let made = write::create(&backend, &actor, new).await?;
    let location = [(header::LOCATION, format!("/api/v1/follow-ups/{}", made.id))];
    Ok((StatusCode::CREATED, location, versioned(made.version, FollowUpBody::new(made, &state.base_url))))
}

/// One follow-up
#[utoipa::path(get, path = "/follow-ups/{id}", tag = "Follow-ups", params(("id" = String, Path)),
    responses((status = 200, body = FollowUpBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(
    Caller { backend, actor }: Caller,
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    let follow_up = follow_ups::get(&backend, &actor, &id).await?;
    Ok(versioned(follow_up.version, FollowUpBody::new(follow_up, &state.base_url)))
}

/// Change a follow-up: hand it on, move its day, finish it, drop it, open it again
#[utoipa::path(patch, path = "/follow-ups/{id}", tag = "Follow-ups", request_body = FollowUpPatch,
    params(("id" = String, Path), ("If-Match" = String, Header, description = "The version to change")),
    responses((status = 200, body = FollowUpBody, headers(("ETag", description = "The version"))), Refused))]
async fn patch(
    Caller { backend, actor }: Caller,
    State(state): State<ApiState>,
    Path(id): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<FollowUpPatch>,
) -> Result<impl IntoResponse, Failure> {
    let FollowUpPatch { title, owner, due, source, state: to, note } = sent;
    let source = source.map(|source| source.map(Into::into));
    let change = Change { title, owner, due, source, state: to, note };
    let follow_up = write::change(&backend, &actor, &id, expected, change).await?;
    Ok(versioned(follow_up.version, FollowUpBody::new(follow_up, &state.base_url)))
}
