//! What imports and hooks call services: words that are no service's address wait here until somebody says what they
//! stand for, or a service of that name comes into the catalogue. The answer goes to every incident that has the word,
//! and is remembered for those to come.

use std::collections::BTreeSet;

use domain::policy::{Action, allows};
use domain::{Actor, Refusal, limits};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::services::{ServiceRef, named};
use crate::{Backend, Page, PageRequest, Result, Subject, Tx};

/// Held shared by whoever writes words, exclusively by whoever says what one stands for: no incident comes between.
const NAMES_LOCK: i64 = 0x706c_6273_6e61;

/// Takes it exclusively, for whoever says what a word stands for: also by adding a service or a type of that name.
pub(crate) async fn lock(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", NAMES_LOCK).execute(connection).await?;
    Ok(())
}

/// What became of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has said what it stands for.
    Waiting,
    /// It stands for a service.
    Mapped,
    /// It is none of our services.
    Ignored,
}

impl State {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Mapped => "mapped",
            Self::Ignored => "ignored",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Result<Self, Refusal> {
        [Self::Waiting, Self::Mapped, Self::Ignored]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| Refusal::field("state", "The state is waiting, mapped or ignored."))
    }
}

/// A word for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceName {
    /// In small letters.
    pub name: String,
    /// What became of it.
    pub state: State,
    /// What it stands for.
    pub service: Option<ServiceRef>,
    /// While it waits: the service whose name is most like it.
    pub suggestion: Option<ServiceRef>,
    /// Incidents that have it.
    pub incidents: i64,
    /// The newest of them.
    pub newest: Option<i64>,
}

/// The words in this state: those that most incidents have first.
pub async fn list(backend: &Backend, actor: &Actor, state: State, page: &PageRequest) -> Result<Page<ServiceName>> {
    allows(actor, Action::Read)?;
    let rows = page.rows()?;
    let after: Option<(i64, String)> = page.after()?;
    let after = after.filter(|(_, name)| !name.contains('\0'));
    let found = sqlx::query!(
        r#"with counted as (
             select name, aliases.decided_at, aliases.service_id, count(incident_id) as incidents,
                    max(incident_id) as newest
               from incident_service_names full join incident_service_aliases as aliases using (name)
              where case $1 when 'waiting' then aliases.decided_at is null
                            when 'mapped' then aliases.service_id is not null
                            else aliases.decided_at is not null and aliases.service_id is null end
              group by name, aliases.decided_at, aliases.service_id
           ), page as (
             select * from counted where $2::bigint is null or (-incidents, name) > (-$2, $3::text)
              order by incidents desc, name limit $4)
           select page.name as "name!", page.incidents as "incidents!", page.newest,
                  services.slug as "slug?", services.name as "service_name?", services.tier as "tier?"
             from page left join lateral (
                    select slug, services.name, tier from services
                     where case when $1 = 'waiting'
                                then archived_at is null
                                     and greatest(similarity(slug, page.name), similarity(services.name, page.name)) > 0.3
                                else id = page.service_id end
                     order by greatest(similarity(slug, page.name), similarity(services.name, page.name)) desc, slug
                     limit 1) as services on true
            order by page.incidents desc, page.name"#,
        state.as_str(),
        after.as_ref().map(|(incidents, _)| *incidents),
        after.as_ref().map(|(_, name)| name.as_str()),
        rows + 1,
    )
    .fetch_all(backend.pool())
    .await?;
    Page::new(found, rows, |row| (row.incidents, row.name.clone()))?.try_map(|row| {
        let tier = row.tier.map(domain::service::Tier::try_from).transpose()?;
        let service = row.slug.zip(row.service_name).zip(tier);
        let service = service.map(|((slug, name), tier)| ServiceRef { slug, name, tier });
        let (service, suggestion) = if state == State::Waiting { (None, service) } else { (service, None) };
        Ok(ServiceName { name: row.name, state, service, suggestion, incidents: row.incidents, newest: row.newest })
    })
}

/// What somebody said about a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The word.
    pub name: String,
    /// What it stands for; nothing: it is ignored.
    pub service: Option<String>,
    /// Incidents that were changed by this.
    pub incidents: i64,
}

/// Says that `name` stands for a service (by slug), or for none of ours. Every incident that has the word gets the
/// service; what an earlier answer gave it is taken back.
pub async fn decide(backend: &Backend, actor: &Actor, name: &str, service: Option<&str>) -> Result<Decided> {
    allows(actor, Action::MapServiceNames)?;
    let missing = || Refusal::not_found("name of a service among the incidents");
    let name = Some(as_kept(name)).filter(|name| !name.is_empty() && !name.contains('\0')).ok_or_else(missing)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    lock(&mut tx).await?;
    let before = sqlx::query!(
        r#"select aliases.decided_at is not null as "decided!", services.slug as "slug?", services.id as "id?"
             from (select $1::text as name) as asked
             left join incident_service_aliases as aliases on aliases.name = asked.name
             left join services on services.id = service_id
            where aliases.name is not null
               or exists (select from incident_service_names as names where names.name = asked.name)"#,
        name,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(missing)?;
    let found = match service {
        Some(slug) => {
            let unknown = || Refusal::field("service", format!("There is no service called \"{slug}\"."));
            Some(named(&mut tx, &[slug.to_owned()]).await?.into_iter().next().ok_or_else(unknown)?)
        }
        None => None,
    };
    let (id, slug) = found.map_or((None, None), |found| (Some(found.id), Some(found.slug)));
    if before.decided && before.id == id {
        return tx.commit(Decided { name, service: slug, incidents: 0 }).await;
    }
    let now = tx.now().to_sqlx();
    sqlx::query!(
        "insert into incident_service_aliases (name, service_id, decided_by, decided_at) values ($1, $2, $3, $4)
         on conflict (name) do update
            set service_id = excluded.service_id, decided_by = excluded.decided_by, decided_at = excluded.decided_at",
        name,
        id,
        actor.recorded_as(),
        now,
    )
    .execute(&mut *tx)
    .await?;
    let touched = apply(&mut tx, &name, id).await?;
    let incidents = i64::try_from(touched.len()).unwrap_or(i64::MAX);
    let said = |decided: bool, slug: &Option<String>| {
        decided.then(|| json!({ "name": name, "service": slug, "ignored": slug.is_none() }))
    };
    let events = touched.into_iter().map(|id| (id, said(before.decided, &before.slug), said(true, &slug)));
    let events = events.collect();
    tx.quiet_events("incident.services_named", "incident", events).await?;
    let subject = Subject::product("incident_service_names");
    tx.event("incident_service_name.decided", &subject, said(before.decided, &before.slug), said(true, &slug)).await?;
    tx.commit(Decided { name, service: slug, incidents }).await
}

/// The words that wait, and may stand for a service of this slug and name: for whoever is about to write one. Nobody
/// writes others, or changes the incidents that have them, until the transaction ends.
pub(crate) async fn waiting(tx: &mut Tx<'_>, slug: &str, name: &str) -> Result<Vec<String>> {
    lock(tx).await?;
    let waiting = sqlx::query_scalar!(
        r#"select distinct name as "name!" from incident_service_names
            where not exists (select from incident_service_aliases as aliases
                               where aliases.name = incident_service_names.name)"#
    );
    let mut words = waiting.fetch_all(&mut **tx).await?;
    let name = name.to_lowercase();
    words.retain(|word| *word == slug || domain::text::slugify(word, "") == slug || *word == name);
    hold(tx, &words).await?;
    Ok(words)
}

/// Gives the incidents that have these words what they stand for, now that it is in the catalogue: as if they came after
/// it.
pub(crate) async fn settle(tx: &mut Tx<'_>, waiting: &[String]) -> Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    for (word, meaning) in waiting.iter().zip(meanings(tx, waiting).await?) {
        let Meaning::Service { id, slug } = meaning else { continue };
        let gone =
            sqlx::query_scalar!("delete from incident_service_names where name = $1 returning incident_id", word);
        let touched = gone.fetch_all(&mut **tx).await?;
        sqlx::query!(
            "insert into incident_services (incident_id, service_id) select unnest($1::bigint[]), $2
             on conflict do nothing",
            &touched,
            id,
        )
        .execute(&mut **tx)
        .await?;
        changed(tx, &touched).await?;
        let said = json!({ "name": word, "service": slug, "ignored": false });
        let events = touched.into_iter().map(|id| (id, None, Some(said.clone()))).collect();
        tx.quiet_events("incident.services_named", "incident", events).await?;
    }
    Ok(())
}

/// Holds the incidents that have one of these words: in the order in which everybody does.
async fn hold(tx: &mut Tx<'_>, names: &[String]) -> Result<()> {
    sqlx::query!(
        "select id from incidents where id in (select incident_id from incident_service_names where name = any($1))
          order by id for no key update",
        names,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}

/// Counts that these incidents changed.
async fn changed(tx: &mut Tx<'_>, incidents: &[i64]) -> Result<()> {
    sqlx::query!(
        "update incidents set version = version + 1, updated_at = $2 where id = any($1)",
        incidents,
        tx.now().to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Gives the incidents that have the word what it stands for now; the incidents that this changed.
async fn apply(tx: &mut Tx<'_>, name: &str, service: Option<i64>) -> Result<Vec<i64>> {
    hold(tx, &[name.to_owned()]).await?;
    let mut touched = sqlx::query_scalar!(
        "delete from incident_services where name = $1 and service_id is distinct from $2 returning incident_id",
        name,
        service,
    )
    .fetch_all(&mut **tx)
    .await?;
    touched.extend(
        sqlx::query_scalar!(
            "insert into incident_services (incident_id, service_id, name)
             select incident_id, $2, $1 from incident_service_names where name = $1 and $2::bigint is not null
             on conflict do nothing returning incident_id",
            name,
            service,
        )
        .fetch_all(&mut **tx)
        .await?,
    );
    touched.sort_unstable();
    touched.dedup();
    changed(tx, &touched).await?;
    Ok(touched)
}

/// A word as it is kept: trimmed, in small letters, cut to what a name may have.
pub(super) fn as_kept(name: &str) -> String {
    let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    name.chars().take(limits::NAME_CHARS).collect::<String>().trim_end().to_owned()
}

/// The words for services as they are kept; blank ones say nothing.
pub(super) fn words(field: &str, words: Vec<String>) -> Result<BTreeSet<String>, Refusal> {
    if words.iter().any(|word| word.contains('\0')) {
        return Err(Refusal::field(field, "A service's name contains a NUL character, which cannot be kept."));
    }
    let words: BTreeSet<String> = words.iter().map(|word| as_kept(word)).filter(|word| !word.is_empty()).collect();
    if words.len() > limits::INCIDENT_SERVICES {
        let message = format!("At most {} services are possible.", limits::INCIDENT_SERVICES);
        return Err(Refusal::field(field, message));
    }
    Ok(words)
}

/// What a word of an import or hook stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is the address of a service, now or formerly, or the name of exactly one.
    Service { id: i64, slug: String },
    /// Somebody said that it stands for this service.
    Alias { id: i64, slug: String },
    /// Somebody said that it is none of our services.
    Ignored,
    /// Nobody knows.
    Unknown,
}

/// What the words (as [`as_kept`]) stand for, in their order. Until the transaction ends nobody says otherwise.
pub(super) async fn meanings(connection: &mut PgConnection, names: &[String]) -> Result<Vec<Meaning>> {
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", NAMES_LOCK).execute(&mut *connection).await?;
    // A service is also known by its name, and by what an address made of that word would be, when only one is.
    let slugs: Vec<String> = names.iter().map(|name| domain::text::slugify(name, "")).collect();
    let found = sqlx::query!(
        r#"select asked.place as "place!", direct.id as "direct_id?", direct.slug as "direct?",
                  alias.id as "alias_id?", alias.slug as "alias?",
                  called.ids[1] as "called_id?", called.slugs[1] as "called?",
                  said.name is not null as "decided!"
             from unnest($1::text[], $2::text[]) with ordinality as asked (name, slug, place)
             left join lateral (
               select services.id, services.slug from services
                where services.slug in (asked.name, asked.slug)
                   or services.id in (select service_id from service_former_slugs as former
                                       where former.slug in (asked.name, asked.slug))
                order by services.slug = asked.name desc, services.slug = asked.slug desc, services.id limit 1
             ) as direct on true
             left join incident_service_aliases as said on said.name = asked.name
             left join services as alias on alias.id = said.service_id
             left join lateral (
               select array_agg(services.id) as ids, array_agg(services.slug) as slugs from services
                where lower(services.name) = asked.name having count(*) = 1
             ) as called on said.name is null
            order by asked.place"#,
        names,
        &slugs,
    )
    .fetch_all(connection)
    .await?;
    let meanings = found.into_iter().map(|row| {
        let service = |id, slug| Meaning::Service { id, slug };
        let direct = row.direct_id.zip(row.direct).map(|(id, slug)| service(id, slug));
        let alias = row.alias_id.zip(row.alias).map(|(id, slug)| Meaning::Alias { id, slug });
        let called = row.called_id.zip(row.called).map(|(id, slug)| service(id, slug));
        let otherwise = if row.decided { Meaning::Ignored } else { Meaning::Unknown };
        direct.or(alias).or(called).unwrap_or(otherwise)
    });
    Ok(meanings.collect())
}
