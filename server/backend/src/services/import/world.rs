//! What is here already, of everything that files speak of.

use std::collections::{BTreeMap, BTreeSet};

use domain::service::Tier;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::catalog::{Said, SaidOfTeam};
use crate::Result;
use crate::services::change::Content;
use crate::services::{Link, named};

/// A service that is here.
#[derive(Debug, Clone)]
pub(super) struct HereService {
    pub(super) content: Content,
    pub(super) archived: bool,
    /// What a file said last, and which.
    pub(super) last: Option<Said>,
    pub(super) source: Option<String>,
}

/// A team that is here.
#[derive(Debug, Clone)]
pub(super) struct HereTeam {
    /// Name and members' addresses.
    pub(super) content: (String, Vec<String>),
    pub(super) last: Option<SaidOfTeam>,
    pub(super) source: Option<String>,
}

/// What files speak of.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) services: BTreeSet<String>,
    pub(super) teams: BTreeSet<String>,
    /// Addresses of people.
    pub(super) people: BTreeSet<String>,
}

/// What of it is here.
#[derive(Debug, Default)]
pub(super) struct World {
    /// A name, also a former one, and the service's name now.
    pub(super) called: BTreeMap<String, String>,
    pub(super) services: BTreeMap<String, HereService>,
    pub(super) teams: BTreeMap<String, HereTeam>,
    /// Addresses as sent, in small letters, and as they are here.
    pub(super) people: BTreeMap<String, String>,
}

impl World {
    /// Looks everything up, however much it is, with a handful of queries.
    pub(super) async fn load(connection: &mut PgConnection, names: &Names) -> Result<Self> {
        let mut world = Self::default();
        world.load_services(connection, names).await?;
        world.load_teams(connection, &names.teams).await?;
        world.load_people(connection, &names.people).await?;
        Ok(world)
    }

    async fn load_services(&mut self, connection: &mut PgConnection, names: &Names) -> Result<()> {
        let asked: Vec<String> = names.services.iter().cloned().collect();
        self.called = call(connection, &asked).await?;
        let slugs: Vec<String> = self.called.values().cloned().collect();
        let rows = sqlx::query!(
            r#"select services.slug as "slug!", services.name as "name!", tier as "tier!", teams.slug as "team?",
                      description as "description!", labels as "labels!",
                      services.archived_at is not null as "archived!",
                      array(select other.slug from service_dependencies join services as other on other.id = depends_on_id
                             where service_dependencies.service_id = services.id order by other.slug) as "depends_on!",
                      (select coalesce(jsonb_agg(jsonb_build_object('title', title, 'url', url) order by position), '[]')
                         from service_links where service_links.service_id = services.id) as "links!: Json<Vec<Link>>",
                      said as "said?", source as "source?"
                 from services left join teams on teams.id = team_id
                      left join service_imports on service_imports.service_id = services.id
                where services.slug = any($1)"#,
            &slugs,
        )
        .fetch_all(&mut *connection)
        .await?;
        let mut earlier = BTreeSet::new();
        for row in rows {
            let last: Option<Said> = row.said.map(serde_json::from_value).transpose()?;
            earlier.extend(last.iter().flat_map(|said| said.depends_on.iter().cloned()));
            let content = Content {
                name: row.name,
                tier: Tier::try_from(row.tier)?,
                team: row.team,
                description: row.description,
                depends_on: row.depends_on,
                links: row.links.0,
                labels: row.labels,
            };
            let here = HereService { content, archived: row.archived, last, source: row.source };
            self.services.insert(row.slug, here);
        }
        // What a file said last may have been renamed since.
        earlier.retain(|name| !self.called.contains_key(name));
        let renamed = call(connection, &earlier.into_iter().collect::<Vec<_>>()).await?;
        for service in self.services.values_mut() {
            for name in service.last.iter_mut().flat_map(|said| said.depends_on.iter_mut()) {
                if let Some(now) = renamed.get(name).or_else(|| self.called.get(name)) {
                    name.clone_from(now);
                }
            }
        }
        Ok(())
    }

    async fn load_teams(&mut self, connection: &mut PgConnection, slugs: &BTreeSet<String>) -> Result<()> {
        let slugs: Vec<String> = slugs.iter().cloned().collect();
        let rows = sqlx::query!(
            r#"select slug as "slug!", name as "name!", said as "said?", source as "source?",
                      array(select email::text from team_members join people on people.id = person_id
                             where team_members.team_id = teams.id order by lower(people.name), email) as "members!"
                 from teams left join team_imports on team_imports.team_id = teams.id
                where slug = any($1) and archived_at is null"#,
            &slugs,
        )
        .fetch_all(connection)
        .await?;
        for row in rows {
            let last = row.said.map(serde_json::from_value).transpose()?;
            let here = HereTeam { content: (row.name, row.members), last, source: row.source };
            self.teams.insert(row.slug, here);
        }
        Ok(())
    }

    async fn load_people(&mut self, connection: &mut PgConnection, emails: &BTreeSet<String>) -> Result<()> {
        let emails: Vec<String> = emails.iter().filter(|email| !email.contains('\0')).cloned().collect();
        let found = sqlx::query_scalar!(
            r#"select email::text as "email!" from people where email = any($1::text[]::citext[])"#,
            &emails,
        )
        .fetch_all(connection)
        .await?;
        self.people = found.into_iter().map(|email| (email.to_lowercase(), email)).collect();
        Ok(())
    }
}

/// Names, also former ones, and the names now.
async fn call(connection: &mut PgConnection, asked: &[String]) -> Result<BTreeMap<String, String>> {
    Ok(named(connection, asked).await?.into_iter().map(|found| (found.asked, found.slug)).collect())
}
