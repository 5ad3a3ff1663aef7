//! `/events`: everything that happened, in order, for a program that keeps a copy.

use axum::Json as PlainJson;
use backend::events::Position;
use backend::events::audit::{self, Audited};
use domain::Refusal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::List;
use super::caller::{ApiState, Caller};
use super::input::Query;
use super::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Since {
    /// The `position` of the last event already known; from the beginning without.
    after: Option<String>,
    /// Rows: 1–200, default 50; more is cut to 200.
    #[param(minimum = 1, default = 50)]
    limit: Option<i64>,
    /// The same as `after`.
    cursor: Option<String>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventBody {
    /// Its place in the order of events.
    position: String,
    at: Timestamp,
    /// Address of who did it; null: the product itself.
    actor: Option<String>,
    /// `<noun>.<what happened>`.
    verb: String,
    /// The noun of what it happened to.
    subject_kind: String,
    /// The name that has in this API.
    subject_key: String,
    /// What mattered of it before.
    before: Option<Value>,
    /// What matters of it now.
    after: Option<Value>,
    /// `before` and `after` are not shown: it happened in an RFC that you may not read.
    withheld: bool,
    request_id: String,
}

impl From<Audited> for EventBody {
    fn from(Audited { event, position, withheld }: Audited) -> Self {
        Self {
            position: position.to_string(),
            at: event.at,
            actor: event.actor,
            verb: event.verb,
            subject_kind: event.subject_kind,
            subject_key: event.subject_key,
            before: event.before,
            after: event.after,
            withheld,
            request_id: event.request_id,
        }
    }
}

/// What happened, the oldest first; whoever goes on after the last one misses nothing
#[utoipa::path(get, path = "/events", tag = "Common", params(Since),
    responses((status = 200, body = List<EventBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(since): Query<Since>,
) -> Result<PlainJson<List<EventBody>>, Failure> {
    let (field, after) = match (since.after, since.cursor) {
        (Some(after), _) => ("after", Some(after)),
        (None, cursor) => ("cursor", cursor),
    };
    let place = after.map(|after| after.parse::<Position>()).transpose();
    let place = place.map_err(|_| Refusal::field(field, "This is no position that an event has; start without."))?;
    let page = audit::after(&backend, &actor, place.unwrap_or_default(), since.limit).await?;
    Ok(PlainJson(List::of(page, EventBody::from)))
}
