//! The inbox: what a person was told of, one item for each object, and how far they are with it.
//!
//! An item is open, put off until an instant (from then on it is open again, and unread), or done. News about its object
//! opens it again whatever it was. What a person does with their inbox is nobody else's business: it writes no event.

use std::collections::HashMap;

use domain::notice::{Kind, Later, Reason};
use domain::policy::{self, Action};
use domain::{Actor, PersonId, Refusal};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::{About, Concern};
use crate::events::Event;
use crate::{Backend, Error, Page, PageRequest, Result};

/// Notices of an item that a list shows: the newest.
const SHOWN: i64 = 5;

/// Which items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be looked at.
    #[default]
    Open,
    /// Put off.
    Later,
    /// Done with.
    Done,
}

impl State {
    /// Every state, in the order of the screen.
    pub const ALL: [Self; 3] = [Self::Open, Self::Later, Self::Done];

    /// The word in addresses and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Later => "later",
            Self::Done => "done",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Result<Self, Refusal> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == word);
        known.ok_or_else(|| Refusal::field("state", "The state is open, later or done."))
    }
}

/// An object that a person was told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Names it.
    pub id: String,
    /// The noun of the object.
    pub subject_kind: String,
    /// The name that has in the API.
    pub subject_key: String,
    /// Its short name, such as `RFC-12`; may be empty.
    pub tag: String,
    /// Its title.
    pub title: String,
    /// Its page, at the part that the newest notice is about.
    pub path: String,
    /// How far the person is with it.
    pub state: State,
    /// Whether there is something they have not looked at.
    pub unread: bool,
    /// When it comes back, if it was put off.
    pub back_at: Option<Timestamp>,
    /// When there was news, or it came back.
    pub at: Timestamp,
    /// The newest notices, the newest first.
    pub notices: Vec<Notice>,
    /// How many there are in all.
    pub notice_count: i64,
    /// Rises with every notice and everything the person does with it.
    pub version: i64,
}

/// Something that a person was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Names it.
    pub id: i64,
    /// What they can turn off.
    pub kind: Kind,
    /// Why they were told.
    pub reason: Reason,
    /// What happened, as a sentence without a full stop.
    pub text: String,
    /// The beginning of what was said; may be empty.
    pub excerpt: String,
    /// The part of the object's page that it is about; may be empty.
    pub place: String,
    /// When it happened.
    pub at: Timestamp,
}

/// How many items there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Open ones.
    pub open: i64,
    /// Open ones with something unread.
    pub unread: i64,
    /// Those put off.
    pub later: i64,
}

/// What a person does with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// They looked at it.
    Read,
    /// They want to look again.
    Unread,
    /// Not now.
    Later(Until),
    /// They are done with it.
    Done,
    /// They are not.
    Reopen,
}

/// Until when something is put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// A morning in the person's zone.
    Morning(Later),
    /// Any instant to come.
    Instant(Timestamp),
}

impl Until {
    /// Reads `tomorrow`, `next_week` or an instant.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if let Some(later) = Later::parse(text) {
            return Ok(Self::Morning(later));
        }
        let message = "Say tomorrow, next_week or an instant such as 2026-11-03T08:00:00Z.";
        text.parse().map(Self::Instant).map_err(|_| Refusal::field("until", message))
    }
}

/// Puts notices of an event into the inboxes of those it concerns.
pub(super) async fn put(
    connection: &mut PgConnection,
    event: &Event,
    about: &About,
    concerns: &[&Concern],
) -> Result<()> {
    if concerns.is_empty() {
        return Ok(());
    }
    let people: Vec<PersonId> = concerns.iter().map(|concern| concern.person).collect();
    let kinds: Vec<String> = concerns.iter().map(|concern| concern.kind.as_str().to_owned()).collect();
    let reasons: Vec<String> = concerns.iter().map(|concern| concern.reason.as_str().to_owned()).collect();
    let texts: Vec<String> = concerns.iter().map(|concern| super::cut(&concern.text, 500)).collect();
    let excerpts: Vec<String> = concerns.iter().map(|concern| concern.excerpt.clone()).collect();
    let places: Vec<String> = concerns.iter().map(|concern| concern.place.clone()).collect();
    sqlx::query!(
        r#"with told as (
               select * from unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
                 as told (person_id, kind, reason, text, excerpt, place)
           ), item as (
               insert into inbox_items as known (person_id, subject_kind, subject_key, tag, title, path, state, unread, sort_at)
               select person_id, $1, $2, $3, $4, $11, 'open', true, $12 from told order by person_id
               on conflict on constraint inbox_items_once do update set
                 state = 'open', unread = true, back_at = null, version = known.version + 1, sort_at = case when known.back_at > excluded.sort_at then excluded.sort_at
                                else greatest(known.sort_at, excluded.sort_at) end
               returning id, person_id
           )
           insert into notices (item_id, person_id, event_id, kind, reason, text, excerpt, place, at)
           select item.id, person_id, $13, kind, reason, text, excerpt, place, $12
           from told join item using (person_id)
           on conflict on constraint notices_once do nothing"#,
        event.subject_kind,
        event.subject_key,
        about.tag,
        about.title,
        &people,
        &kinds,
        &reasons,
        &texts,
        &excerpts,
        &places,
        about.path,
        event.at.to_sqlx(),
        event.id,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What was said there was taken back: the inboxes do not repeat it any more.
pub(crate) async fn forget(connection: &mut PgConnection, event: &Event, place: &str) -> Result<()> {
    sqlx::query!(
        "update notices set excerpt = ''
         where place = $3 and excerpt <> ''
           and item_id in (select id from inbox_items where subject_kind = $1 and subject_key = $2)",
        event.subject_kind,
        event.subject_key,
        place,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One's own items in this state, the newest first.
pub async fn list(backend: &Backend, actor: &Actor, state: State, page: &PageRequest) -> Result<Page<Item>> {
    policy::allows(actor, Action::Read)?;
    let (rows, after) = (page.rows()?, page.after::<(Timestamp, i64)>()?);
    let found = find(backend, actor, Wanted::In { state, after, rows: rows + 1 }).await?;
    Page::new(found, rows, |(key, _)| *key)?.try_map(|(_, item)| Ok(item))
}

/// One of one's own items.
pub async fn get(backend: &Backend, actor: &Actor, item: &str) -> Result<Item> {
    policy::allows(actor, Action::Read)?;
    let found = find(backend, actor, Wanted::One(named(item)?)).await?.pop();
    Ok(found.map(|(_, item)| item).ok_or_else(|| Refusal::not_found("notice"))?)
}

/// Which items are looked for.
#[derive(Clone, Copy)]
enum Wanted {
    One(i64),
    In { state: State, after: Option<(Timestamp, i64)>, rows: i64 },
}

/// Items, each with its place in the list.
async fn find(backend: &Backend, actor: &Actor, wanted: Wanted) -> Result<Vec<((Timestamp, i64), Item)>> {
    let now = backend.now();
    let (one, state, after, rows) = match wanted {
        Wanted::One(id) => (Some(id), None, None, 1),
        Wanted::In { state, after, rows } => (None, Some(state.as_str()), after, rows),
    };
    let found = sqlx::query!(
        r#"select id as "id!", subject_kind as "subject_kind!", subject_key as "subject_key!", tag as "tag!",
                  title as "title!", path as "path!", unread as "unread!", back_at, sort_at as "sort_at!",
                  version as "version!",
                  case when state = 'later' and back_at <= $2 then 'open' else state end as "state!",
                  (select count(*) from notices where item_id = inbox.id) as "notice_count!",
                  (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'kind', kind, 'reason', reason, 'text', text,
                                 'excerpt', excerpt, 'place', place, 'at', at) order by id desc), '[]')
                   from (select * from notices where item_id = inbox.id order by id desc limit $6) as newest)
                    as "notices!: Json<Vec<Notice>>"
           from inbox
           where person_id = $1 and ($8::bigint is null or id = $8)
             and ($3::text is null or case when state = 'later' and back_at <= $2 then 'open' else state end = $3)
             and ($4::timestamptz is null or (sort_at, id) < ($4, $5))
           order by sort_at desc, id desc limit $7"#,
        actor.id,
        now.to_sqlx(),
        state,
        after.map(|(at, _)| at.to_sqlx()) as _,
        after.map_or(0, |(_, id)| id),
        SHOWN,
        rows,
        one,
    )
    .fetch_all(backend.pool())
    .await?;
    found
        .into_iter()
        .map(|row| {
            let at = row.sort_at.to_jiff();
            let state = State::parse(&row.state).map_err(Error::internal)?;
            let place = row.notices.first().map(|notice| notice.place.clone()).unwrap_or_default();
            let item = Item {
                id: row.id.to_string(),
                subject_kind: row.subject_kind,
                subject_key: row.subject_key,
                tag: row.tag,
                title: row.title,
                path: at_place(row.path, &place),
                state,
                unread: row.unread && state == State::Open,
                back_at: row.back_at.map(jiff_sqlx::Timestamp::to_jiff).filter(|_| state == State::Later),
                at,
                notices: row.notices.0,
                notice_count: row.notice_count,
                version: row.version,
            };
            Ok(((at, row.id), item))
        })
        .collect()
}

fn at_place(path: String, place: &str) -> String {
    if place.is_empty() { path } else { format!("{path}#{place}") }
}

/// How many items a person has.
pub async fn counts(backend: &Backend, actor: &Actor) -> Result<Counts> {
    policy::allows(actor, Action::Read)?;
    let row = sqlx::query!(
        r#"select count(*) filter (where open) as "open!", count(*) filter (where open and unread) as "unread!",
                  count(*) filter (where not open) as "later!"
           from (select unread, state = 'open' or back_at <= $2 as open from inbox
                 where person_id = $1 and state <> 'done') as waiting"#,
        actor.id,
        backend.now().to_sqlx(),
    )
    .fetch_one(backend.pool())
    .await?;
    Ok(Counts { open: row.open, unread: row.unread, later: row.later })
}

/// How many open items a person has not looked at: for the bar on top of every page.
pub async fn unread(backend: &Backend, person: PersonId) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from inbox
           where person_id = $1 and unread and (state = 'open' or back_at <= $2)"#,
        person,
        backend.now().to_sqlx(),
    )
    .fetch_one(backend.pool())
    .await?;
    Ok(count)
}

/// What is new in somebody's inbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Items with something new.
    pub count: i64,
    /// Another number whenever something new was said of one of them, also of one that was unread already.
    pub mark: i64,
}

/// The same for many people; whoever has looked at everything is left out.
pub async fn unread_of(backend: &Backend, people: &[PersonId]) -> Result<HashMap<PersonId, Unread>> {
    let rows = sqlx::query!(
        r#"select person_id as "person_id!", count(*) as "count!", sum(version)::bigint as "mark!" from inbox
           where person_id = any($1) and unread and (state = 'open' or back_at <= $2) group by person_id"#,
        people,
        backend.now().to_sqlx(),
    )
    .fetch_all(backend.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (row.person_id, Unread { count: row.count, mark: row.mark })).collect())
}

/// Does something with one of one's own items. `seen` is the newest notice that the person saw of it: with a newer one it
/// stays as it is, neither read nor done.
pub async fn change(backend: &Backend, actor: &Actor, item: &str, change: Change, seen: Option<i64>) -> Result<Item> {
    policy::allows(actor, Action::ManageOwnAccount)?;
    let id = named(item)?;
    let now = backend.now();
    let until = match change {
        Change::Later(until) => Some(back_at(actor, until, now)?),
        _ => None,
    };
    let mut tx = backend.begin(actor).await?;
    if tx.replay::<()>()?.is_some() {
        drop(tx);
        return get(backend, actor, item).await;
    }
    let held = sqlx::query!(
        r#"select state, back_at, version,
                  (select max(id) from notices where item_id = inbox_items.id) as "newest!"
           from inbox_items where id = $1 and person_id = $2 and id in (select id from inbox where person_id = $2)
           for no key update"#,
        id,
        actor.id,
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| Refusal::not_found("notice"))?;
    tx.check_version(held.version)?;
    // What was put off and has come back is open.
    let back = held.back_at.is_some_and(|back_at| back_at.to_jiff() <= now);
    let was = if back { "open" } else { &held.state };
    let (state, unread) = match change {
        Change::Read => (was, was == "later"),
        Change::Unread if was == "done" => ("open", true),
        Change::Unread => (was, true),
        Change::Later(_) => ("later", true),
        Change::Done => ("done", false),
        Change::Reopen => ("open", false),
    };
    // What is put off stays so until its time.
    let until = until.or_else(|| held.back_at.filter(|_| state == "later").map(jiff_sqlx::Timestamp::to_jiff));
    if seen.is_none_or(|seen| held.newest <= seen) {
        sqlx::query!(
            "update inbox_items set state = $2, unread = $3, back_at = $4, sort_at = coalesce($4, least(sort_at, $5)),
               version = version + 1
             where id = $1",
            id,
            state,
            unread,
            until.map(jiff_sqlx::ToSqlx::to_sqlx) as _,
            now.to_sqlx(),
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit(()).await?;
    get(backend, actor, item).await
}

/// Marks everything open as read, up to the newest notice that the person saw. What news comes for right now stays
/// unread.
pub async fn read_all(backend: &Backend, actor: &Actor, seen: Option<i64>) -> Result<u64> {
    policy::allows(actor, Action::ManageOwnAccount)?;
    let mut tx = backend.begin(actor).await?;
    if let Some(earlier) = tx.replay()? {
        return Ok(earlier);
    }
    let done = sqlx::query!(
        "update inbox_items set unread = false, state = 'open', back_at = null, version = version + 1
         where id in (select id from inbox_items
                      where person_id = $1 and unread and (state = 'open' or back_at <= $2)
                        and ($3::bigint is null
                             or not exists (select from notices where item_id = inbox_items.id and notices.id > $3))
                      for update skip locked)",
        actor.id,
        backend.now().to_sqlx(),
        seen,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit(done.rows_affected()).await
}

/// Marks one of one's own items as read and answers where it leads.
pub async fn open(backend: &Backend, actor: &Actor, item: &str) -> Result<String> {
    Ok(change(backend, actor, item, Change::Read, None).await?.path)
}

/// When something comes back that is put off.
fn back_at(actor: &Actor, until: Until, now: Timestamp) -> Result<Timestamp> {
    const YEAR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24 * 366);
    match until {
        Until::Morning(later) => {
            let zone = TimeZone::get(&actor.time_zone).unwrap_or(TimeZone::UTC);
            later.back_at(now, &zone).ok_or_else(|| Error::internal("there is no such morning"))
        }
        Until::Instant(at) if at <= now => Err(Refusal::field("until", "Choose an instant to come.").into()),
        Until::Instant(at) if at.duration_since(now) > YEAR => {
            Err(Refusal::field("until", "Put it off for a year at most.").into())
        }
        Until::Instant(at) => Ok(at),
    }
}

/// The key of an item from its name. Each has one name: `+5` and `007` are none.
fn named(item: &str) -> Result<i64> {
    let id = item.parse().ok().filter(|id: &i64| id.to_string() == item);
    Ok(id.ok_or_else(|| Refusal::not_found("notice"))?)
}
