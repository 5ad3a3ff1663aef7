//! What the ferry company's people promised to do: some of it in time, some of it late, moved, done or dropped.

use std::sync::Arc;

use domain::Actor;
use domain::follow_up::SourceKind;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::accounts::actor_by_email;
use crate::follow_ups::write::{self, Change, NewFollowUp, SourceInput};
use crate::follow_ups::{self, Filter};
use crate::incidents;
use crate::{Backend, Error, Expected, FixedClock, PageRequest, Result};

/// Something somebody promised.
struct Promise {
    title: &'static str,
    owner: &'static str,
    maker: &'static str,
    /// The title of the incident it comes from; empty: none.
    of: &'static str,
    /// Days ago that it was made.
    made: i32,
    /// The day it was due at first, in days from today.
    due: i32,
    /// The day it was moved to, a week after it was made.
    moved: Option<i32>,
    /// How it ended, yesterday.
    ended: Option<(&'static str, &'static str)>,
}

const fn open(title: &'static str, owner: &'static str, of: &'static str, made: i32, due: i32) -> Promise {
    Promise { title, owner, maker: "grace@example.com", of, made, due, moved: None, ended: None }
}

const BANK: &str = "The bank's gateway answered slowly";
const CARDS: &str = "Checkout refused cards after a limit was changed";
const DISK: &str = "Event bus ran out of disk";
const FEED: &str = "Timetables of a harbour were missing";
const SALE: &str = "Seat map slow during the summer sale";

const PROMISES: &[Promise] = &[
    open("Page on call when a harbour's timetable is older than an hour", "priya@example.com", FEED, 40, -19),
    open("Test the switch between the two acquirers every month", "jonas@example.com", BANK, 24, -6),
    open("Ask the owner of a flag before its limit changes", "samir@example.com", CARDS, 8, -1),
    open("Give the seat map a limit for open connections", "lena@example.com", SALE, 9, 1),
    open("Run the load shedding drill with the harbours", "grace@example.com", "", 6, 3),
    Promise {
        moved: Some(8),
        ..open("Alarm on the disks of the event bus at 70 %", "samir@example.com", DISK, 20, -4)
    },
    open("Show refunds that wait longer than a day on the dashboard", "ada@example.com", "", 3, 11),
    open("Agree with the bank on a contact at night", "ada@example.com", BANK, 2, 26),
    Promise {
        ended: Some(("done", "Canary first, one harbour, ten minutes. In the deploy script since yesterday.")),
        ..open("Roll limits out to one harbour before all others", "tomas@example.com", CARDS, 16, -3)
    },
    Promise {
        ended: Some(("dropped", "The old kiosks are taken down in spring; nobody will change their firmware now.")),
        ..open("Teach the old kiosks to keep passes for an hour", "jonas@example.com", "", 30, -9)
    },
];

/// Enters the promises that are missing.
pub(super) async fn follow_ups(backend: &Backend) -> Result<()> {
    for promise in PROMISES {
        enter(backend, promise).await?;
    }
    Ok(())
}

async fn enter(backend: &Backend, promise: &Promise) -> Result<()> {
    let maker = actor_by_email(backend, promise.maker).await?;
    let same = Filter { q: Some(promise.title.to_owned()), ..Filter::default() };
    if !follow_ups::list(backend, &maker, same, &PageRequest::default()).await?.items.is_empty() {
        return Ok(());
    }
    let today = follow_ups::today(backend);
    let day = |days: i32| today.checked_add(days.days()).map(|day| day.to_string()).map_err(Error::internal);
    let made_at = days_ago(backend, promise.made)?;
    let new = NewFollowUp {
        title: promise.title.to_owned(),
        owner: promise.owner.to_owned(),
        due: day(promise.due)?,
        source: incident(backend, &maker, promise.of, made_at).await?,
    };
    let made = write::create(&standing_at(backend, made_at), &maker, new).await?;
    let id = made.id.to_string();
    let owner = actor_by_email(backend, promise.owner).await?;
    if let Some(moved) = promise.moved {
        let change = Change { due: Some(day(moved)?), ..Change::default() };
        let then = standing_at(backend, days_ago(backend, promise.made - 7)?);
        write::change(&then, &owner, &id, Expected::Any, change).await?;
    }
    if let Some((state, note)) = promise.ended {
        let change = Change { state: Some(state.to_owned()), note: Some(note.to_owned()), ..Change::default() };
        let then = standing_at(backend, days_ago(backend, 1)?);
        write::change(&then, &owner, &id, Expected::Any, change).await?;
    }
    Ok(())
}

/// The latest incident of this title until then, if the demo has one.
async fn incident(backend: &Backend, reader: &Actor, title: &str, until: Timestamp) -> Result<Option<SourceInput>> {
    if title.is_empty() {
        return Ok(None);
    }
    let filter =
        incidents::Filter { q: Some(title.to_owned()), to: Some(until.to_string()), ..incidents::Filter::default() };
    let one = PageRequest { limit: Some(1), cursor: None };
    let found = incidents::list(backend, reader, &filter, &one).await?.items;
    let kind = SourceKind::Incident.as_str().to_owned();
    Ok(found.first().map(|incident| SourceInput { kind, key: incident.id.to_string() }))
}

fn days_ago(backend: &Backend, days: i32) -> Result<Timestamp> {
    backend.now().checked_sub(SignedDuration::from_hours(24 * i64::from(days))).map_err(Error::internal)
}

/// The backend as it was then: what is done with it has happened then.
fn standing_at(backend: &Backend, at: Timestamp) -> Backend {
    Backend { clock: Arc::new(FixedClock::at(at)), ..backend.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::people_teams_services;
    use crate::testing;

    #[tokio::test]
    async fn every_kind_of_promise_is_there_once() {
        let test = testing::backend().await;
        people_teams_services(&test).await.unwrap();
        follow_ups(&test).await.unwrap();
        follow_ups(&test).await.unwrap();
        let mei = actor_by_email(&test, "mei@example.com").await.unwrap();
        let all = follow_ups::list(&test, &mei, Filter::default(), &PageRequest::default()).await.unwrap().items;
        assert_eq!(all.len(), PROMISES.len());
        for age in domain::follow_up::Age::ALL {
            assert!(all.iter().any(|item| item.age() == age && item.closed_at.is_none()), "{age:?}");
        }
        assert!(all.iter().any(|item| item.moves == 1 && item.age_days > 0));
        assert_eq!(all.iter().filter(|item| item.closed_at.is_some()).count(), 2);
    }
}
