//! `/webhooks`: who is called when something happens.

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::webhooks::{self, Made, Webhook, WebhookInput};
use domain::webhook::Format;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller, IfMatch, versioned};
use super::input::{Json, Path};
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(test))
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
struct WebhookBody {
    id: String,
    name: String,
    /// Whom it calls.
    url: String,
    /// `standard`: Standard Webhooks 1.0, signed. `slack`: text and blocks, not signed.
    #[schema(value_type = String)]
    format: Format,
    /// Nouns (`rfc`) and verbs (`rfc.published`); none: everything that goes out.
    events: Vec<String>,
    /// Whether it is called.
    active: bool,
    /// Why it is not, when its receiver was the reason.
    disabled_reason: String,
    disabled_at: Option<Timestamp>,
    /// Until when calls are signed with the secret before the newest, too.
    previous_secret_until: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        let Webhook {
            id,
            name,
            url,
            format,
            events,
            active,
            disabled_reason,
            disabled_at,
            previous_secret_until,
            version,
            created_at,
            updated_at,
        } = webhook;
        Self {
            id,
            name,
            url,
            format,
            events,
            active,
            disabled_reason,
            disabled_at,
            previous_secret_until,
            version,
            created_at,
            updated_at,
        }
    }
}

/// A webhook with its new secret.
#[derive(Serialize, ToSchema)]
struct WebhookMade {
    /// `whsec_…`: shown this once.
    secret: String,
    #[serde(flatten)]
    webhook: WebhookBody,
}

impl From<Made> for WebhookMade {
    fn from(Made { webhook, secret }: Made) -> Self {
        Self { secret: secret.expose(), webhook: webhook.into() }
    }
}

/// What to write about a webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookPut {
    name: String,
    /// `https://`; `http://` within the networks that the operator allows.
    url: String,
    /// `standard` (the default) or `slack`.
    #[serde(default = "standard")]
    format: String,
    /// Nouns (`rfc`) and verbs (`rfc.published`); none: everything that goes out.
    #[serde(default)]
    events: Vec<String>,
    /// Whether it is called; true unless said.
    #[serde(default = "yes")]
    active: bool,
}

fn standard() -> String {
    Format::Standard.as_str().to_owned()
}

fn yes() -> bool {
    true
}

impl From<WebhookPut> for WebhookInput {
    fn from(WebhookPut { name, url, format, events, active }: WebhookPut) -> Self {
        Self { name, url, format, events, active }
    }
}

/// All webhooks
#[utoipa::path(get, path = "/webhooks", tag = "Webhooks", responses((status = 200, body = List<WebhookBody>), Refused))]
async fn list(Caller { backend, actor }: Caller) -> Result<PlainJson<List<WebhookBody>>, Failure> {
    let items = webhooks::list(&backend, &actor).await?.into_iter().map(WebhookBody::from).collect();
    Ok(PlainJson(List { items, next_cursor: None }))
}

/// Make a webhook; its secret is in this answer only
#[utoipa::path(post, path = "/webhooks", tag = "Webhooks", request_body = WebhookPut,
    responses((status = 201, body = WebhookMade, headers(("ETag", description = "The version"))), Refused))]
async fn create(Caller { backend, actor }: Caller, Json(sent): Json<WebhookPut>) -> Result<impl IntoResponse, Failure> {
    let made = webhooks::create(&backend, &actor, sent.into()).await?;
    Ok((StatusCode::CREATED, versioned(made.webhook.version, WebhookMade::from(made))))
}

/// One webhook
#[utoipa::path(get, path = "/webhooks/{id}", tag = "Webhooks", params(("id", description = "The webhook")),
    responses((status = 200, body = WebhookBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let webhook = WebhookBody::from(webhooks::get(&backend, &actor, &id).await?);
    Ok(versioned(webhook.version, webhook))
}

/// Change a webhook, also switch it off and on
#[utoipa::path(put, path = "/webhooks/{id}", tag = "Webhooks", request_body = WebhookPut,
    params(("id", description = "The webhook"), ("If-Match" = Option<String>, Header, description = "The version to change")),
    responses((status = 200, body = WebhookBody, headers(("ETag", description = "The version"))), Refused))]
async fn change(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<WebhookPut>,
) -> Result<impl IntoResponse, Failure> {
    let webhook = webhooks::change(&backend, &actor, &id, expected, sent.into()).await?;
    Ok(versioned(webhook.version, WebhookBody::from(webhook)))
}

/// Delete a webhook with the calls that wait for it
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "Webhooks",
    params(("id", description = "The webhook"), ("If-Match" = Option<String>, Header, description = "The version to delete")),
    responses((status = 204), Refused))]
async fn delete(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Failure> {
    webhooks::delete(&backend, &actor, &id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook a new secret, in this answer only; for a day calls are signed with both
#[utoipa::path(post, path = "/webhooks/{id}/rotate", tag = "Webhooks",
    params(("id", description = "The webhook"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = WebhookMade, headers(("ETag", description = "The version"))), Refused))]
async fn rotate(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let made = webhooks::rotate(&backend, &actor, &id).await?;
    Ok(versioned(made.webhook.version, WebhookMade::from(made)))
}

/// Call a webhook to see whether it answers: look at its deliveries a moment later
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "Webhooks",
    params(("id", description = "The webhook"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 202), Refused))]
async fn test(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    webhooks::test(&backend, &actor, &id).await?;
    Ok(StatusCode::ACCEPTED)
}
