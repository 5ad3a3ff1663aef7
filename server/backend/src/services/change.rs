//! Changing services: put, archive, rename.

use domain::policy::{Action, allows};
use domain::refusal::Fields;
use domain::service::Tier;
use domain::{Actor, Refusal, TeamId, limits, text};
use jiff_sqlx::ToSqlx;
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;

use super::{Link, Service, ServiceInput, Stored, named, read};
use crate::accounts::team_id;
use crate::incidents::names;
use crate::{Backend, Error, Expected, Result, Subject, Tx};

/// Held by a transaction that gives a service a new address, so that no address ever means two services.
const ADDRESSES_LOCK: i64 = 0x706c_6273_6c67;

/// Creates or changes the service with this slug; true when it is new. Nothing is written when nothing changes.
pub async fn put(
    backend: &Backend,
    actor: &Actor,
    slug: &str,
    expected: Expected,
    input: ServiceInput,
) -> Result<(Service, bool)> {
    may_edit_some(actor)?;
    let slug = text::slug("slug", "The short name", slug)?;
    let input = Content::check(input)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let answer = put_content(&mut tx, actor, &slug, expected, input).await?;
    tx.commit(answer).await
}

/// The change of [`put`], as a part of a transaction.
pub(super) async fn put_content(
    tx: &mut Tx<'_>,
    actor: &Actor,
    slug: &str,
    expected: Expected,
    input: Content,
) -> Result<(Service, bool)> {
    let before = match lock(tx, slug).await? {
        None => {
            lock_addresses(tx).await?;
            refuse_former(tx, slug, None).await?;
            // Whoever waited for the lock may find the service created meanwhile.
            lock(tx, slug).await?
        }
        found => found,
    };
    if let Some(before) = &before {
        allows(actor, Action::EditService { team: before.team_id })?;
    }
    let mut wanted = Wanted::resolve(tx, slug, input).await?;
    allows(actor, Action::EditService { team: wanted.team })?;
    expected.check(before.as_ref().map(|stored| stored.service.version), || taken(slug))?;
    let was = before.as_ref().map(|stored| Content::of(&stored.service));
    if let Some(before) = before.as_ref().filter(|_| was.as_ref() == Some(&wanted.content)) {
        return Ok((before.service.clone(), false));
    }
    let name = &wanted.content.name;
    let waiting = match &was {
        Some(was) if was.name == *name => Vec::new(),
        _ => names::waiting(tx, slug, name).await?,
    };
    let now = tx.now();
    let id = wanted.write(tx, slug, before.as_ref().map(|stored| stored.id), now).await?;
    wanted.write_parts(tx, id).await?;
    let service = reread(tx, slug).await?;
    let verb = if before.is_some() { "service.changed" } else { "service.created" };
    let was = was.map(serde_json::to_value).transpose()?;
    tx.event(verb, &Subject::service(slug), was, Some(serde_json::to_value(&wanted.content)?)).await?;
    names::settle(tx, &waiting).await?;
    Ok((service, before.is_none()))
}

/// Takes a service out of use. It stays readable, and what points to it stays.
pub async fn archive(backend: &Backend, actor: &Actor, slug: &str) -> Result<Service> {
    set_archived(backend, actor, slug, true).await
}

/// Brings an archived service back into use.
pub async fn unarchive(backend: &Backend, actor: &Actor, slug: &str) -> Result<Service> {
    set_archived(backend, actor, slug, false).await
}

/// Gives a service another address; the old one leads to it from then on. An address it had before may come back.
pub async fn rename(backend: &Backend, actor: &Actor, slug: &str, new: &str) -> Result<Service> {
    may_edit_some(actor)?;
    let new = text::slug("slug", "The new short name", new)?;
    let now = backend.now().to_sqlx();
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    lock_addresses(&mut tx).await?;
    let stored = existing(&mut tx, slug).await?;
    allows(actor, Action::EditService { team: stored.team_id })?;
    tx.check_version(stored.service.version)?;
    if stored.service.slug == new {
        return tx.commit(stored.service).await;
    }
    refuse_former(&mut tx, &new, Some(stored.id)).await?;
    let other = sqlx::query_scalar!("select id from services where slug = $1", new).fetch_optional(&mut *tx).await?;
    if other.is_some() {
        return Err(taken(&new).into());
    }
    let waiting = names::waiting(&mut tx, &new, &stored.service.name).await?;
    sqlx::query!("delete from service_former_slugs where slug = $1", new).execute(&mut *tx).await?;
    sqlx::query!(
        "insert into service_former_slugs (slug, service_id, since) values ($1, $2, $3)",
        stored.service.slug,
        stored.id,
        now,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update services set slug = $2, version = version + 1, updated_at = $3 where id = $1",
        stored.id,
        new,
        now,
    )
    .execute(&mut *tx)
    .await?;
    let service = reread(&mut tx, &new).await?;
    let (was, is) = (json!({ "slug": stored.service.slug }), json!({ "slug": new }));
    tx.event("service.renamed", &Subject::service(&new), Some(was), Some(is)).await?;
    names::settle(&mut tx, &waiting).await?;
    tx.commit(service).await
}

async fn set_archived(backend: &Backend, actor: &Actor, slug: &str, archived: bool) -> Result<Service> {
    may_edit_some(actor)?;
    let now = backend.now().to_sqlx();
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let stored = existing(&mut tx, slug).await?;
    allows(actor, Action::EditService { team: stored.team_id })?;
    tx.check_version(stored.service.version)?;
    if stored.service.archived_at.is_some() == archived {
        return tx.commit(stored.service).await;
    }
    sqlx::query!(
        "update services set archived_at = $2, version = version + 1, updated_at = $3 where id = $1",
        stored.id,
        archived.then_some(now),
        now,
    )
    .execute(&mut *tx)
    .await?;
    let service = reread(&mut tx, slug).await?;
    let verb = if archived { "service.archived" } else { "service.unarchived" };
    tx.event(verb, &Subject::service(slug), None, None).await?;
    tx.commit(service).await
}

/// What people say about a service: what a `PUT` checks, compares, writes, and keeps in the event. Wherever it is made
/// or taken apart every field is named, so that a new one cannot be forgotten.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) tier: Tier,
    /// By slug.
    pub(super) team: Option<String>,
    pub(super) description: String,
    /// By slug.
    pub(super) depends_on: Vec<String>,
    pub(super) links: Vec<Link>,
    pub(super) labels: Vec<String>,
}

impl Content {
    /// Checks that every value is within its limits and says everything that is wrong at once. Names are not looked up
    /// yet.
    pub(super) fn check(input: ServiceInput) -> Result<Self, Refusal> {
        let ServiceInput { name, tier, team, description, depends_on, links, labels } = input;
        let mut fields = Fields::default();
        let name = fields.take(text::line("name", "The name", &name, limits::NAME_CHARS))?;
        let tier = fields.take(Tier::parse(tier))?;
        let max = limits::DESCRIPTION_CHARS;
        let description = fields.take(text::paragraph("description", "The description", &description, max))?;
        at_most(&mut fields, "depends_on", "dependencies", depends_on.len(), limits::SERVICE_DEPENDENCIES);
        at_most(&mut fields, "links", "links", links.len(), limits::SERVICE_LINKS);
        at_most(&mut fields, "labels", "labels", labels.len(), limits::SERVICE_LABELS);
        let mut good_links = Vec::with_capacity(links.len());
        for (number, link) in (1..).zip(links) {
            let title = text::line("links", &format!("The title of link {number}"), &link.title, limits::NAME_CHARS);
            let title = fields.take(title)?;
            let url = fields.take(text::web_address("links", &link.url))?;
            good_links.extend(title.zip(url).map(|(title, url)| Link { title, url }));
        }
        let mut good_labels = Vec::with_capacity(labels.len());
        for label in labels {
            let label = fields.take(text::line("labels", "A label", &label, limits::NAME_CHARS))?;
            good_labels.extend(label.filter(|label| !good_labels.contains(label)));
        }
        let (name, tier, description) = fields.finish((name, tier, description))?;
        let team = team.filter(|team| !team.trim().is_empty());
        Ok(Self { name, tier, team, description, depends_on, links: good_links, labels: good_labels })
    }

    /// What is said about a service that exists.
    pub(super) fn of(service: &Service) -> Self {
        let Service {
            name,
            tier,
            team,
            description,
            depends_on,
            links,
            labels,
            // What people do not say with a `PUT`.
            slug: _,
            depended_on_by: _,
            archived_at: _,
            version: _,
            created_at: _,
            updated_at: _,
        } = service;
        Self {
            name: name.clone(),
            tier: *tier,
            team: team.as_ref().map(|team| team.slug.clone()),
            description: description.clone(),
            depends_on: depends_on.iter().map(|other| other.slug.clone()).collect(),
            links: links.clone(),
            labels: labels.clone(),
        }
    }
}

/// A checked input with the ids of what it names.
struct Wanted {
    content: Content,
    team: Option<TeamId>,
    depends_on: Vec<i64>,
    /// A service that is new needs itself: its id comes with its row.
    itself: bool,
}

impl Wanted {
    /// Looks up the team and the dependencies; former addresses of services are understood.
    async fn resolve(connection: &mut PgConnection, slug: &str, mut content: Content) -> Result<Self> {
        let mut fields = Fields::default();
        let team = match &content.team {
            Some(team) => Some(team_id(connection, "team", team).await),
            None => None,
        };
        let team = fields.take(Error::apart(team.transpose())?)?;
        let mut found = named(connection, &content.depends_on).await?;
        let unknown: Vec<&str> = content
            .depends_on
            .iter()
            .map(String::as_str)
            .filter(|name| *name != slug && !found.iter().any(|service| service.asked == **name))
            .collect();
        if !unknown.is_empty() {
            let message = format!("There is no service called {}.", unknown.join(", "));
            fields.complain("depends_on", message);
        }
        let team = fields.finish(team)?;
        found.dedup_by_key(|service| service.id);
        let itself =
            content.depends_on.iter().any(|name| name == slug) && found.iter().all(|service| service.slug != slug);
        let depends_on = found.iter().map(|service| service.id).collect();
        content.depends_on = found.into_iter().map(|service| service.slug).collect();
        if itself {
            content.depends_on.push(slug.to_owned());
            content.depends_on.sort_unstable();
        }
        Ok(Self { content, team, depends_on, itself })
    }

    /// Writes the service's own row; its id.
    async fn write(&self, tx: &mut Tx<'_>, slug: &str, id: Option<i64>, now: jiff::Timestamp) -> Result<i64> {
        let now = now.to_sqlx();
        // Team and dependencies are written by id, dependencies and links by `write_parts`.
        let Content { name, tier, team: _, description, depends_on: _, links: _, labels } = &self.content;
        let tier = tier.number();
        let Some(id) = id else {
            let id = sqlx::query_scalar!(
                "insert into services (slug, name, tier, team_id, description, labels, created_at, updated_at)
                 values ($1, $2, $3, $4, $5, $6, $7, $7) returning id",
                slug,
                name,
                tier,
                self.team,
                description,
                labels,
                now,
            );
            return Ok(id.fetch_one(&mut **tx).await?);
        };
        sqlx::query!(
            "update services set name = $2, tier = $3, team_id = $4, description = $5, labels = $6,
                    version = version + 1, updated_at = $7
              where id = $1",
            id,
            name,
            tier,
            self.team,
            description,
            labels,
            now,
        )
        .execute(&mut **tx)
        .await?;
        Ok(id)
    }

    /// Replaces dependencies and links.
    async fn write_parts(&mut self, tx: &mut Tx<'_>, id: i64) -> Result<()> {
        if std::mem::take(&mut self.itself) {
            self.depends_on.push(id);
        }
        sqlx::query!(
            "delete from service_dependencies where service_id = $1 and depends_on_id <> all($2)",
            id,
            &self.depends_on,
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "insert into service_dependencies (service_id, depends_on_id) select $1, unnest($2::bigint[])
             on conflict do nothing",
            id,
            &self.depends_on,
        )
        .execute(&mut **tx)
        .await?;
        let (titles, urls): (Vec<String>, Vec<String>) =
            self.content.links.iter().map(|link| (link.title.clone(), link.url.clone())).unzip();
        sqlx::query!("delete from service_links where service_id = $1", id).execute(&mut **tx).await?;
        sqlx::query!(
            "insert into service_links (service_id, position, title, url)
             select $1, position - 1, title, url
               from unnest($2::text[], $3::text[]) with ordinality as link (title, url, position)",
            id,
            &titles,
            &urls,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

/// Whether the actor may edit any service at all, before anything is looked up: an SRE, or a member of some team.
pub fn may_edit_some(actor: &Actor) -> Result<(), Refusal> {
    allows(actor, Action::EditService { team: actor.teams.first().copied() })
}

/// The service with this slug, held until the transaction ends. `no key`: others may still point to it meanwhile.
async fn lock(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Stored>> {
    sqlx::query!("select id from services where slug = $1 for no key update", slug).fetch_optional(&mut **tx).await?;
    read(tx, slug).await
}

async fn existing(tx: &mut Tx<'_>, slug: &str) -> Result<Stored> {
    let missing = || Refusal::not_found("service");
    text::slug("slug", "The service", slug).map_err(|_| missing())?;
    Ok(lock(tx, slug).await?.ok_or_else(missing)?)
}

async fn reread(tx: &mut Tx<'_>, slug: &str) -> Result<Service> {
    let stored = read(tx, slug).await?;
    Ok(stored.ok_or_else(|| Error::internal("a service vanished while it was written"))?.service)
}

async fn lock_addresses(tx: &mut Tx<'_>) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", ADDRESSES_LOCK).execute(&mut **tx).await?;
    Ok(())
}

/// Refuses an address that another service had before a rename.
async fn refuse_former(tx: &mut Tx<'_>, slug: &str, except: Option<i64>) -> Result<()> {
    let owner = sqlx::query_scalar!(
        "select services.slug from service_former_slugs as former join services on services.id = service_id
          where former.slug = $1 and ($2::bigint is null or service_id <> $2)",
        slug,
        except,
    )
    .fetch_optional(&mut **tx)
    .await?;
    match owner {
        None => Ok(()),
        Some(owner) => {
            let message = format!("\"{slug}\" is a former address of the service \"{owner}\" and still leads there.");
            Err(Refusal::conflict(message).into())
        }
    }
}

fn at_most(fields: &mut Fields, field: &str, things: &str, number: usize, limit: usize) {
    if number > limit {
        fields.complain(field, format!("There are {number} {things}; at most {limit} are possible."));
    }
}

fn taken(slug: &str) -> Refusal {
    Refusal::field("slug", format!("There is already a service with the address \"{slug}\"."))
}
