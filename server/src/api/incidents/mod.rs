//! `/incidents`: what went wrong, their types, and the names of services that nobody knows.

mod aggregate;
mod service_names;
mod types;

use axum::Json as PlainJson;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use backend::incidents::{self, Filter, Incident, IncidentChange, IncidentInput, Listed, Repeat, read};
use backend::rfcs::ServiceRef;
use domain::incident::Severity;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
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
        .routes(routes!(get, patch))
        .routes(routes!(void))
        .routes(routes!(restore))
        .merge(aggregate::calls())
        .merge(types::calls())
        .merge(service_names::calls())
}

/// An incident is not the first of its type on a service.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentRepeat)]
struct RepeatBody {
    /// Slug.
    service: String,
    /// 3: the third of its type on this service within the 90 days that end with its start.
    nth: i64,
}

impl From<Repeat> for RepeatBody {
    fn from(repeat: Repeat) -> Self {
        Self { service: repeat.service.slug, nth: repeat.nth }
    }
}

fn slugs(services: Vec<ServiceRef>) -> Vec<String> {
    services.into_iter().map(|service| service.slug).collect()
}

/// An incident.
#[derive(Serialize, ToSchema)]
#[schema(as = Incident)]
struct IncidentBody {
    id: String,
    title: String,
    /// Slug of the type.
    #[schema(example = "config_change")]
    r#type: String,
    /// The word that was sent when no type was called so.
    type_word: Option<String>,
    /// 1 critical, 2 major, 3 minor, 4 low.
    #[schema(value_type = i16)]
    severity: Severity,
    /// Slugs.
    services: Vec<String>,
    /// Names of services that nobody has said the meaning of.
    unknown_services: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When somebody, or an alarm, noticed.
    #[schema(value_type = Option<String>, format = DateTime)]
    detected_at: Option<Timestamp>,
    /// When customers no longer felt it.
    #[schema(value_type = Option<String>, format = DateTime)]
    mitigated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Markdown.
    summary: String,
    /// The same as sanitised HTML.
    summary_html: String,
    postmortem_url: Option<String>,
    /// Markdown.
    postmortem: String,
    /// The same as sanitised HTML.
    postmortem_html: String,
    /// Where it comes from; empty when nobody said.
    source: String,
    /// Its name there.
    external_id: Option<String>,
    /// Address; null for what an import or a hook recorded.
    recorded_by: Option<String>,
    /// Since when it counts nowhere.
    #[schema(value_type = Option<String>, format = DateTime)]
    voided_at: Option<Timestamp>,
    voided_reason: Option<String>,
    repeats: Vec<RepeatBody>,
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Incident> for IncidentBody {
    fn from(incident: Incident) -> Self {
        Self {
            id: incident.id.to_string(),
            title: incident.title,
            r#type: incident.incident_type.slug,
            type_word: Some(incident.type_word).filter(|word| !word.is_empty()),
            severity: incident.severity,
            services: slugs(incident.services),
            unknown_services: incident.unknown_services,
            started_at: incident.started_at,
            detected_at: incident.detected_at,
            mitigated_at: incident.mitigated_at,
            ended_at: incident.ended_at,
            summary: incident.summary,
            summary_html: incident.summary_html,
            postmortem_url: incident.postmortem_url,
            postmortem: incident.postmortem,
            postmortem_html: incident.postmortem_html,
            source: incident.source,
            external_id: incident.external_id,
            recorded_by: incident.recorded_by.map(|person| person.email),
            voided_at: incident.voided_at,
            voided_reason: Some(incident.voided_reason).filter(|reason| !reason.is_empty()),
            repeats: incident.repeats.into_iter().map(RepeatBody::from).collect(),
            version: incident.version,
            created_at: incident.created_at,
            updated_at: incident.updated_at,
        }
    }
}

/// An incident in a list.
#[derive(Serialize, ToSchema)]
struct IncidentRow {
    id: String,
    title: String,
    /// Slug of the type.
    #[schema(example = "config_change")]
    r#type: String,
    /// 1 critical, 2 major, 3 minor, 4 low.
    #[schema(value_type = i16)]
    severity: Severity,
    /// Slugs.
    services: Vec<String>,
    /// Names of services that nobody has said the meaning of.
    unknown_services: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    detected_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    mitigated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    postmortem_url: Option<String>,
    external_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    voided_at: Option<Timestamp>,
    repeats: Vec<RepeatBody>,
    version: i64,
}

impl From<Listed> for IncidentRow {
    fn from(incident: Listed) -> Self {
        Self {
            id: incident.id.to_string(),
            title: incident.title,
            r#type: incident.incident_type.slug,
            severity: incident.severity,
            services: slugs(incident.services),
            unknown_services: incident.unknown_services,
            started_at: incident.started_at,
            detected_at: incident.detected_at,
            mitigated_at: incident.mitigated_at,
            ended_at: incident.ended_at,
            postmortem_url: incident.postmortem_url,
            external_id: incident.external_id,
            voided_at: incident.voided_at,
            repeats: incident.repeats.into_iter().map(RepeatBody::from).collect(),
            version: incident.version,
        }
    }
}

/// What to record.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IncidentPost {
    title: String,
    /// Slug of the type, for example `config_change`.
    r#type: String,
    /// 1 critical, 2 major, 3 minor, 4 low.
    severity: i64,
    /// Slugs.
    #[serde(default)]
    services: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    detected_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    mitigated_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Markdown, at most 64 KiB.
    #[serde(default)]
    summary: String,
    postmortem_url: Option<String>,
    /// Markdown, at most 64 KiB.
    #[serde(default)]
    postmortem: String,
    /// Where it comes from: with it the external id is unique.
    #[serde(default)]
    source: String,
    /// Its name there.
    external_id: Option<String>,
}

/// What to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "left out, null, given")]
struct IncidentPatch {
    title: Option<String>,
    /// Slug of the type.
    r#type: Option<String>,
    /// 1 to 4.
    severity: Option<i64>,
    /// Slugs.
    services: Option<Vec<String>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    detected_at: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    mitigated_at: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Option<Timestamp>>,
    summary: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    postmortem_url: Option<Option<String>>,
    postmortem: Option<String>,
    source: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    external_id: Option<Option<String>>,
}

/// Null takes away; only what is left out stays.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Why an incident does not count.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VoidPost {
    reason: String,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words in the title, the summary or the external id.
    q: Option<String>,
    /// Slug of the type.
    r#type: Option<String>,
    /// 1 to 4.
    severity: Option<i64>,
    /// Slug of a service it touched.
    service: Option<String>,
    /// Slug of a team that owns a service it touched.
    team: Option<String>,
    /// Began on this date or at this instant, or later.
    from: Option<String>,
    /// Began on this date or before; or before this instant.
    to: Option<String>,
    /// Show voided ones instead.
    #[serde(default)]
    voided: bool,
}

impl From<Wanted> for Filter {
    fn from(wanted: Wanted) -> Self {
        Self {
            q: wanted.q,
            incident_type: wanted.r#type,
            severity: wanted.severity,
            service: wanted.service,
            team: wanted.team,
            from: wanted.from,
            to: wanted.to,
            voided: wanted.voided,
        }
    }
}

/// Incidents, the one that began last first
#[utoipa::path(get, path = "/incidents", tag = "Incidents", params(Wanted, Paging),
    responses((status = 200, body = List<IncidentRow>), Refused))]
async fn list(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<PlainJson<List<IncidentRow>>, Failure> {
    let page = incidents::list(&backend, &actor, &wanted.into(), &paging.into()).await?;
    Ok(PlainJson(List::of(page, IncidentRow::from)))
}

/// Record an incident
#[utoipa::path(post, path = "/incidents", tag = "Incidents", request_body = IncidentPost,
    responses((status = 201, body = IncidentBody, headers(("ETag", description = "The version"))), Refused))]
async fn create(
    Caller { backend, actor }: Caller,
    Json(sent): Json<IncidentPost>,
) -> Result<impl IntoResponse, Failure> {
    let input = IncidentInput {
        title: sent.title,
        incident_type: sent.r#type,
        severity: sent.severity,
        services: sent.services,
        started_at: sent.started_at,
        detected_at: sent.detected_at,
        mitigated_at: sent.mitigated_at,
        ended_at: sent.ended_at,
        summary: sent.summary,
        postmortem_url: sent.postmortem_url,
        postmortem: sent.postmortem,
        source: sent.source,
        external_id: sent.external_id,
    };
    let incident = incidents::record(&backend, &actor, input).await?;
    Ok((StatusCode::CREATED, versioned(incident.version, IncidentBody::from(incident))))
}

/// One incident
#[utoipa::path(get, path = "/incidents/{id}", tag = "Incidents", params(("id", description = "The incident")),
    responses((status = 200, body = IncidentBody, headers(("ETag", description = "The version"))), Refused))]
async fn get(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let incident = incidents::get(&backend, &actor, read::id(&id)?).await?;
    Ok(versioned(incident.version, IncidentBody::from(incident)))
}

/// Change an incident
#[utoipa::path(patch, path = "/incidents/{id}", tag = "Incidents", request_body = IncidentPatch,
    params(("id", description = "The incident"), ("If-Match" = String, Header, description = "The version to change")),
    responses((status = 200, body = IncidentBody, headers(("ETag", description = "The version"))), Refused))]
async fn patch(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    IfMatch(expected): IfMatch,
    Json(sent): Json<IncidentPatch>,
) -> Result<impl IntoResponse, Failure> {
    let change = IncidentChange {
        title: sent.title,
        incident_type: sent.r#type,
        severity: sent.severity,
        services: sent.services,
        started_at: sent.started_at,
        detected_at: sent.detected_at,
        mitigated_at: sent.mitigated_at,
        ended_at: sent.ended_at,
        summary: sent.summary,
        postmortem_url: sent.postmortem_url,
        postmortem: sent.postmortem,
        source: sent.source,
        external_id: sent.external_id,
    };
    let incident = incidents::change(&backend, &actor, read::id(&id)?, expected, change).await?;
    Ok(versioned(incident.version, IncidentBody::from(incident)))
}

/// Take an incident out of every count; it stays readable
#[utoipa::path(post, path = "/incidents/{id}/void", tag = "Incidents", request_body = VoidPost,
    params(("id", description = "The incident"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = IncidentBody, headers(("ETag", description = "The version"))), Refused))]
async fn void(
    Caller { backend, actor }: Caller,
    Path(id): Path<String>,
    Json(sent): Json<VoidPost>,
) -> Result<impl IntoResponse, Failure> {
    let incident = incidents::void(&backend, &actor, read::id(&id)?, &sent.reason).await?;
    Ok(versioned(incident.version, IncidentBody::from(incident)))
}

/// Make a voided incident count again
#[utoipa::path(post, path = "/incidents/{id}/restore", tag = "Incidents",
    params(("id", description = "The incident"), ("If-Match" = Option<String>, Header, description = "Refused when this is not the newest version; may be left out")),
    responses((status = 200, body = IncidentBody, headers(("ETag", description = "The version"))), Refused))]
async fn restore(Caller { backend, actor }: Caller, Path(id): Path<String>) -> Result<impl IntoResponse, Failure> {
    let incident = incidents::restore(&backend, &actor, read::id(&id)?).await?;
    Ok(versioned(incident.version, IncidentBody::from(incident)))
}
