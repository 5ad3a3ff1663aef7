//! The one clock. Everything else takes the time as a parameter, so that tests can move it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::Refusal;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;

use crate::{Backend, Error, Result, Subject};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, cut to microseconds, which is what Postgres keeps.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    fn now(&self) -> Timestamp {
        to_micros(Timestamp::now())
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// Stands at `at`.
    pub fn at(at: Timestamp) -> Self {
        Self(Mutex::new(to_micros(at)))
    }

    /// Moves forward, or back with a negative duration. Stays where it is at the end of time.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.checked_add(by).unwrap_or(*now);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The machine's clock, ahead of it by what the database says: a demo may look at the day after tomorrow, and all
/// processes on one database agree on the time.
#[derive(Debug, Default)]
pub struct MovableClock {
    ahead_seconds: AtomicI64,
}

impl MovableClock {
    /// Reads how far the clock is ahead.
    pub async fn read(&self, pool: &PgPool) -> Result<()> {
        let ahead = sqlx::query_scalar!("select ahead_seconds from clock").fetch_optional(pool).await?;
        self.ahead_seconds.store(ahead.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        let ahead = SignedDuration::from_secs(self.ahead_seconds.load(Ordering::Relaxed));
        now.checked_add(ahead).unwrap_or(now)
    }
}

/// Moves the clock of every process on this database forward; it never goes back. Sessions, tokens and invitations move
/// along, so that nobody is shut out by it. Answers how far it is ahead now. The other processes follow within a second.
pub async fn move_forward(backend: &Backend, by: SignedDuration) -> Result<SignedDuration> {
    let mut tx = backend.begin_unsigned().await?;
    let seconds = by.as_secs().max(0);
    let ahead = sqlx::query_scalar!(
        "insert into clock (ahead_seconds) values ($1)
         on conflict (single) do update set ahead_seconds = clock.ahead_seconds + excluded.ahead_seconds
         returning ahead_seconds",
        seconds,
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(|error| match error.as_database_error().map(sqlx::error::DatabaseError::is_check_violation) {
        Some(true) => Refusal::field("by", "The clock can be ten years ahead at most.").into(),
        _ => Error::from(error),
    })?;
    sqlx::query!(
        "update sessions set last_seen_at = last_seen_at + $1::bigint * interval '1 second',
                expires_at = expires_at + $1::bigint * interval '1 second'",
        seconds,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("update api_tokens set expires_at = expires_at + $1::bigint * interval '1 second'", seconds)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("update invitations set expires_at = expires_at + $1::bigint * interval '1 second'", seconds)
        .execute(&mut *tx)
        .await?;
    let after = serde_json::json!({ "ahead_seconds": ahead });
    tx.event("clock.moved", &Subject::product("clock"), None, Some(after)).await?;
    tx.commit(SignedDuration::from_secs(ahead)).await
}

fn to_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
