//! What needs a person today, why, and since when.

use domain::Actor;
use domain::policy::{self, Action};
use domain::rfc::{Severity, Status};
use domain::service::Tier;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::{PersonRef, ServiceRef};
use crate::{Backend, Error, Result};

/// Rows of each part at most.
pub const ROWS: i64 = 50;
/// Waiting threads at most when all of them are asked for.
const ALL_WAITING: i64 = 1000;

/// The first page after signing in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Threads that wait for the person's answer, the one that waits longest first.
    pub waiting: Vec<WaitingThread>,
    /// How many wait, shown or not.
    pub waiting_count: i64,
    /// Drafts the person writes or that are shared with them, the last changed first.
    pub drafts: Vec<OwnDraft>,
    /// RFCs in review by others that touch services of the person's teams, the newest first.
    pub touching: Vec<TouchingRfc>,
    /// Services of the person's teams, the most critical first.
    pub services: Vec<OwnService>,
}

/// A thread whose last word is somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingThread {
    /// The RFC it is on.
    pub number: i64,
    /// That RFC's title.
    pub title: String,
    /// Names the thread.
    pub thread: String,
    /// How much weight it has.
    pub severity: Severity,
    /// Why it waits for this person.
    pub reason: WaitingReason,
    /// Who spoke last.
    pub last_by: PersonRef,
    /// When.
    pub since: Timestamp,
    /// The beginning of what they said, as Markdown.
    pub excerpt: String,
}

/// Why a thread waits for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingReason {
    /// It is on their RFC.
    Author,
    /// They took part in it.
    TookPart,
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnDraft {
    /// Its number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Its newest revision.
    pub revision: i32,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether the person writes it; else it is shared with them.
    pub author: bool,
}

/// An RFC that touches services of the person's teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchingRfc {
    /// Its number.
    pub number: i64,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// Those services, by slug.
    pub services: Vec<ServiceRef>,
    /// When it was published.
    pub published_at: Timestamp,
    /// Threads that are neither resolved nor dropped.
    pub open_threads: i64,
}

/// A service of one of the person's teams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnService {
    /// The service.
    pub service: ServiceRef,
    /// The name of the team that owns it.
    pub team: String,
    /// RFCs in review or final comment that touch it.
    pub open_rfcs: i64,
}

/// What needs `actor` today; `all`: every thread that waits, not only those that wait longest.
pub async fn home(backend: &Backend, actor: &Actor, all: bool) -> Result<Home> {
    policy::allows(actor, Action::Read)?;
    let ((waiting, waiting_count), drafts, touching, services) = tokio::try_join!(
        waiting(backend, actor, if all { ALL_WAITING } else { ROWS }),
        drafts(backend, actor),
        touching(backend, actor),
        own_services(backend, actor),
    )?;
    Ok(Home { waiting, waiting_count, drafts, touching, services })
}

async fn waiting(backend: &Backend, actor: &Actor, rows: i64) -> Result<(Vec<WaitingThread>, i64)> {
    let rows = sqlx::query!(
        r#"select r.number, r.title, t.id, t.severity, l.created_at, left(l.body, 200) as "excerpt!", p.email, p.name,
             count(*) over () as "count!",
             exists (select from rfc_authors a where a.rfc_id = r.id and a.person_id = $1) as "author!"
           from rfc_threads t
           join rfcs r on r.id = t.rfc_id
           cross join lateral (
             select c.author_id, c.created_at, c.body from rfc_comments c
             where c.thread_id = t.id and c.deleted_at is null order by c.id desc limit 1
           ) l
           join people p on p.id = l.author_id
           where t.id in (
               select o.id from rfc_authors a join rfc_threads o on o.rfc_id = a.rfc_id where a.person_id = $1
               union
               select c.thread_id from rfc_comments c where c.author_id = $1 and c.deleted_at is null
             )
             and t.state in ('open', 'needs_verification') and l.author_id <> $1
             and (r.status in ('in_review', 'final_comment', 'accepted')
                  or r.status = 'draft'
                     and (exists (select from rfc_authors a where a.rfc_id = r.id and a.person_id = $1)
                          or exists (select from rfc_shares s where s.rfc_id = r.id and s.person_id = $1)))
           order by l.created_at, t.id limit $2"#,
        actor.id,
        rows,
    )
    .fetch_all(backend.pool())
    .await?;
    let count = rows.first().map_or(0, |row| row.count);
    let threads = rows
        .into_iter()
        .map(|row| {
            Ok(WaitingThread {
                number: row.number,
                title: row.title,
                thread: row.id.to_string(),
                severity: Severity::parse("severity", &row.severity).map_err(Error::internal)?,
                reason: if row.author { WaitingReason::Author } else { WaitingReason::TookPart },
                last_by: PersonRef { email: row.email, name: row.name },
                since: row.created_at.to_jiff(),
                excerpt: row.excerpt,
            })
        })
        .collect::<Result<_>>()?;
    Ok((threads, count))
}

async fn drafts(backend: &Backend, actor: &Actor) -> Result<Vec<OwnDraft>> {
    let rows = sqlx::query!(
        r#"select r.number, r.title, r.revision, r.updated_at,
             exists (select from rfc_authors a where a.rfc_id = r.id and a.person_id = $1) as "author!"
           from rfcs r
           where r.status = 'draft' and r.id in (
             select rfc_id from rfc_authors where person_id = $1
             union select rfc_id from rfc_shares where person_id = $1)
           order by r.updated_at desc, r.number desc limit $2"#,
        actor.id,
        ROWS,
    )
    .fetch_all(backend.pool())
    .await?;
    let drafts = rows.into_iter().map(|row| OwnDraft {
        number: row.number,
        title: row.title,
        revision: row.revision,
        updated_at: row.updated_at.to_jiff(),
        author: row.author,
    });
    Ok(drafts.collect())
}

async fn touching(backend: &Backend, actor: &Actor) -> Result<Vec<TouchingRfc>> {
    let rows = sqlx::query!(
        r#"select r.number, r.title, r.status, r.published_at as "published_at!",
             jsonb_agg(jsonb_build_object('slug', s.slug, 'name', s.name, 'tier', s.tier) order by s.slug)
               as "services!: Json<Vec<ServiceRef>>",
             (select count(*) from rfc_threads t
              where t.rfc_id = r.id and t.state in ('open', 'needs_verification')) as "open!"
           from rfcs r
           join rfc_services x on x.rfc_id = r.id
           join services s on s.id = x.service_id
           where s.team_id = any($2) and r.status in ('in_review', 'final_comment')
             and not exists (select from rfc_authors a where a.rfc_id = r.id and a.person_id = $1)
           group by r.id
           order by r.published_at desc, r.number desc limit $3"#,
        actor.id,
        &actor.teams,
        ROWS,
    )
    .fetch_all(backend.pool())
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TouchingRfc {
                number: row.number,
                title: row.title,
                status: super::word(&row.status)?,
                services: row.services.0,
                published_at: row.published_at.to_jiff(),
                open_threads: row.open,
            })
        })
        .collect()
}

/// Services of the person's teams, the most critical first.
pub async fn own_services(backend: &Backend, actor: &Actor) -> Result<Vec<OwnService>> {
    let rows = sqlx::query!(
        r#"select s.slug, s.name, s.tier, t.name as team,
             (select count(*) from rfc_services x join rfcs r on r.id = x.rfc_id
              where x.service_id = s.id and r.status in ('in_review', 'final_comment')) as "open!"
           from services s join teams t on t.id = s.team_id
           where s.team_id = any($1) and s.archived_at is null
           order by s.tier, s.slug limit $2"#,
        &actor.teams,
        ROWS,
    )
    .fetch_all(backend.pool())
    .await?;
    rows.into_iter()
        .map(|row| {
            let service = ServiceRef { slug: row.slug, name: row.name, tier: Tier::try_from(row.tier)? };
            Ok(OwnService { service, team: row.team, open_rfcs: row.open })
        })
        .collect()
}
