//! Services: what the product reviews, who owns them, what they need and who needs them.
//!
//! A service keeps its addresses: after a rename the old ones still lead to it ([`Found::Moved`]), and no other service
//! can take them.

mod change;
pub mod import;
#[cfg(test)]
mod tests;

use domain::policy::{Action, allows};
use domain::service::Tier;
use domain::{Actor, Refusal, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::accounts::TeamRef;
use crate::{Backend, Page, PageRequest, Result, filter};

pub use change::{archive, may_edit_some, put, rename, unarchive};

/// A service, as other things name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRef {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// How much depends on it.
    pub tier: Tier,
}

/// A link on a service's page: runbook, dashboard, repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it leads to.
    pub title: String,
    /// A web address, `http` or `https`.
    pub url: String,
}

/// A service with everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// How much depends on it.
    pub tier: Tier,
    /// Who owns it, if anybody.
    pub team: Option<TeamRef>,
    /// What it does, in a few sentences.
    pub description: String,
    /// The services it needs, by slug.
    pub depends_on: Vec<ServiceRef>,
    /// The services that need it, by slug; without archived ones.
    pub depended_on_by: Vec<ServiceRef>,
    /// Where else to look, in the order given.
    pub links: Vec<Link>,
    /// Free words to find it by, in the order given.
    pub labels: Vec<String>,
    /// Since when it is out of use.
    pub archived_at: Option<Timestamp>,
    /// Counts the changes; what a `PUT` must name.
    pub version: i64,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A service in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceSummary {
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// How much depends on it.
    pub tier: Tier,
    /// Who owns it, if anybody.
    pub team: Option<TeamRef>,
    /// What it does.
    pub description: String,
    /// Free words to find it by.
    pub labels: Vec<String>,
    /// Since when it is out of use.
    pub archived_at: Option<Timestamp>,
    /// Counts the changes.
    pub version: i64,
}

/// What a `PUT` or a form says about a service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ServiceInput {
    /// Its name.
    pub name: String,
    /// 1, 2 or 3.
    pub tier: i64,
    /// The owner's slug; nobody when absent.
    pub team: Option<String>,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// Slugs of the services it needs.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Where else to look.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Free words to find it by.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// Which services are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Words in slug, name, description or labels.
    pub q: Option<String>,
    /// Owned by this team, by slug.
    pub team: Option<String>,
    /// Of this tier.
    pub tier: Option<Tier>,
    /// Archived ones instead of those in use.
    pub archived: bool,
}

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The service.
    Here(Box<Service>),
    /// The service was renamed.
    Moved {
        /// Its slug now.
        to: String,
    },
}

/// What pickers offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Options {
    /// Services in use, by slug.
    pub services: Vec<ServiceRef>,
    /// Teams that the actor may name as an owner, by slug.
    pub teams: Vec<TeamRef>,
    /// The first of them that is the actor's own.
    pub own_team: Option<String>,
    /// Whether the actor may leave a service without an owner.
    pub ownerless: bool,
}

/// Services by slug.
pub async fn list(
    backend: &Backend,
    actor: &Actor,
    filter: &Filter,
    page: &PageRequest,
) -> Result<Page<ServiceSummary>> {
    allows(actor, Action::Read)?;
    if let Some(team) = &filter.team {
        text::slug("team", "The team", team)?;
    }
    let rows = page.rows()?;
    let found = sqlx::query!(
        r#"select services.slug, services.name, tier, description, labels, services.archived_at,
                  services.version, teams.slug as "team_slug?", teams.name as "team_name?"
             from services left join teams on teams.id = team_id
            where ($1::text is null or services.slug ilike $1 or services.name ilike $1 or description ilike $1
                   or exists (select from unnest(labels) as label where label ilike $1))
              and ($2::text is null or teams.slug = $2)
              and ($3::smallint is null or tier = $3)
              and (services.archived_at is not null) = $4
              and ($5::text is null or services.slug > $5)
            order by services.slug limit $6"#,
        filter::containing(filter.q.as_deref()),
        filter.team,
        filter.tier.map(Tier::number),
        filter.archived,
        page.after::<String>()?.filter(|slug| !slug.contains('\0')),
        rows + 1,
    )
    .fetch_all(backend.pool())
    .await?;
    Page::new(found, rows, |row| row.slug.clone())?.try_map(|row| {
        Ok(ServiceSummary {
            slug: row.slug,
            name: row.name,
            tier: Tier::try_from(row.tier)?,
            team: team_ref(row.team_slug, row.team_name),
            description: row.description,
            labels: row.labels,
            archived_at: row.archived_at.map(jiff_sqlx::Timestamp::to_jiff),
            version: row.version,
        })
    })
}

/// The service with this slug, or where it is now.
pub async fn get(backend: &Backend, actor: &Actor, slug: &str) -> Result<Found> {
    allows(actor, Action::Read)?;
    let missing = || Refusal::not_found("service");
    text::slug("slug", "The service", slug).map_err(|_| missing())?;
    let mut connection = backend.pool().acquire().await?;
    if let Some(stored) = read(&mut connection, slug).await? {
        return Ok(Found::Here(Box::new(stored.service)));
    }
    let moved = named(&mut connection, &[slug.to_owned()]).await?.into_iter().next();
    Ok(Found::Moved { to: moved.ok_or_else(missing)?.slug })
}

/// Refuses who may not change the service, for pages that offer it; [`put`] decides again.
pub async fn check_edit(backend: &Backend, actor: &Actor, slug: &str) -> Result<()> {
    let mut connection = backend.pool().acquire().await?;
    let stored = read(&mut connection, slug).await?.ok_or_else(|| Refusal::not_found("service"))?;
    Ok(allows(actor, Action::EditService { team: stored.team_id })?)
}

/// What pickers offer: services in use, and the teams that the actor may make owners.
pub async fn options(backend: &Backend, actor: &Actor) -> Result<Options> {
    allows(actor, Action::Read)?;
    let services = sqlx::query!("select slug, name, tier from services where archived_at is null order by slug")
        .fetch_all(backend.pool())
        .await?
        .into_iter()
        .map(|row| Ok(ServiceRef { slug: row.slug, name: row.name, tier: Tier::try_from(row.tier)? }))
        .collect::<Result<_>>()?;
    let ownerless = allows(actor, Action::EditService { team: None }).is_ok();
    let teams = sqlx::query!(
        r#"select slug, name, id = any($2) as "own!" from teams
            where archived_at is null and ($1 or id = any($2)) order by slug"#,
        ownerless,
        &actor.teams,
    )
    .fetch_all(backend.pool())
    .await?;
    let own_team = teams.iter().find(|team| team.own).map(|team| team.slug.clone());
    let teams = teams.into_iter().map(|team| TeamRef { slug: team.slug, name: team.name }).collect();
    Ok(Options { services, teams, own_team, ownerless })
}

/// A service and the ids behind it.
struct Stored {
    id: i64,
    team_id: Option<i64>,
    service: Service,
}

async fn read(connection: &mut PgConnection, slug: &str) -> Result<Option<Stored>> {
    let row = sqlx::query!(
        r#"select services.id, services.slug, services.name, tier, team_id, description, labels, services.archived_at,
                  services.version, services.created_at, services.updated_at,
                  teams.slug as "team_slug?", teams.name as "team_name?",
                  (select coalesce(jsonb_agg(jsonb_build_object('slug', other.slug, 'name', other.name,
                                                                'tier', other.tier) order by other.slug), '[]')
                     from service_dependencies join services as other on other.id = depends_on_id
                    where service_id = services.id) as "depends_on!: Json<Vec<ServiceRef>>",
                  (select coalesce(jsonb_agg(jsonb_build_object('slug', other.slug, 'name', other.name,
                                                                'tier', other.tier) order by other.slug), '[]')
                     from service_dependencies join services as other on other.id = service_id
                    where depends_on_id = services.id and other.archived_at is null
                  ) as "depended_on_by!: Json<Vec<ServiceRef>>",
                  (select coalesce(jsonb_agg(jsonb_build_object('title', title, 'url', url) order by position), '[]')
                     from service_links where service_id = services.id) as "links!: Json<Vec<Link>>"
             from services left join teams on teams.id = team_id
            where services.slug = $1"#,
        slug,
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let service = Service {
        slug: row.slug,
        name: row.name,
        tier: Tier::try_from(row.tier)?,
        team: team_ref(row.team_slug, row.team_name),
        description: row.description,
        depends_on: row.depends_on.0,
        depended_on_by: row.depended_on_by.0,
        links: row.links.0,
        labels: row.labels,
        archived_at: row.archived_at.map(jiff_sqlx::Timestamp::to_jiff),
        version: row.version,
        created_at: row.created_at.to_jiff(),
        updated_at: row.updated_at.to_jiff(),
    };
    Ok(Some(Stored { id: row.id, team_id: row.team_id, service }))
}

/// A service found by one of its addresses.
pub(crate) struct Named {
    /// The address it was asked for by.
    pub(crate) asked: String,
    pub(crate) id: i64,
    /// Its address now.
    pub(crate) slug: String,
}

/// The services with these addresses, by slug; one that was renamed is found by its former addresses, too. What no
/// service has or had is missing. This is the one place that reads a service's name.
pub(crate) async fn named(connection: &mut PgConnection, slugs: &[String]) -> Result<Vec<Named>> {
    // A NUL cannot be sent to Postgres; no slug has one.
    let asked: Vec<String> = slugs.iter().filter(|slug| !slug.contains('\0')).cloned().collect();
    let found = sqlx::query_as!(
        Named,
        r#"select distinct asked as "asked!", services.id, services.slug
             from unnest($1::text[]) as asked
             left join service_former_slugs as former on former.slug = asked
             join services on services.slug = asked or services.id = former.service_id
            order by services.slug"#,
        &asked,
    );
    Ok(found.fetch_all(connection).await?)
}

fn team_ref(slug: Option<String>, name: Option<String>) -> Option<TeamRef> {
    Some(TeamRef { slug: slug?, name: name? })
}
