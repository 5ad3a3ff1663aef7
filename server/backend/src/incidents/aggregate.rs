//! Incidents counted: by type, service, team, month and severity, with medians, and what repeats.
//!
//! Voided incidents count nowhere. An incident on several services counts once for each of them, once for each team that
//! owns some of them, and once in the total.

use std::collections::BTreeMap;

use domain::incident::{self, Severity};
use domain::policy::{Action, allows};
use domain::{Actor, Refusal, limits};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};

use super::read::Wanted;
use super::record::severity;
use super::{Filter, TypeRef};
use crate::accounts::TeamRef;
use crate::services::ServiceRef;
use crate::{Backend, Error, Result};

/// By what incidents are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Their type.
    Type,
    /// A service they touched.
    Service,
    /// A team that owns a service they touched.
    Team,
    /// The month in which they began, in the organisation's zone.
    Month,
    /// How grave they were.
    Severity,
}

impl By {
    /// Every one, in the order of the contract.
    pub const ALL: [Self; 5] = [Self::Type, Self::Service, Self::Team, Self::Month, Self::Severity];

    /// Its word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Service => "service",
            Self::Team => "team",
            Self::Month => "month",
            Self::Severity => "severity",
        }
    }

    /// Reads `type,team`; nothing is nothing.
    pub fn parse(words: &str) -> Result<Vec<Self>, Refusal> {
        let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
        let found = words.map(|word| {
            Self::ALL.into_iter().find(|by| by.as_str() == word).ok_or_else(|| {
                Refusal::field("by", "Count by type, service, team, month or severity, or by several: type,team.")
            })
        });
        found.collect()
    }
}

/// How many, and how quick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Incidents.
    pub count: i64,
    /// Median of the seconds from start to detection, of those whose detection is known.
    pub median_seconds_to_detect: Option<f64>,
    /// Median of the seconds from start to mitigation, of those whose mitigation is known.
    pub median_seconds_to_mitigate: Option<f64>,
}

/// One group. What it was not counted by is `None`; so are service and team of an incident without.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The type.
    pub incident_type: Option<TypeRef>,
    /// The service.
    pub service: Option<ServiceRef>,
    /// The team.
    pub team: Option<TeamRef>,
    /// The month: `2026-11`.
    pub month: Option<String>,
    /// How grave.
    pub severity: Option<Severity>,
    /// How many, and how quick.
    pub figures: Figures,
}

/// Incidents counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Groups that have incidents: by month, type (in its order), severity, team, service.
    pub rows: Vec<Row>,
    /// All of them together, each once.
    pub total: Figures,
}

/// Counts the incidents that `filter` (without its `q`) leaves, by all of `by` together.
pub async fn aggregate(backend: &Backend, actor: &Actor, by: &[By], filter: &Filter) -> Result<Aggregate> {
    allows(actor, Action::Read)?;
    let wanted = Wanted::of(backend, filter).await?;
    let months = if by.contains(&By::Month) { months_of(backend, &wanted).await? } else { Vec::new() };
    let rows = counted(backend, by, &wanted, filter.voided, &months).await?;
    let total = match by {
        [] => rows.first().map(|row| row.figures),
        _ => counted(backend, &[], &wanted, filter.voided, &[]).await?.first().map(|row| row.figures),
    };
    let rows = if by.is_empty() { Vec::new() } else { rows };
    Ok(Aggregate { rows, total: total.unwrap_or_default() })
}

/// The first days of the months from the first to the last incident that is wanted, and their beginnings. Computed here,
/// not by Postgres: its zones may be older than ours.
async fn months_of(backend: &Backend, wanted: &Wanted) -> Result<Vec<(Date, Timestamp)>> {
    let bounds = sqlx::query!(
        "select min(started_at) as first, max(started_at) as last from incidents
          where ($1::timestamptz is null or started_at >= $1) and ($2::timestamptz is null or started_at < $2)",
        wanted.span.from.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        wanted.span.to.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
    )
    .fetch_one(backend.pool())
    .await?;
    let Some((first, last)) = bounds.first.zip(bounds.last) else { return Ok(Vec::new()) };
    months_between(backend, first.to_jiff(), last.to_jiff())
}

fn months_between(backend: &Backend, first: Timestamp, last: Timestamp) -> Result<Vec<(Date, Timestamp)>> {
    let mut day = first.to_zoned(backend.time_zone().clone()).date().first_of_month();
    let mut months = Vec::new();
    loop {
        let begins = day.to_zoned(backend.time_zone().clone()).map_err(Error::internal)?.timestamp();
        if begins > last {
            return Ok(months);
        }
        months.push((day, begins));
        day = day.checked_add(1.month()).map_err(Error::internal)?;
    }
}

fn month_name(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}

async fn counted(
    backend: &Backend,
    by: &[By],
    wanted: &Wanted,
    voided: bool,
    months: &[(Date, Timestamp)],
) -> Result<Vec<Row>> {
    let beginnings: Vec<_> = months.iter().map(|(_, begins)| begins.to_sqlx()).collect();
    let found = sqlx::query!(
        r#"with chosen as (
             select distinct incidents.id,
                    case when $1 then type_id end as type_id,
                    case when $2 then services.id end as service_id,
                    case when $3 then services.team_id end as team_id,
                    case when $4 then width_bucket(started_at, $6::timestamptz[]) end as month,
                    case when $5 then severity end as severity,
                    extract(epoch from detected_at - started_at)::double precision as to_detect,
                    extract(epoch from mitigated_at - started_at)::double precision as to_mitigate
               from incidents
               left join incident_services on incident_id = incidents.id and ($2 or $3)
               left join services on services.id = service_id
              where (voided_at is not null) = $7
                and ($8::bigint is null or type_id = $8)
                and ($9::smallint is null or severity = $9)
                and ($10::bigint is null or exists (select from incident_services as touched
                                                     where touched.incident_id = incidents.id
                                                       and touched.service_id = $10))
                and ($11::bigint is null or exists (select from incident_services as touched
                                                      join services as owned on owned.id = touched.service_id
                                                     where touched.incident_id = incidents.id
                                                       and owned.team_id = $11))
                and ($12::timestamptz is null or started_at >= $12)
                and ($13::timestamptz is null or started_at < $13)
           ), grouped as (
             select type_id, service_id, team_id, month, severity, count(*) as count,
                    percentile_cont(0.5) within group (order by to_detect) as to_detect,
                    percentile_cont(0.5) within group (order by to_mitigate) as to_mitigate
               from chosen group by type_id, service_id, team_id, month, severity)
           select grouped.month, grouped.severity, grouped.count as "count!", to_detect, to_mitigate,
                  incident_types.slug as "type_slug?", incident_types.name as "type_name?",
                  services.slug as "service_slug?", services.name as "service_name?", services.tier as "tier?",
                  teams.slug as "team_slug?", teams.name as "team_name?"
             from grouped
             left join incident_types on incident_types.id = grouped.type_id
             left join services on services.id = grouped.service_id
             left join teams on teams.id = grouped.team_id
            order by grouped.month, incident_types.position, grouped.severity, teams.slug, services.slug limit $14"#,
        by.contains(&By::Type),
        by.contains(&By::Service),
        by.contains(&By::Team),
        by.contains(&By::Month),
        by.contains(&By::Severity),
        &beginnings as _,
        voided,
        wanted.incident_type,
        wanted.severity.map(Severity::number),
        wanted.service,
        wanted.team,
        wanted.span.from.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        wanted.span.to.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        i64::try_from(limits::AGGREGATE_ROWS + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(backend.pool())
    .await?;
    if found.len() > limits::AGGREGATE_ROWS {
        let message = format!("These are more than {} groups; narrow from, to or by.", limits::AGGREGATE_ROWS);
        return Err(Refusal::field("by", message).into());
    }
    let month = |bucket: i32| usize::try_from(bucket - 1).ok().and_then(|bucket| months.get(bucket));
    let rows = found.into_iter().map(|row| {
        let tier = row.tier.map(domain::service::Tier::try_from).transpose()?;
        let service = row.service_slug.zip(row.service_name).zip(tier);
        Ok(Row {
            incident_type: row.type_slug.zip(row.type_name).map(|(slug, name)| TypeRef { slug, name }),
            service: service.map(|((slug, name), tier)| ServiceRef { slug, name, tier }),
            team: row.team_slug.zip(row.team_name).map(|(slug, name)| TeamRef { slug, name }),
            month: row.month.and_then(month).map(|(day, _)| month_name(*day)),
            severity: row.severity.map(severity).transpose()?,
            figures: Figures {
                count: row.count,
                median_seconds_to_detect: row.to_detect,
                median_seconds_to_mitigate: row.to_mitigate,
            },
        })
    });
    rows.collect()
}

/// Incidents by month and type, for a chart: months without any are there, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monthly {
    /// The months, the oldest first: `2026-11`.
    pub months: Vec<String>,
    /// The types that occur, in their order, each with its count month by month.
    pub types: Vec<(TypeRef, Vec<i64>)>,
    /// Everything from the first of these months on.
    pub total: Figures,
}

/// The last `months` months up to now, this one included, of what `filter` (without its `from` and `to`) leaves.
pub async fn by_month(backend: &Backend, actor: &Actor, filter: &Filter, months: i32) -> Result<Monthly> {
    let here: Zoned = backend.now().to_zoned(backend.time_zone().clone());
    let first = here.date().first_of_month().checked_sub((months - 1).months()).map_err(Error::internal)?;
    let filter = Filter { from: Some(first.to_string()), to: None, ..filter.clone() };
    let counted = aggregate(backend, actor, &[By::Type, By::Month], &filter).await?;
    let begins = first.to_zoned(backend.time_zone().clone()).map_err(Error::internal)?.timestamp();
    let days = months_between(backend, begins, backend.now())?;
    let months: Vec<String> = days.into_iter().map(|(day, _)| month_name(day)).collect();
    let mut types: Vec<(TypeRef, Vec<i64>)> = Vec::new();
    let order = super::types::list(backend, actor, true).await?;
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in counted.rows {
        if let Some((found, month)) = row.incident_type.zip(row.month) {
            counts.insert((found.slug, month), row.figures.count);
        }
    }
    for found in order {
        let of_month = |month: &String| counts.get(&(found.slug.clone(), month.clone())).copied().unwrap_or_default();
        let own: Vec<i64> = months.iter().map(of_month).collect();
        if own.iter().any(|count| *count > 0) {
            types.push((TypeRef { slug: found.slug, name: found.name }, own));
        }
    }
    Ok(Monthly { months, types, total: counted.total })
}

/// A type that came back on a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// Where.
    pub service: ServiceRef,
    /// What.
    pub incident_type: TypeRef,
    /// How often within the last [`incident::REPEAT_DAYS`] days, at least twice.
    pub count: i64,
    /// The latest of them.
    pub latest: i64,
    /// When that began.
    pub latest_at: Timestamp,
}

/// What came back within the last [`incident::REPEAT_DAYS`] days, the most frequent first: on the filter's service, on
/// the services of its team, or anywhere. At most 100.
pub async fn repeated(backend: &Backend, actor: &Actor, filter: &Filter) -> Result<Vec<Repeated>> {
    allows(actor, Action::Read)?;
    let wanted = Wanted::of(backend, filter).await?;
    let window = SignedDuration::from_hours(24 * i64::from(incident::REPEAT_DAYS));
    let from = backend.now().checked_sub(window).map_err(Error::internal)?;
    let rows = sqlx::query!(
        r#"select services.slug, services.name, services.tier, incident_types.slug as type_slug,
                  incident_types.name as type_name, count(*) as "count!", max(started_at) as "latest_at!",
                  (array_agg(incidents.id order by started_at desc, incidents.id desc))[1] as "latest!"
             from incidents join incident_types on incident_types.id = type_id
             join incident_services on incident_id = incidents.id join services on services.id = service_id
            where voided_at is null and started_at > $1 and started_at <= $2 and incident_types.slug <> $3
              and ($4::bigint is null or services.id = $4) and ($5::bigint is null or services.team_id = $5)
              and ($6::bigint is null or type_id = $6)
            group by services.id, incident_types.id having count(*) > 1
            order by count(*) desc, max(started_at) desc, services.slug limit 100"#,
        from.to_sqlx(),
        backend.now().to_sqlx(),
        incident::UNKNOWN_TYPE,
        wanted.service,
        wanted.team,
        wanted.incident_type,
    )
    .fetch_all(backend.pool())
    .await?;
    let rows = rows.into_iter().map(|row| {
        let tier = domain::service::Tier::try_from(row.tier)?;
        Ok(Repeated {
            service: ServiceRef { slug: row.slug, name: row.name, tier },
            incident_type: TypeRef { slug: row.type_slug, name: row.type_name },
            count: row.count,
            latest: row.latest,
            latest_at: row.latest_at.to_jiff(),
        })
    });
    rows.collect()
}
