//! What is done after the fact: for every event ([`of_event`]) and by the clock ([`TIMED`]).
//!
//! Both run inside the transaction that takes their row out of the outbox: they see to it that rows are written (notices,
//! mails to send, webhooks to call), and never reach further than the database.

use std::collections::HashMap;

use domain::PersonId;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use jiff_sqlx::ToSqlx as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::events::Event;
use crate::notices::{self, Reader, digest};
use crate::outbox::{Kind, Work};
use crate::{Backend, Error, Result, Tx, follow_ups, webhooks};

/// What a transaction that passes many events on asks once, and writes once.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The webhooks that are called at all: key, and what they want.
    pub webhooks: Option<Vec<(i64, Vec<String>)>>,
    /// Who can be told something; nothing for those who cannot.
    pub readers: HashMap<PersonId, Option<Reader>>,
    /// Work that comes of it, put in at the end.
    pub work: Vec<Work>,
}

/// Passes an event on to whoever wants to know of it.
pub(crate) async fn of_event(tx: &mut Tx<'_>, round: &mut Round, event: &Event) -> Result<()> {
    webhooks::of_event(tx, round, event).await?;
    notices::tell(tx, round, event).await
}

/// When a timed job comes back, in the organisation's time zone (`PLUMBLINE_TIME_ZONE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// At this hour of every day.
    Day(i8),
    /// At this hour of this day of every week.
    Week(Weekday, i8),
}

impl Every {
    /// The first time after `after`.
    pub fn next(self, after: Timestamp, zone: &TimeZone) -> Result<Timestamp> {
        let here = after.to_zoned(zone.clone());
        let hour = match self {
            Self::Day(hour) | Self::Week(_, hour) => hour,
        };
        let time = Time::new(hour, 0, 0, 0).map_err(Error::internal)?;
        // The hour may lie in a gap or in the past of today: one week and a day ahead is enough to find the next one.
        for days in 0..=8 {
            let date = here.date().checked_add(days.days()).map_err(Error::internal)?;
            if matches!(self, Self::Week(weekday, _) if date.weekday() != weekday) {
                continue;
            }
            let at = date.to_datetime(time).to_zoned(zone.clone()).map_err(Error::internal)?.timestamp();
            if at > after {
                return Ok(at);
            }
        }
        Err(Error::internal("a timed job has no next time"))
    }
}

/// A job that comes back by the clock.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    /// Names it.
    pub name: &'static str,
    /// When it comes back.
    pub every: Every,
}

/// All jobs that come back by the clock. What each does: [`run`].
pub const TIMED: &[Timed] =
    &[Timed { name: digest::PLAN, every: Every::Day(0) }, Timed { name: follow_ups::chase::JOB, every: Every::Day(7) }];

/// A job in the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Names what is to be done.
    name: String,
    /// The instant it was planned for.
    at: Timestamp,
    /// What else it needs to know.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    about: Value,
}

impl Job {
    /// Work for the instant `at`. `key` names this very occasion: putting it in twice does nothing.
    pub(crate) fn at(name: &'static str, key: String, at: Timestamp, about: Value) -> Result<Work> {
        let payload = serde_json::to_value(Self { name: name.to_owned(), at, about })?;
        Ok(Work { key, kind: Kind::Job, payload, due_at: at })
    }
}

/// Does a job that has come due.
pub(crate) async fn run(tx: &mut Tx<'_>, payload: &Value) -> Result<()> {
    let Job { name, about, .. } = Job::deserialize(payload)?;
    match name.as_str() {
        digest::PLAN => digest::plan(tx).await,
        digest::SEND => digest::send(tx, &about).await,
        follow_ups::chase::JOB => follow_ups::chase::run(tx).await,
        _ => Err(Error::internal(format!("no job is called {name}"))),
    }
}

/// Puts the timed jobs that have come due into the outbox: each once, however many processes do this. A time that was
/// missed (nothing ran, or the clock was moved) is made up for, the last one of several.
pub async fn plan(backend: &Backend) -> Result<()> {
    let now = backend.now();
    let later = sqlx::query_scalar!("select name from timed_jobs where next_at > $1", now.to_sqlx())
        .fetch_all(backend.pool())
        .await?;
    for timed in TIMED.iter().filter(|timed| later.iter().all(|name| name != timed.name)) {
        plan_one(backend, timed, now).await?;
    }
    Ok(())
}

async fn plan_one(backend: &Backend, timed: &Timed, now: Timestamp) -> Result<()> {
    let next = timed.every.next(now, backend.time_zone())?;
    let mut tx = backend.begin_unsigned().await?;
    // Seen for the first time: it begins with its next time.
    sqlx::query!(
        "insert into timed_jobs (name, next_at) values ($1, $2) on conflict do nothing",
        timed.name,
        next.to_sqlx(),
    )
    .execute(&mut *tx)
    .await?;
    let due = sqlx::query_scalar!(
        "select next_at from timed_jobs where name = $1 and next_at <= $2 for update",
        timed.name,
        now.to_sqlx(),
    )
    .fetch_optional(&mut *tx)
    .await?;
    // Otherwise another process was quicker.
    if let Some(due) = due {
        let mut at = due.to_jiff();
        while let Ok(later) = timed.every.next(at, backend.time_zone())
            && later <= now
        {
            at = later;
        }
        tx.put(&Job::at(timed.name, format!("{}@{at}", timed.name), at, Value::Null)?).await?;
        sqlx::query!("update timed_jobs set next_at = $2 where name = $1", timed.name, next.to_sqlx())
            .execute(&mut *tx)
            .await?;
    }
    tx.commit(()).await
}
