//! `/incidents/service-names`: what imports and hooks call services that the catalogue does not know so.

use axum::Json as PlainJson;
use backend::incidents::names::{self, Decided, ServiceName, State};
use domain::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::List;
use crate::api::caller::{ApiState, Caller};
use crate::api::input::{Json, Paging, Query};
use crate::api::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list, decide))
}

/// A word for a service.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentServiceName)]
struct NameBody {
    /// In small letters.
    name: String,
    /// `waiting`, `mapped` or `ignored`.
    state: String,
    /// Slug of the service it stands for.
    service: Option<String>,
    /// While it waits: slug of the service whose name is most like it.
    suggestion: Option<String>,
    /// Incidents that have it.
    incidents: i64,
    /// The newest of them.
    newest: Option<String>,
}

impl From<ServiceName> for NameBody {
    fn from(name: ServiceName) -> Self {
        Self {
            name: name.name,
            state: name.state.as_str().to_owned(),
            service: name.service.map(|service| service.slug),
            suggestion: name.suggestion.map(|service| service.slug),
            incidents: name.incidents,
            newest: name.newest.map(|id| id.to_string()),
        }
    }
}

/// What a word stands for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NamePost {
    name: String,
    /// Slug of the service. Without it say `ignore`.
    service: Option<String>,
    /// It is none of our services.
    #[serde(default)]
    ignore: bool,
}

/// What was said about a word.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentServiceNameDecided)]
struct DecidedBody {
    name: String,
    /// Slug; null: it is ignored.
    service: Option<String>,
    /// Incidents that were changed by this.
    incidents: i64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `waiting` (the default), `mapped` or `ignored`.
    state: Option<String>,
}

/// Names of services, those that most incidents have first
#[utoipa::path(get, path = "/incidents/service-names", tag = "Incidents", params(Wanted, Paging),
    responses((status = 200, body = List<NameBody>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<NameBody>>, Failure> {
    let state = wanted.state.as_deref().map_or(Ok(State::Waiting), State::parse)?;
    let page = names::list(&backend, &actor, state, &paging.into()).await?;
    Ok(PlainJson(List::of(page, NameBody::from)))
}

/// Say what a name stands for: every incident that has it gets the service, and those to come
#[utoipa::path(post, path = "/incidents/service-names", tag = "Incidents", request_body = NamePost,
    responses((status = 200, body = DecidedBody), Refused))]
async fn decide(
    Caller { backend, actor }: Caller,
    Json(sent): Json<NamePost>,
) -> Result<PlainJson<DecidedBody>, Failure> {
    if sent.service.is_some() == sent.ignore {
        return Err(Refusal::field("service", "Name a service, or say \"ignore\": true.").into());
    }
    let Decided { name, service, incidents } =
        names::decide(&backend, &actor, &sent.name, sent.service.as_deref()).await?;
    Ok(PlainJson(DecidedBody { name, service, incidents }))
}
