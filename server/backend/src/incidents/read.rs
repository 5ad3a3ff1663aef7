//! One incident and the list of them: the one that began last comes first.

use domain::incident::{self, Severity};
use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, Refusal, limits, text};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::record::{Access, severity};
use super::{Filter, Incident, Listed, Repeat, Span, TypeRef, rendered};
use crate::filter::containing;
use crate::rfcs::PersonRef;
use crate::services::{ServiceRef, named};
use crate::{Backend, Page, PageRequest, Result};

/// One incident, voided or not.
pub async fn get(backend: &Backend, actor: &Actor, id: i64) -> Result<Incident> {
    allows(actor, Action::Read)?;
    let mut connection = backend.pool().acquire().await?;
    let stored = read(&mut connection, id).await?.ok_or_else(|| Refusal::not_found("incident"))?;
    drop(connection);
    stored.shown(actor).await
}

/// Incidents, the one that began last first.
pub async fn list(backend: &Backend, actor: &Actor, filter: &Filter, page: &PageRequest) -> Result<Page<Listed>> {
    allows(actor, Action::Read)?;
    let rows = page.rows()?;
    let after: Option<Cursor> = page.after()?;
    let wanted = Wanted::of(backend, filter).await?;
    // `offset 0`: the view counts once for an incident, not again for each time `nth` is named.
    let found = sqlx::query!(
        r#"with page as (
             select * from incidents
              where (voided_at is not null) = $1
                and ($2::bigint is null or type_id = $2)
                and ($3::smallint is null or severity = $3)
                and ($4::bigint is null or exists (select from incident_services
                                                    where incident_id = incidents.id and service_id = $4))
                and ($5::bigint is null or exists (select from incident_services
                                                     join services on services.id = service_id
                                                    where incident_id = incidents.id and team_id = $5))
                and ($6::timestamptz is null or started_at >= $6)
                and ($7::timestamptz is null or started_at < $7)
                and ($8::text is null or title ilike $8 or summary ilike $8 or external_id ilike $8)
                and ($9::timestamptz is null or (started_at, id) < ($9, $10))
              order by started_at desc, id desc limit $11)
           select page.id as "id!", page.title as "title!", incident_types.slug as type_slug,
                  incident_types.name as type_name, page.severity as "severity!", page.started_at as "started_at!",
                  page.detected_at, page.mitigated_at, page.ended_at, page.postmortem_url, page.external_id,
                  page.voided_at, page.version as "version!",
                  (select coalesce(jsonb_agg(jsonb_build_object('slug', services.slug, 'name', services.name, 'tier', tier)
                                             order by services.slug), '[]')
                     from incident_services join services on services.id = service_id
                    where incident_id = page.id) as "services!: Json<Vec<ServiceRef>>",
                  array(select name from incident_service_names left join incident_service_aliases using (name)
                         where incident_id = page.id and decided_at is null order by name) as "unknown_services!",
                  (select coalesce(jsonb_agg(jsonb_build_object('nth', nth, 'service', jsonb_build_object(
                                      'slug', services.slug, 'name', services.name, 'tier', tier))
                                             order by services.slug), '[]')
                     from (select * from incident_repetitions where incident_id = page.id offset 0) as again
                     join services on services.id = service_id
                    where nth > 1) as "repeats!: Json<Vec<Repeat>>"
             from page join incident_types on incident_types.id = page.type_id
            order by page.started_at desc, page.id desc"#,
        filter.voided,
        wanted.incident_type,
        wanted.severity.map(Severity::number),
        wanted.service,
        wanted.team,
        wanted.span.from.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        wanted.span.to.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        containing(wanted.q.as_deref()),
        after.map(|after| after.started_at.to_sqlx()) as _,
        after.map(|after| after.id),
        rows + 1,
    )
    .fetch_all(backend.pool())
    .await?;
    Page::new(found, rows, |row| Cursor { started_at: row.started_at.to_jiff(), id: row.id })?.try_map(|row| {
        Ok(Listed {
            id: row.id,
            title: row.title,
            incident_type: TypeRef { slug: row.type_slug, name: row.type_name },
            severity: severity(row.severity)?,
            services: row.services.0,
            unknown_services: row.unknown_services,
            started_at: row.started_at.to_jiff(),
            detected_at: row.detected_at.map(jiff_sqlx::Timestamp::to_jiff),
            mitigated_at: row.mitigated_at.map(jiff_sqlx::Timestamp::to_jiff),
            ended_at: row.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
            postmortem_url: row.postmortem_url,
            external_id: row.external_id,
            voided_at: row.voided_at.map(jiff_sqlx::Timestamp::to_jiff),
            repeats: row.repeats.0,
            version: row.version,
        })
    })
}

/// Where a page ends: the last row's place in the order.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    started_at: Timestamp,
    id: i64,
}

/// A filter with the ids of what it names. A name that nothing has finds nothing: its id is 0.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) q: Option<String>,
    pub(super) incident_type: Option<i64>,
    pub(super) severity: Option<Severity>,
    pub(super) service: Option<i64>,
    pub(super) team: Option<i64>,
    pub(super) span: Span,
}

impl Wanted {
    pub(super) async fn of(backend: &Backend, filter: &Filter) -> Result<Self> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let mut fields = Fields::default();
        let q = given(&filter.q);
        if q.as_ref().is_some_and(|words| words.chars().count() > limits::SEARCH_CHARS) {
            fields.complain("q", format!("Search for at most {} characters.", limits::SEARCH_CHARS));
        }
        let severity = fields.take(filter.severity.map(Severity::parse).transpose())?;
        let span = fields.take(Span::parse(backend, filter.from.as_deref(), filter.to.as_deref()))?;
        let slug = given(&filter.incident_type).map(|slug| incident::type_slug("type", &slug));
        let slug = fields.take(slug.transpose())?;
        let team = fields.take(given(&filter.team).map(|slug| text::slug("team", "The team", &slug)).transpose())?;
        let ((severity, span), (slug, team)) = {
            use domain::refusal::Taken as _;
            fields.finish(((severity, span).all(), (slug, team).all()))?
        };
        let mut connection = backend.pool().acquire().await?;
        let incident_type = match slug {
            Some(slug) => sqlx::query_scalar!("select id from incident_types where slug = $1", slug)
                .fetch_optional(&mut *connection)
                .await?
                .or(Some(0)),
            None => None,
        };
        let team = match team {
            Some(slug) => sqlx::query_scalar!("select id from teams where slug = $1", slug)
                .fetch_optional(&mut *connection)
                .await?
                .or(Some(0)),
            None => None,
        };
        let service = match given(&filter.service) {
            Some(slug) => Some(named(&mut connection, &[slug]).await?.first().map_or(0, |service| service.id)),
            None => None,
        };
        Ok(Self { q, incident_type, severity, service, team, span })
    }
}

/// An incident and what the policy needs to know of it; texts not rendered yet.
pub(super) struct Stored {
    pub(super) incident: Incident,
    access: Access,
}

impl Stored {
    /// Ok when the actor may change it.
    pub(super) fn may_edit(&self, actor: &Actor) -> Result<(), Refusal> {
        self.access.may_edit(actor)
    }

    /// The incident as this actor sees it.
    pub(super) async fn shown(mut self, actor: &Actor) -> Result<Incident> {
        self.incident.may_edit = self.may_edit(actor).is_ok();
        let [summary, postmortem] = rendered([&self.incident.summary, &self.incident.postmortem]).await?;
        (self.incident.summary_html, self.incident.postmortem_html) = (summary, postmortem);
        Ok(self.incident)
    }
}

/// The incident, held until the transaction ends.
pub(super) async fn hold(connection: &mut PgConnection, id: i64) -> Result<Stored> {
    sqlx::query!("select id from incidents where id = $1 for no key update", id)
        .fetch_optional(&mut *connection)
        .await?;
    Ok(read(connection, id).await?.ok_or_else(|| Refusal::not_found("incident"))?)
}

pub(super) async fn read(connection: &mut PgConnection, id: i64) -> Result<Option<Stored>> {
    // `offset 0` as in the list.
    let row = sqlx::query!(
        r#"select incidents.*, incident_types.slug as type_slug, incident_types.name as type_name,
                  people.email as "email?: String", people.name as "recorder?",
                  (select coalesce(jsonb_agg(jsonb_build_object('slug', services.slug, 'name', services.name, 'tier', tier)
                                             order by services.slug), '[]')
                     from incident_services join services on services.id = service_id
                    where incident_id = incidents.id) as "services!: Json<Vec<ServiceRef>>",
                  array(select distinct team_id from incident_services join services on services.id = service_id
                         where incident_id = incidents.id and team_id is not null) as "teams!",
                  array(select name from incident_service_names left join incident_service_aliases using (name)
                         where incident_id = incidents.id and decided_at is null order by name) as "unknown_services!",
                  (select coalesce(jsonb_agg(jsonb_build_object('nth', nth, 'service', jsonb_build_object(
                                      'slug', services.slug, 'name', services.name, 'tier', tier))
                                             order by services.slug), '[]')
                     from (select * from incident_repetitions where incident_id = incidents.id offset 0) as again
                     join services on services.id = service_id
                    where nth > 1) as "repeats!: Json<Vec<Repeat>>"
             from incidents join incident_types on incident_types.id = type_id
             left join people on people.id = recorded_by
            where incidents.id = $1"#,
        id,
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let incident = Incident {
        id: row.id,
        title: row.title,
        incident_type: TypeRef { slug: row.type_slug, name: row.type_name },
        type_word: row.type_word,
        severity: severity(row.severity)?,
        services: row.services.0,
        unknown_services: row.unknown_services,
        started_at: row.started_at.to_jiff(),
        detected_at: row.detected_at.map(jiff_sqlx::Timestamp::to_jiff),
        mitigated_at: row.mitigated_at.map(jiff_sqlx::Timestamp::to_jiff),
        ended_at: row.ended_at.map(jiff_sqlx::Timestamp::to_jiff),
        summary: row.summary,
        summary_html: String::new(),
        postmortem_url: row.postmortem_url,
        postmortem: row.postmortem,
        postmortem_html: String::new(),
        source: row.source,
        external_id: row.external_id,
        recorded_by: row.email.zip(row.recorder).map(|(email, name)| PersonRef { email, name }),
        voided_at: row.voided_at.map(jiff_sqlx::Timestamp::to_jiff),
        voided_reason: row.voided_reason,
        repeats: row.repeats.0,
        version: row.version,
        created_at: row.created_at.to_jiff(),
        updated_at: row.updated_at.to_jiff(),
        may_edit: false,
    };
    Ok(Some(Stored { incident, access: Access { recorder: row.recorded_by, teams: row.teams } }))
}

/// The number of an incident from its name in an address. Each has one: `+5` and `007` are none.
pub fn id(name: &str) -> Result<i64> {
    let id = name.parse().ok().filter(|id: &i64| id.to_string() == name);
    Ok(id.ok_or_else(|| Refusal::not_found("incident"))?)
}
