//! `/deliveries`: the outbox. What waits, what was done, what was given up and can be sent again or let go.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use backend::deliveries::{self, Delivery, Detail, Filter, State, Try};
use backend::outbox::Kind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller};
use super::input::{Json, Paging, Path, Query};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(retry_dead))
        .routes(routes!(get))
        .routes(routes!(retry))
        .routes(routes!(let_go))
}

/// Work in the outbox.
#[derive(Serialize, ToSchema)]
struct DeliveryRow {
    id: String,
    /// Names it for good, also at a receiver.
    key: String,
    /// `event`, `job`, `mail`, `webhook` or `import`.
    #[schema(value_type = String)]
    kind: Kind,
    /// `waiting` (due), `planned`, `failed` (tried again at `due_at`), `dead` (given up) or `done`.
    #[schema(value_type = String)]
    state: State,
    /// What it is about, in words.
    about: String,
    /// What it says is not shown: it is a mail to somebody else about an RFC that you may not read.
    withheld: bool,
    /// The name of the webhook it goes to.
    webhook: Option<String>,
    /// The address that a mail goes to.
    to: Option<String>,
    due_at: Timestamp,
    /// Tries that have begun.
    attempts: i32,
    /// What the last try that failed ran into; of what is done, why nothing was sent.
    last_error: String,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl From<Delivery> for DeliveryRow {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            key: delivery.key,
            kind: delivery.kind,
            state: delivery.state,
            about: delivery.about,
            withheld: delivery.withheld,
            webhook: delivery.webhook,
            to: delivery.to,
            due_at: delivery.due_at,
            attempts: delivery.attempts,
            last_error: delivery.last_error,
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
        }
    }
}

/// One call of a webhook.
#[derive(Serialize, ToSchema)]
struct TryBody {
    attempt: i32,
    at: Timestamp,
    /// The HTTP status; null: no answer came.
    status: Option<i32>,
    duration_ms: i32,
    /// How the answer began.
    answer: String,
    /// Why it counts as failed; empty: it did not.
    error: String,
}

impl From<Try> for TryBody {
    fn from(Try { attempt, at, status, duration_ms, answer, error }: Try) -> Self {
        Self { attempt, at, status, duration_ms, answer, error }
    }
}

/// Work in the outbox with all that is known of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryBody {
    #[serde(flatten)]
    delivery: DeliveryRow,
    /// What whoever does it needs to know: a mail, a message. Of what is withheld only `to`.
    payload: serde_json::Value,
    /// How the calls of a webhook went, the newest first.
    tries: Vec<TryBody>,
}

impl From<Detail> for DeliveryBody {
    fn from(Detail { delivery, webhook_id: _, payload, tries }: Detail) -> Self {
        Self { delivery: delivery.into(), payload, tries: tries.into_iter().map(TryBody::from).collect() }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `waiting`, `planned`, `failed`, `dead` or `done`.
    state: Option<String>,
    /// `event`, `job`, `mail`, `webhook` or `import`.
    kind: Option<String>,
    /// The id of a webhook.
    webhook: Option<String>,
}

/// Which dead deliveries to send again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RetryPost {
    /// `event`, `job`, `mail`, `webhook` or `import`; all when absent.
    kind: Option<String>,
    /// The id of a webhook: only calls of it.
    webhook: Option<String>,
}

/// How many were sent again.
#[derive(Serialize, ToSchema)]
struct RetryAnswer {
    sent_again: i64,
}

/// The outbox, the newest first
#[utoipa::path(get, path = "/deliveries", tag = "Webhooks", params(Wanted, Paging),
    responses((status = 200, body = List<DeliveryRow>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<DeliveryRow>>, Failure> {
    let filter = Filter::read(wanted.state.as_deref(), wanted.kind.as_deref(), wanted.webhook.as_deref())?;
    let page = deliveries::list(&backend, &actor, &filter, &paging.into()).await?;
    Ok(PlainJson(List::of(page, DeliveryRow::from)))
}

/// Send again everything that was given up
#[utoipa::path(post, path = "/deliveries/retry", tag = "Webhooks", request_body = RetryPost,
    responses((status = 200, body = RetryAnswer), Refused))]
async fn retry_dead(
    Caller { backend, actor }: Caller,
    Json(sent): Json<RetryPost>,
) -> Result<PlainJson<RetryAnswer>, Failure> {
    let filter = Filter::read(None, sent.kind.as_deref(), sent.webhook.as_deref())?;
    let sent_again = deliveries::retry_dead(&backend, &actor, &filter).await?;
    Ok(PlainJson(RetryAnswer { sent_again }))
}

/// One delivery: what is sent, and how its tries went
#[utoipa::path(get, path = "/deliveries/{id}", tag = "Webhooks", params(("id", description = "The delivery")),
    responses((status = 200, body = DeliveryBody), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<PlainJson<DeliveryBody>, Failure> {
    Ok(PlainJson(deliveries::get(&backend, &actor, &id).await?.into()))
}

/// Send again what was given up, under the same key; or do not wait for the next try
#[utoipa::path(post, path = "/deliveries/{id}/retry", tag = "Webhooks", params(("id", description = "The delivery")),
    responses((status = 202), Refused))]
async fn retry(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    deliveries::retry(&backend, &actor, &id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Let go what was given up: it is not sent any more, and counts as done
#[utoipa::path(post, path = "/deliveries/{id}/let-go", tag = "Webhooks", params(("id", description = "The delivery")),
    responses((status = 204), Refused))]
async fn let_go(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    deliveries::let_go(&backend, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
