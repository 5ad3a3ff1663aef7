//! `/incidents/aggregate`: incidents counted.

use axum::Json as PlainJson;
use backend::incidents::Filter;
use backend::incidents::aggregate::{self, By, Figures, Row};
use domain::incident::Severity;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::caller::{ApiState, Caller};
use crate::api::input::Query;
use crate::api::problem::{Failure, Refused};

pub(super) fn calls() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(get))
}

/// Incidents counted. An incident on several services counts once in each of their groups, and once in the total.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentAggregate)]
struct AggregateBody {
    /// Groups that have incidents.
    items: Vec<AggregateRow>,
    total: FiguresBody,
}

/// One group. What was not asked for in `by` is null; so are service and team of an incident without.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentAggregateRow)]
struct AggregateRow {
    /// Slug.
    r#type: Option<String>,
    /// Slug.
    service: Option<String>,
    /// Slug.
    team: Option<String>,
    /// In which they began, in the organisation's time zone.
    #[schema(example = "2026-11")]
    month: Option<String>,
    /// 1 to 4.
    #[schema(value_type = Option<i16>)]
    severity: Option<Severity>,
    #[serde(flatten)]
    figures: FiguresBody,
}

/// How many, and how quick.
#[derive(Serialize, ToSchema)]
#[schema(as = IncidentFigures)]
struct FiguresBody {
    count: i64,
    /// From start to detection, of those whose detection is known.
    median_seconds_to_detect: Option<f64>,
    /// From start to mitigation, of those whose mitigation is known.
    median_seconds_to_mitigate: Option<f64>,
}

impl From<Figures> for FiguresBody {
    fn from(figures: Figures) -> Self {
        let Figures { count, median_seconds_to_detect, median_seconds_to_mitigate } = figures;
        Self { count, median_seconds_to_detect, median_seconds_to_mitigate }
    }
}

impl From<Row> for AggregateRow {
    fn from(row: Row) -> Self {
        Self {
            r#type: row.incident_type.map(|found| found.slug),
            service: row.service.map(|service| service.slug),
            team: row.team.map(|team| team.slug),
            month: row.month,
            severity: row.severity,
            figures: row.figures.into(),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// By what to count: `type`, `service`, `team`, `month`, `severity`, or several: `type,team`. Empty: the total only.
    #[serde(default)]
    by: String,
    /// Slug of the type.
    r#type: Option<String>,
    /// 1 to 4.
    severity: Option<i64>,
    /// Slug of a service they touched.
    service: Option<String>,
    /// Slug of a team that owns a service they touched.
    team: Option<String>,
    /// Began on this date or at this instant, or later.
    from: Option<String>,
    /// Began on this date or before; or before this instant.
    to: Option<String>,
}

/// Count incidents, with medians of time to detect and to mitigate
#[utoipa::path(get, path = "/incidents/aggregate", tag = "Incidents", params(Wanted),
    responses((status = 200, body = AggregateBody), Refused))]
async fn get(
    Caller { backend, actor }: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<PlainJson<AggregateBody>, Failure> {
    let by = By::parse(&wanted.by)?;
    let filter = Filter {
        incident_type: wanted.r#type,
        severity: wanted.severity,
        service: wanted.service,
        team: wanted.team,
        from: wanted.from,
        to: wanted.to,
        ..Filter::default()
    };
    let counted = aggregate::aggregate(&backend, &actor, &by, &filter).await?;
    let items = counted.rows.into_iter().map(AggregateRow::from).collect();
    Ok(PlainJson(AggregateBody { items, total: counted.total.into() }))
}
