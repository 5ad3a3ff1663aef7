//! Follow-ups: what somebody promised to do by a day, one thing for every part of the product.
//!
//! | file | what it holds |
//! |---|---|
//! | this one | what a follow-up is; one of them, lists, counts |
//! | [`write`] | making and changing them |
//! | `concerns` | whom the events of follow-ups concern |
//! | [`chase`] | reminding of them until they are done, whatever becomes of what they came from |
//!
//! Another part that makes follow-ups (an outcome note, a handover) calls [`write::add`] in its own transaction.

pub mod chase;
pub(crate) mod concerns;
#[cfg(test)]
mod tests;
pub mod write;

use domain::follow_up::{Age, SourceKind, State, days_between};
use domain::policy::{Action, allows};
use domain::{Actor, PersonId, Refusal, limits};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::filter::containing;
use crate::rfcs::PersonRef;
use crate::{Backend, Error, Page, PageRequest, Result, services};

/// What a follow-up came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// What kind of thing.
    pub kind: SourceKind,
    /// The name it has in the API.
    pub key: String,
}

/// A follow-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// Names it.
    pub id: i64,
    /// What is to be done.
    pub title: String,
    /// Who does it.
    pub owner: PersonRef,
    /// Whether the owner cannot do it any more: their account is disabled, or they only read.
    pub needs_owner: bool,
    /// The day by the end of which it is to be done.
    pub due_on: Date,
    /// The day that was agreed at first.
    pub first_due_on: Date,
    /// How often the day was moved.
    pub moves: i32,
    /// What it came from, if anything.
    pub source: Option<Source>,
    /// Where it stands.
    pub state: State,
    /// What was done, or why it was dropped; empty when nothing was said.
    pub note: String,
    /// Who made it; nobody: the product itself.
    pub made_by: Option<PersonRef>,
    /// Who finished or dropped it.
    pub closed_by: Option<PersonRef>,
    /// When.
    pub closed_at: Option<Timestamp>,
    /// Days since the due day, until today or the day it was closed; negative: so many were left.
    pub days_overdue: i32,
    /// Days since it was made, until today or the day it was closed.
    pub age_days: i32,
    /// How often its owner was reminded.
    pub reminders: i64,
    /// For the next change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether the reader may change it.
    pub may_change: bool,
}

impl FollowUp {
    /// The group of an open one in a list.
    pub fn age(&self) -> Age {
        Age::of(self.days_overdue)
    }
}

/// Which follow-ups; what is `None` filters nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Words in the title.
    pub q: Option<String>,
    /// A word of [`State`].
    pub state: Option<String>,
    /// Owned by the person with this address.
    pub owner: Option<String>,
    /// Owned by somebody in this team, by slug.
    pub team: Option<String>,
    /// From an incident that touched the service with this slug.
    pub service: Option<String>,
    /// A word of [`SourceKind`].
    pub source_kind: Option<String>,
    /// Of the source of that kind with this key.
    pub source_key: Option<String>,
    /// Only open ones whose day has passed.
    pub overdue: bool,
    /// Only open ones whose owner cannot do them any more.
    pub needs_owner: bool,
}

/// How many follow-ups are open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All that are open.
    pub open: i64,
    /// Those of them whose day has passed.
    pub overdue: i64,
}

/// What day it is in the organisation.
pub fn today(backend: &Backend) -> Date {
    day_of(backend, backend.now())
}

fn day_of(backend: &Backend, at: Timestamp) -> Date {
    at.to_zoned(backend.time_zone().clone()).date()
}

/// One follow-up.
pub async fn get(backend: &Backend, actor: &Actor, id: &str) -> Result<FollowUp> {
    allows(actor, Action::Read)?;
    let id = key(id)?;
    let mut connection = backend.pool().acquire().await?;
    Ok(read(&mut connection, backend, actor, id).await?.ok_or_else(missing)?.follow_up)
}

/// Follow-ups: open ones first, by due day; then closed ones, the last closed first.
pub async fn list(backend: &Backend, actor: &Actor, filter: Filter, page: &PageRequest) -> Result<Page<FollowUp>> {
    allows(actor, Action::Read)?;
    let rows = page.rows()?;
    let wanted = Wanted::read(filter)?;
    let after: Option<Cursor> = page.after()?;
    let service = service_id(backend, wanted.service.as_deref()).await?;
    // One number that orders both halves: days for the open ones, then seconds backwards for the closed ones.
    let found = sqlx::query_scalar!(
        r#"with ranked as (
             select id, case when state = 'open' then (due_on - date '2000-01-01')::bigint
                             else 100000000000 - extract(epoch from closed_at)::bigint end as rank
             from follow_ups f
             where ($1::text is null or title ilike $1)
               and ($2::text is null or state = $2)
               and ($3::text is null or owner_id = (select p.id from people p where p.email = $3::text::citext))
               and ($4::text is null
                    or owner_id in (select m.person_id from team_members m join teams t on t.id = m.team_id
                                    where t.slug = $4))
               and ($5::text is null or source_kind = $5)
               and ($6::text is null or source_key = $6)
               and (not $7 or (state = 'open' and due_on < $8))
               and (not $9 or (state = 'open'
                               and exists (select from people p where p.id = owner_id
                                           and (p.disabled_at is not null or p.role = 'reader'))))
               and ($13::bigint is null
                    or (source_kind = 'incident'
                        and exists (select from incident_services i
                                    where i.incident_id::text = source_key and i.service_id = $13)))
           )
           select jsonb_build_object('rank', rank, 'id', id) as "cursor!: sqlx::types::Json<Cursor>" from ranked
           where $10::bigint is null or (rank, id) > ($10, $11)
           order by rank, id limit $12"#,
        containing(wanted.q.as_deref()),
        wanted.state.map(State::as_str),
        wanted.owner,
        wanted.team,
        wanted.source_kind.map(SourceKind::as_str),
        wanted.source_key,
        wanted.overdue,
        today(backend).to_sqlx() as _,
        wanted.needs_owner,
        after.map(|after| after.rank),
        after.map(|after| after.id),
        rows + 1,
        service,
    )
    .fetch_all(backend.pool())
    .await?;
    let page = Page::new(found, rows, |cursor| cursor.0)?;
    let ids: Vec<i64> = page.items.iter().map(|cursor| cursor.id).collect();
    let mut connection = backend.pool().acquire().await?;
    let stored = read_all(&mut connection, backend, actor, &ids).await?;
    Ok(Page { items: stored.into_iter().map(|stored| stored.follow_up).collect(), next_cursor: page.next_cursor })
}

/// Where a page of the list ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    rank: i64,
    id: i64,
}

/// Whose follow-ups are counted.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// Everybody's.
    All,
    /// Those that the person with this address owns.
    Owner(&'a str),
    /// Those that the people of this team own, by slug.
    Team(&'a str),
    /// Those from incidents that touched this service, by slug.
    Service(&'a str),
}

/// How many are open.
pub async fn counts(backend: &Backend, actor: &Actor, of: Of<'_>) -> Result<Counts> {
    allows(actor, Action::Read)?;
    let (owner, team, service) = match of {
        Of::All => (None, None, None),
        Of::Owner(email) => (Some(email), None, None),
        Of::Team(slug) => (None, Some(slug), None),
        Of::Service(slug) => (None, None, Some(slug)),
    };
    let service = service_id(backend, service).await?;
    // What is typed into an address may hold a NUL, which cannot be sent to Postgres: it names nobody.
    let named = |name: Option<&str>| name.map(|name| name.replace('\0', "\u{fffd}"));
    let counts = sqlx::query_as!(
        Counts,
        r#"select count(*) as "open!", count(*) filter (where due_on < $4) as "overdue!"
           from follow_ups
           where state = 'open'
             and ($1::text is null or owner_id = (select p.id from people p where p.email = $1::text::citext))
             and ($2::text is null
                  or owner_id in (select m.person_id from team_members m join teams t on t.id = m.team_id
                                  where t.slug = $2))
             and ($3::bigint is null
                  or (source_kind = 'incident'
                      and exists (select from incident_services i
                                  where i.incident_id::text = source_key and i.service_id = $3)))"#,
        named(owner),
        named(team),
        service,
        today(backend).to_sqlx() as _,
    );
    Ok(counts.fetch_one(backend.pool()).await?)
}

/// The id of the service with this address, also a former one; 0 when there is none.
async fn service_id(backend: &Backend, slug: Option<&str>) -> Result<Option<i64>> {
    let Some(slug) = slug else { return Ok(None) };
    let mut connection = backend.pool().acquire().await?;
    let found = services::named(&mut connection, &[slug.to_owned()]).await?;
    Ok(Some(found.first().map_or(0, |service| service.id)))
}

/// Who can own a follow-up, by name: accounts in use that may write. For pickers.
pub async fn owners(backend: &Backend, actor: &Actor) -> Result<Vec<PersonRef>> {
    allows(actor, Action::Read)?;
    let people = sqlx::query_as!(
        PersonRef,
        r#"select email, name from people where disabled_at is null and role <> 'reader'
           order by lower(name), id limit 1000"#,
    );
    Ok(people.fetch_all(backend.pool()).await?)
}

/// A follow-up and the ids behind it.
struct Stored {
    owner_id: PersonId,
    made_by_id: Option<PersonId>,
    follow_up: FollowUp,
}

impl Stored {
    /// What the policy is asked about it.
    fn change(&self) -> Action<'static> {
        change_of(self.owner_id, self.made_by_id)
    }
}

fn change_of(owner: PersonId, made_by: Option<PersonId>) -> Action<'static> {
    Action::ChangeFollowUp { owner, made_by }
}

async fn read(connection: &mut PgConnection, backend: &Backend, actor: &Actor, id: i64) -> Result<Option<Stored>> {
    Ok(read_all(connection, backend, actor, &[id]).await?.pop())
}

/// The follow-ups with these ids, in their order, as `actor` sees them.
async fn read_all(connection: &mut PgConnection, backend: &Backend, actor: &Actor, ids: &[i64]) -> Result<Vec<Stored>> {
    let rows = sqlx::query!(
        r#"select f.id, f.title, f.owner_id, f.due_on, f.first_due_on, f.moves, f.source_kind, f.source_key, f.state,
                  f.note, f.made_by_id, f.closed_at, f.version, f.created_at, f.updated_at,
                  owner.email as owner_email, owner.name as owner_name,
                  owner.disabled_at is not null or owner.role = 'reader' as "needs_owner!",
                  maker.email as "maker_email?", maker.name as "maker_name?",
                  closer.email as "closer_email?", closer.name as "closer_name?",
                  (select count(*) from follow_up_chases c where c.follow_up_id = f.id) as "reminders!"
           from unnest($1::bigint[]) with ordinality as asked (id, place)
           join follow_ups f on f.id = asked.id
           join people owner on owner.id = f.owner_id
           left join people maker on maker.id = f.made_by_id
           left join people closer on closer.id = f.closed_by_id
           order by asked.place"#,
        ids,
    )
    .fetch_all(connection)
    .await?;
    let today = today(backend);
    rows.into_iter()
        .map(|row| {
            let (created_at, closed_at) = (row.created_at.to_jiff(), row.closed_at.map(jiff_sqlx::Timestamp::to_jiff));
            let until = closed_at.map_or(today, |at| day_of(backend, at));
            let due_on = row.due_on.to_jiff();
            let source = match (row.source_kind, row.source_key) {
                (Some(kind), Some(key)) => {
                    let kind = SourceKind::parse("source.kind", &kind).map_err(Error::internal)?;
                    Some(Source { kind, key })
                }
                _ => None,
            };
            let state = State::parse("state", &row.state).map_err(Error::internal)?;
            let follow_up = FollowUp {
                id: row.id,
                title: row.title,
                owner: PersonRef { email: row.owner_email, name: row.owner_name },
                needs_owner: row.needs_owner && state == State::Open,
                due_on,
                first_due_on: row.first_due_on.to_jiff(),
                moves: row.moves,
                source,
                state,
                note: row.note,
                made_by: person(row.maker_email, row.maker_name),
                closed_by: person(row.closer_email, row.closer_name),
                closed_at,
                days_overdue: days_between(due_on, until),
                age_days: days_between(day_of(backend, created_at), until).max(0),
                reminders: row.reminders,
                version: row.version,
                created_at,
                updated_at: row.updated_at.to_jiff(),
                may_change: allows(actor, change_of(row.owner_id, row.made_by_id)).is_ok(),
            };
            Ok(Stored { owner_id: row.owner_id, made_by_id: row.made_by_id, follow_up })
        })
        .collect()
}

/// A checked filter.
struct Wanted {
    q: Option<String>,
    state: Option<State>,
    owner: Option<String>,
    team: Option<String>,
    service: Option<String>,
    source_kind: Option<SourceKind>,
    source_key: Option<String>,
    overdue: bool,
    needs_owner: bool,
}

impl Wanted {
    fn read(filter: Filter) -> Result<Self, Refusal> {
        // A NUL, which cannot be sent to Postgres, stands in no text and finds nothing.
        let given = |text: Option<String>| {
            text.map(|text| text.trim().replace('\0', "\u{fffd}")).filter(|text| !text.is_empty())
        };
        let mut fields = domain::refusal::Fields::default();
        let state = fields.take(given(filter.state).map(|word| State::parse("state", &word)).transpose())?;
        let source_kind =
            fields.take(given(filter.source_kind).map(|word| SourceKind::parse("source_kind", &word)).transpose())?;
        let q = given(filter.q);
        if q.as_ref().is_some_and(|words| words.chars().count() > limits::SEARCH_CHARS) {
            fields.complain("q", format!("Search for at most {} characters.", limits::SEARCH_CHARS));
        }
        let (state, source_kind) = fields.finish((state, source_kind))?;
        let (owner, team, service) = (given(filter.owner), given(filter.team), given(filter.service));
        let source_key = given(filter.source_key);
        let (overdue, needs_owner) = (filter.overdue, filter.needs_owner);
        Ok(Self { q, state, owner, team, service, source_kind, source_key, overdue, needs_owner })
    }
}

fn person(email: Option<String>, name: Option<String>) -> Option<PersonRef> {
    Some(PersonRef { email: email?, name: name? })
}

/// The id behind an opaque name.
fn key(name: &str) -> Result<i64> {
    crate::rfcs::id("follow-up", name)
}

fn missing() -> Refusal {
    Refusal::not_found("follow-up")
}
