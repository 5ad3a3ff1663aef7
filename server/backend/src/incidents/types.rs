//! The types of incidents. Leads edit them; a type that incidents have is archived, never deleted.

use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::{Actor, Refusal, incident, limits, text};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use super::names;
use crate::{Backend, Expected, OnConstraint, Result, Subject, Tx};

/// A type of incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentType {
    /// Its name in the API.
    pub slug: String,
    /// Its name, as shown.
    pub name: String,
    /// Where it stands in lists, from 1; archived ones stand behind the others.
    pub position: i32,
    /// Since when nobody chooses it any more.
    pub archived_at: Option<Timestamp>,
    /// Incidents that have it, voided ones included.
    pub incidents: i64,
    /// Counts the changes.
    pub version: i64,
}

/// What a form or a `PUT` says about a type.
#[derive(Debug, Clone, Default)]
pub struct TypeInput {
    /// Its name, as shown.
    pub name: String,
    /// Where it stands; where it is, or last, when absent. The others make room.
    pub position: Option<i64>,
    /// Whether it is out of use.
    pub archived: bool,
}

/// The types in their order; archived ones only `with_archived`.
pub async fn list(backend: &Backend, actor: &Actor, with_archived: bool) -> Result<Vec<IncidentType>> {
    allows(actor, Action::Read)?;
    let mut types = read(&mut *backend.pool().acquire().await?, None).await?;
    types.retain(|found| with_archived || found.archived_at.is_none());
    Ok(types)
}

/// One type.
pub async fn get(backend: &Backend, actor: &Actor, slug: &str) -> Result<IncidentType> {
    allows(actor, Action::Read)?;
    let missing = || Refusal::not_found("type of incident");
    incident::type_slug("slug", slug).map_err(|_| missing())?;
    let found = read(&mut *backend.pool().acquire().await?, Some(slug)).await?.pop();
    Ok(found.ok_or_else(missing)?)
}

/// Adds or changes the type with this slug; true when it is new. Nothing is written when nothing changes.
pub async fn put(
    backend: &Backend,
    actor: &Actor,
    slug: &str,
    expected: Expected,
    input: TypeInput,
) -> Result<(IncidentType, bool)> {
    allows(actor, Action::EditIncidentTypes)?;
    let mut fields = Fields::default();
    let slug = fields.take(incident::type_slug("slug", slug))?;
    let name = fields.take(text::line("name", "The name", &input.name, limits::NAME_CHARS))?;
    if input.archived && slug.as_deref() == Some(incident::UNKNOWN_TYPE) {
        fields.complain("archived", "What nobody has sorted yet needs this type; it cannot be archived.");
    }
    if input.position.is_some_and(|position| position < 1) {
        fields.complain("position", "Positions begin with 1.");
    }
    let (slug, name) = fields.finish((slug, name))?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    // All rows: an order is one thing.
    sqlx::query!("select id from incident_types order by id for no key update").fetch_all(&mut *tx).await?;
    let types = read(&mut tx, None).await?;
    let before = types.iter().find(|found| found.slug == slug).cloned();
    expected.check(before.as_ref().map(|found| found.version), || {
        Refusal::field("slug", format!("There is a type called \"{slug}\" already."))
    })?;
    if before.is_none() && i64::try_from(types.len()).unwrap_or(i64::MAX) >= limits::INCIDENT_TYPES {
        return Err(Refusal::conflict(format!("At most {} types are possible.", limits::INCIDENT_TYPES)).into());
    }
    let waiting = waiting(&mut tx, &slug, &name).await?;
    let now = tx.now();
    write(&mut tx, &slug, &name, input.archived, now, before.as_ref()).await?;
    reorder(&mut tx, &types, &slug, input.position, input.archived).await?;
    let after = read(&mut tx, Some(&slug)).await?.pop();
    let mut after = after.ok_or_else(|| crate::Error::internal("a type vanished while it was written"))?;
    if before.as_ref() == Some(&after) {
        return tx.commit((after, false)).await;
    }
    let said = |found: &IncidentType| {
        json!({ "slug": found.slug, "name": found.name, "position": found.position,
                "archived": found.archived_at.is_some() })
    };
    let verb = if before.is_some() { "incident_type.changed" } else { "incident_type.added" };
    let subject = Subject::product("incident_types");
    tx.event(verb, &subject, before.as_ref().map(said), Some(said(&after))).await?;
    if !input.archived {
        after.incidents += settle(&mut tx, &slug, &waiting).await?;
    }
    tx.commit((after, before.is_none())).await
}

async fn write(
    tx: &mut Tx<'_>,
    slug: &str,
    name: &str,
    archived: bool,
    now: Timestamp,
    before: Option<&IncidentType>,
) -> Result<()> {
    let taken = || Refusal::field("name", "Another type has this name.");
    let Some(before) = before else {
        sqlx::query!(
            "insert into incident_types (slug, name, position, archived_at)
             select $1, $2, 1 + coalesce(max(position), 0), $3 from incident_types",
            slug,
            name,
            archived.then_some(now.to_sqlx()) as _,
        )
        .execute(&mut **tx)
        .await
        .on_constraint("incident_types_name_unique", taken)?;
        return Ok(());
    };
    if before.name == name && before.archived_at.is_some() == archived {
        return Ok(());
    }
    sqlx::query!(
        "update incident_types
            set name = $2, archived_at = case when $3 then coalesce(archived_at, $4) end, version = version + 1
          where slug = $1",
        slug,
        name,
        archived,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .on_constraint("incident_types_name_unique", taken)?;
    Ok(())
}

/// The words that were no type's and may stand for one of this slug and name, for whoever is about to write it. Nobody
/// writes others, or changes the incidents that have them, until the transaction ends.
async fn waiting(tx: &mut Tx<'_>, slug: &str, name: &str) -> Result<Vec<String>> {
    names::lock(tx).await?;
    let words = sqlx::query_scalar!("select distinct type_word from incidents where type_word <> ''");
    let mut words = words.fetch_all(&mut **tx).await?;
    let name = name.to_lowercase();
    words.retain(|word| incident::type_word(word) == slug || word.trim().to_lowercase() == name);
    sqlx::query!("select id from incidents where type_word = any($1) order by id for no key update", &words)
        .fetch_all(&mut **tx)
        .await?;
    Ok(words)
}

/// Gives the incidents that have these words this type, now that it is there: as if they came after it. How many.
async fn settle(tx: &mut Tx<'_>, slug: &str, waiting: &[String]) -> Result<i64> {
    let settled = sqlx::query!(
        r#"with held as (
             select incidents.id, type_word, slug from incidents join incident_types on incident_types.id = type_id
              where type_word = any($1))
           update incidents
              set type_id = (select id from incident_types where slug = $2), type_word = '', version = version + 1,
                  updated_at = $3
             from held where incidents.id = held.id
           returning incidents.id, held.type_word as "word!", held.slug as "was!""#,
        waiting,
        slug,
        tx.now().to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await?;
    let said = |slug: &str, word: &str| Some(json!({ "type": slug, "type_word": word }));
    let events = settled.iter().map(|row| (row.id, said(&row.was, &row.word), said(slug, ""))).collect();
    tx.quiet_events("incident.changed", "incident", events).await?;
    Ok(i64::try_from(settled.len()).unwrap_or(i64::MAX))
}

/// Gives every type its place: those in use first, `slug` at the one asked for.
async fn reorder(
    tx: &mut Tx<'_>,
    types: &[IncidentType],
    slug: &str,
    position: Option<i64>,
    archived: bool,
) -> Result<()> {
    let others = |archived: bool| {
        let others = types.iter().filter(move |found| found.slug != slug && found.archived_at.is_some() == archived);
        others.map(|found| found.slug.clone()).collect::<Vec<_>>()
    };
    let (mut used, mut unused) = (others(false), others(true));
    let place = types.iter().filter(|found| found.archived_at.is_some() == archived);
    let place = place.map(|found| &found.slug).position(|other| other == slug);
    let own = if archived { &mut unused } else { &mut used };
    let place = match position {
        Some(position) if !archived => usize::try_from(position - 1).unwrap_or(usize::MAX),
        _ => place.unwrap_or(usize::MAX),
    };
    own.insert(place.min(own.len()), slug.to_owned());
    used.append(&mut unused);
    sqlx::query!(
        "update incident_types set position = place, version = version + (slug = $2 and $3)::integer
           from unnest($1::text[]) with ordinality as wanted (name, place)
          where slug = wanted.name and position <> place",
        &used,
        slug,
        types.iter().any(|found| found.slug == slug),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The types in their order, or one.
pub(super) async fn read(connection: &mut PgConnection, slug: Option<&str>) -> Result<Vec<IncidentType>> {
    let rows = sqlx::query!(
        r#"select slug, name, position, archived_at, version,
                  (select count(*) from incidents where type_id = incident_types.id) as "incidents!"
             from incident_types where $1::text is null or slug = $1 order by position"#,
        slug,
    )
    .fetch_all(connection)
    .await?;
    let types = rows.into_iter().map(|row| IncidentType {
        slug: row.slug,
        name: row.name,
        position: row.position,
        archived_at: row.archived_at.map(jiff_sqlx::Timestamp::to_jiff),
        incidents: row.incidents,
        version: row.version,
    });
    Ok(types.collect())
}
