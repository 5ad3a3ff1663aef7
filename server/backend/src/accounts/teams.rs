//! Teams: who belongs together and owns which services.

use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::service::Tier;
use domain::{Actor, Refusal, Role, limits, text};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;

use crate::accounts::TeamRef;
use crate::services::ServiceRef;
use crate::{Backend, Error, Expected, Page, PageRequest, Result, Subject, Tx};

/// A team in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TeamSummary {
    /// Its slug, which names it in the API.
    pub slug: String,
    /// Its name, as shown.
    pub name: String,
    /// How many people belong to it.
    pub members: i64,
    /// How many services it owns, archived ones not counted.
    pub services: i64,
    /// Counts the changes; what a `PUT` must name.
    pub version: i64,
}

/// A team with everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Its slug, which names it in the API.
    pub slug: String,
    /// Its name, as shown.
    pub name: String,
    /// Who belongs to it, by name.
    pub members: Vec<Member>,
    /// The services it owns, the most critical first; without archived ones.
    pub services: Vec<ServiceRef>,
    /// Counts the changes; what a `PUT` must name.
    pub version: i64,
}

/// Somebody in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they are kept out.
    pub disabled: bool,
}

/// What a `PUT` says about a team.
#[derive(Debug, Clone, Default)]
pub struct TeamInput {
    /// Its name.
    pub name: String,
    /// Everybody who belongs to it, by address; absent leaves the members as they are.
    pub members: Option<Vec<String>>,
}

/// Teams by slug; `q` is words in slug or name.
pub async fn list(backend: &Backend, actor: &Actor, q: Option<&str>, page: &PageRequest) -> Result<Page<TeamSummary>> {
    allows(actor, Action::Read)?;
    let rows = page.rows()?;
    let found = sqlx::query!(
        r#"select slug, name, version,
                  (select count(*) from team_members where team_id = teams.id) as "members!",
                  (select count(*) from services where team_id = teams.id and archived_at is null) as "services!"
             from teams
            where ($1::text is null or slug ilike $1 or name ilike $1)
              and ($2::text is null or slug > $2)
            order by slug limit $3"#,
        crate::filter::containing(q),
        page.after::<String>()?.filter(|slug| !slug.contains('\0')),
        rows + 1,
    )
    .fetch_all(backend.pool())
    .await?;
    Page::new(found, rows, |row| row.slug.clone())?.try_map(|row| {
        Ok(TeamSummary {
            slug: row.slug,
            name: row.name,
            members: row.members,
            services: row.services,
            version: row.version,
        })
    })
}

/// Every team, by slug: for pickers, which must not end before the last one.
pub async fn all(backend: &Backend, actor: &Actor) -> Result<Vec<TeamRef>> {
    allows(actor, Action::Read)?;
    let teams = sqlx::query_as!(TeamRef, "select slug, name from teams order by slug");
    Ok(teams.fetch_all(backend.pool()).await?)
}

/// The team with this slug.
pub async fn get(backend: &Backend, actor: &Actor, slug: &str) -> Result<Team> {
    allows(actor, Action::Read)?;
    text::slug("slug", "The team", slug).map_err(|_| Refusal::not_found("team"))?;
    let mut connection = backend.pool().acquire().await?;
    Ok(read(&mut connection, slug).await?.ok_or_else(|| Refusal::not_found("team"))?)
}

/// Creates or changes a team; true when it is new.
pub async fn put(
    backend: &Backend,
    actor: &Actor,
    slug: &str,
    expected: Expected,
    input: TeamInput,
) -> Result<(Team, bool)> {
    allows(actor, Action::Administer)?;
    let mut fields = Fields::default();
    let slug = fields.take(text::slug("slug", "The short name", slug))?;
    let name = fields.take(text::line("name", "The name", &input.name, limits::NAME_CHARS))?;
    let (slug, name) = fields.finish((slug, name))?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let answer = put_in(&mut tx, &slug, expected, &name, input.members.as_deref()).await?;
    tx.commit(answer).await
}

/// The change of [`put`], as a part of a transaction: slug and name are checked, the policy was asked.
pub(crate) async fn put_in(
    tx: &mut Tx<'_>,
    slug: &str,
    expected: Expected,
    name: &str,
    members: Option<&[String]>,
) -> Result<(Team, bool)> {
    let taken = || Refusal::field("slug", format!("There is already a team with the address \"{slug}\"."));
    let now = tx.now().to_sqlx();
    sqlx::query!("select id from teams where slug = $1 for no key update", slug).fetch_optional(&mut **tx).await?;
    let before = read(tx, slug).await?;
    expected.check(before.as_ref().map(|team| team.version), taken)?;
    let id = match &before {
        Some(_) => {
            sqlx::query_scalar!(
                "update teams set name = $2, version = version + 1, updated_at = $3 where slug = $1 returning id",
                slug,
                name,
                now,
            )
            .fetch_one(&mut **tx)
            .await?
        }
        None => sqlx::query_scalar!(
            "insert into teams (slug, name, created_at, updated_at) values ($1, $2, $3, $3)
             on conflict do nothing returning id",
            slug,
            name,
            now,
        )
        .fetch_optional(&mut **tx)
        .await?
        // Somebody else created it at the same moment.
        .ok_or_else(|| match expected {
            Expected::Absent => taken(),
            _ => Refusal::VersionNeeded { newest: 1 },
        })?,
    };
    if let Some(members) = members {
        set_members(tx, id, members).await?;
    }
    let team = read(tx, slug).await?.ok_or_else(|| Error::internal("a team vanished while it was written"))?;
    let verb = if before.is_some() { "team.changed" } else { "team.created" };
    tx.event(verb, &Subject::team(slug), before.as_ref().map(snapshot), Some(snapshot(&team))).await?;
    Ok((team, before.is_none()))
}

/// Replaces the members of a team by the people with these addresses.
async fn set_members(connection: &mut PgConnection, team: i64, emails: &[String]) -> Result<()> {
    let mut addresses = Vec::with_capacity(emails.len());
    let mut unknown = Vec::new();
    for email in emails {
        match text::email("members", email) {
            Ok(address) => addresses.push(address),
            Err(_) => unknown.push(email.clone()),
        }
    }
    let missing = sqlx::query_scalar!(
        r#"select wanted as "wanted!" from unnest($1::text[]) as wanted
            where not exists (select from people where email = wanted::citext)"#,
        &addresses,
    )
    .fetch_all(&mut *connection)
    .await?;
    unknown.extend(missing);
    if !unknown.is_empty() {
        let message = format!("Nobody has an account with the address {}.", unknown.join(", "));
        return Err(Refusal::field("members", message).into());
    }
    sqlx::query!("delete from team_members where team_id = $1", team).execute(&mut *connection).await?;
    sqlx::query!(
        "insert into team_members (team_id, person_id)
         select $1, id from people where email = any($2::text[]::citext[])",
        team,
        &addresses,
    )
    .execute(&mut *connection)
    .await?;
    Ok(())
}

async fn read(connection: &mut PgConnection, slug: &str) -> Result<Option<Team>> {
    let Some(team) = sqlx::query!("select id, slug, name, version from teams where slug = $1", slug)
        .fetch_optional(&mut *connection)
        .await?
    else {
        return Ok(None);
    };
    let members = sqlx::query!(
        r#"select email, name, role, disabled_at is not null as "disabled!"
             from team_members join people on people.id = person_id
            where team_id = $1 order by lower(name), email"#,
        team.id,
    )
    .fetch_all(&mut *connection)
    .await?;
    let services = sqlx::query!(
        "select slug, name, tier from services where team_id = $1 and archived_at is null order by tier, slug",
        team.id,
    )
    .fetch_all(&mut *connection)
    .await?;
    Ok(Some(Team {
        slug: team.slug,
        name: team.name,
        members: members
            .into_iter()
            .map(|row| {
                let role = super::role(&row.role)?;
                Ok(Member { email: row.email, name: row.name, role, disabled: row.disabled })
            })
            .collect::<Result<_>>()?,
        services: services
            .into_iter()
            .map(|row| Ok(ServiceRef { slug: row.slug, name: row.name, tier: Tier::try_from(row.tier)? }))
            .collect::<Result<_>>()?,
        version: team.version,
    }))
}

/// What the event keeps of a team.
fn snapshot(team: &Team) -> serde_json::Value {
    let members: Vec<&str> = team.members.iter().map(|member| member.email.as_str()).collect();
    json!({ "name": team.name, "members": members })
}
