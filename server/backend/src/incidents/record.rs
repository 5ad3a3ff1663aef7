//! Recording, changing and voiding incidents.

use domain::incident::Severity;
use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, Refusal, TeamId, limits, text};
use jiff_sqlx::ToSqlx as _;
use serde_json::json;
use sqlx::PgConnection;

use super::content::{Content, refused};
use super::read::{self, Stored};
use super::{Incident, IncidentChange, IncidentInput};
use crate::services::named;
use crate::{Backend, Error, Expected, Result, Subject, Tx};

/// Records an incident. An external id that its source has given before is refused with the incident that has it.
pub async fn record(backend: &Backend, actor: &Actor, input: IncidentInput) -> Result<Incident> {
    allows(actor, Action::RecordIncident)?;
    let content = Content::check(input, backend.now())?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    if let Some(known) = by_external_id(&mut tx, &content).await? {
        let message = format!("Incident {known} has this external id already; change that one.");
        return Err(Refusal::field("external_id", message).into());
    }
    let wanted = Wanted::resolve(&mut tx, content, None).await?;
    let id = insert(&mut tx, actor, &wanted).await?;
    let stored = read::hold(&mut tx, id).await?;
    tx.event("incident.recorded", &Subject::incident(id), None, Some(serde_json::to_value(&wanted.content)?)).await?;
    let incident = stored.shown(actor).await?;
    tx.commit(incident).await
}

/// Changes what `change` names. Nothing is written when nothing changes.
pub async fn change(
    backend: &Backend,
    actor: &Actor,
    id: i64,
    expected: Expected,
    change: IncidentChange,
) -> Result<Incident> {
    allows(actor, Action::RecordIncident)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let stored = editable(&mut tx, actor, id).await?;
    expected.check_existing(stored.incident.version)?;
    if stored.incident.voided_at.is_some() {
        return Err(Refusal::conflict("This incident is voided; restore it first.").into());
    }
    let was = Content::of(&stored.incident);
    let content = was.after(change, backend.now())?;
    let wanted = Wanted::resolve(&mut tx, content, Some(&was)).await?;
    if wanted.content == was {
        let incident = stored.shown(actor).await?;
        return tx.commit(incident).await;
    }
    update(&mut tx, id, &wanted).await?;
    let (before, after) = (serde_json::to_value(&was)?, serde_json::to_value(&wanted.content)?);
    tx.event("incident.changed", &Subject::incident(id), Some(before), Some(after)).await?;
    let incident = read::hold(&mut tx, id).await?.shown(actor).await?;
    tx.commit(incident).await
}

/// Takes an incident out of every count: it was recorded by mistake, or twice. It stays readable.
pub async fn void(backend: &Backend, actor: &Actor, id: i64, reason: &str) -> Result<Incident> {
    allows(actor, Action::RecordIncident)?;
    let reason = text::paragraph("reason", "The reason", reason.trim(), limits::REASON_CHARS)?;
    if reason.is_empty() {
        return Err(Refusal::field("reason", "Say why this incident does not count.").into());
    }
    set_voided(backend, actor, id, Some(reason)).await
}

/// Makes a voided incident count again.
pub async fn restore(backend: &Backend, actor: &Actor, id: i64) -> Result<Incident> {
    allows(actor, Action::RecordIncident)?;
    set_voided(backend, actor, id, None).await
}

async fn set_voided(backend: &Backend, actor: &Actor, id: i64, reason: Option<String>) -> Result<Incident> {
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let stored = editable(&mut tx, actor, id).await?;
    tx.check_version(stored.incident.version)?;
    if stored.incident.voided_at.is_some() == reason.is_some() {
        let incident = stored.shown(actor).await?;
        return tx.commit(incident).await;
    }
    let now = tx.now().to_sqlx();
    sqlx::query!(
        "update incidents set voided_at = $2, voided_reason = coalesce($3, ''), version = version + 1, updated_at = $4
          where id = $1",
        id,
        reason.is_some().then_some(now) as _,
        reason,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let said = |reason: &Option<String>| Some(json!({ "voided": reason.is_some(), "reason": reason }));
    let was = Some(stored.incident.voided_reason).filter(|reason| !reason.is_empty());
    let verb = if reason.is_some() { "incident.voided" } else { "incident.restored" };
    tx.event(verb, &Subject::incident(id), said(&was), said(&reason)).await?;
    let incident = read::hold(&mut tx, id).await?.shown(actor).await?;
    tx.commit(incident).await
}

/// Refuses who may not change the incident, for pages that offer it; [`change`] decides again.
pub async fn check_edit(backend: &Backend, actor: &Actor, id: i64) -> Result<()> {
    let mut connection = backend.pool().acquire().await?;
    let stored = read::read(&mut connection, id).await?.ok_or_else(|| Refusal::not_found("incident"))?;
    Ok(stored.may_edit(actor)?)
}

/// The incident, held until the transaction ends, if the actor may change it.
async fn editable(tx: &mut Tx<'_>, actor: &Actor, id: i64) -> Result<Stored> {
    let stored = read::hold(tx, id).await?;
    stored.may_edit(actor)?;
    Ok(stored)
}

/// The incident that has this external id.
async fn by_external_id(connection: &mut PgConnection, content: &Content) -> Result<Option<i64>> {
    let Some(external_id) = &content.external_id else { return Ok(None) };
    let known = sqlx::query_scalar!(
        "select id from incidents where source = $1 and external_id = $2",
        content.source,
        external_id,
    );
    Ok(known.fetch_optional(connection).await?)
}

/// A checked content with the ids of what it names.
struct Wanted {
    content: Content,
    type_id: i64,
    services: Vec<i64>,
}

impl Wanted {
    /// Looks up the type and the services; former addresses of services are understood. An archived type is refused
    /// unless the incident has it already.
    async fn resolve(connection: &mut PgConnection, mut content: Content, was: Option<&Content>) -> Result<Self> {
        let mut fields = Fields::default();
        let found = sqlx::query!("select id, archived_at from incident_types where slug = $1", content.incident_type)
            .fetch_optional(&mut *connection)
            .await?;
        let kept = was.is_some_and(|was| was.incident_type == content.incident_type);
        match &found {
            None => {
                let message = format!("There is no type of incident called \"{}\".", content.incident_type);
                fields.complain("type", message);
            }
            Some(row) if row.archived_at.is_some() && !kept => {
                fields.complain("type", format!("The type \"{}\" is archived; choose another.", content.incident_type));
            }
            Some(_) => {}
        }
        let mut services = named(connection, &content.services).await?;
        let known = |name: &String| services.iter().any(|service| service.asked == *name);
        let unknown: Vec<_> = content.services.iter().filter(|name| !known(name)).map(String::as_str).collect();
        if !unknown.is_empty() {
            fields.complain("services", format!("There is no service called {}.", unknown.join(", ")));
        }
        let type_id = fields.finish(found.map(|row| row.id))?;
        services.dedup_by_key(|service| service.id);
        let ids = services.iter().map(|service| service.id).collect();
        content.services = services.into_iter().map(|service| service.slug).collect();
        Ok(Self { content, type_id, services: ids })
    }
}

/// Writes a new incident; its id.
async fn insert(tx: &mut Tx<'_>, actor: &Actor, wanted: &Wanted) -> Result<i64> {
    let now = tx.now().to_sqlx();
    // Services are written by `write_parts`.
    let Content {
        title,
        incident_type: _,
        type_word,
        severity,
        services: _,
        unknown_services: _,
        times,
        summary,
        postmortem_url,
        postmortem,
        source,
        external_id,
    } = &wanted.content;
    let id = sqlx::query_scalar!(
        "insert into incidents (source, external_id, title, type_id, type_word, severity, started_at, detected_at,
                                mitigated_at, ended_at, summary, postmortem_url, postmortem, recorded_by, created_at,
                                updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15) returning id",
        source,
        external_id.as_deref(),
        title,
        wanted.type_id,
        type_word,
        severity.number(),
        times.started_at.to_sqlx(),
        times.detected_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        times.mitigated_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        times.ended_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        summary,
        postmortem_url.as_deref(),
        postmortem,
        actor.recorded_as(),
        now,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(refused)?;
    write_services(tx, id, wanted).await?;
    Ok(id)
}

/// Writes what an incident says now.
async fn update(tx: &mut Tx<'_>, id: i64, wanted: &Wanted) -> Result<()> {
    let now = tx.now().to_sqlx();
    let Content {
        title,
        incident_type: _,
        type_word,
        severity,
        services: _,
        unknown_services: _,
        times,
        summary,
        postmortem_url,
        postmortem,
        source,
        external_id,
    } = &wanted.content;
    sqlx::query!(
        "update incidents set source = $2, external_id = $3, title = $4, type_id = $5, type_word = $6, severity = $7,
                started_at = $8, detected_at = $9, mitigated_at = $10, ended_at = $11, summary = $12,
                postmortem_url = $13, postmortem = $14, version = version + 1, updated_at = $15
          where id = $1",
        id,
        source,
        external_id.as_deref(),
        title,
        wanted.type_id,
        type_word,
        severity.number(),
        times.started_at.to_sqlx(),
        times.detected_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        times.mitigated_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        times.ended_at.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
        summary,
        postmortem_url.as_deref(),
        postmortem,
        now,
    )
    .execute(&mut **tx)
    .await
    .map_err(refused)?;
    write_services(tx, id, wanted).await
}

/// Replaces the services. One that was found by a name and stays is still known by that name.
async fn write_services(tx: &mut Tx<'_>, id: i64, wanted: &Wanted) -> Result<()> {
    sqlx::query!(
        "delete from incident_services where incident_id = $1 and service_id <> all($2)",
        id,
        &wanted.services,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into incident_services (incident_id, service_id) select $1, unnest($2::bigint[]) on conflict do nothing",
        id,
        &wanted.services,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What the policy needs to know of an incident.
pub(super) struct Access {
    pub(super) recorder: Option<i64>,
    pub(super) teams: Vec<TeamId>,
}

impl Access {
    /// Ok when the actor may change the incident.
    pub(super) fn may_edit(&self, actor: &Actor) -> Result<(), Refusal> {
        allows(actor, Action::EditIncident { recorder: self.recorder, teams: &self.teams })
    }
}

/// Reads a severity from the database.
pub(super) fn severity(number: i16) -> Result<Severity> {
    Severity::try_from(number).map_err(Error::internal)
}
