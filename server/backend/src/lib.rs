//! Use cases and SQL. One file a noun, with the noun's name in `domain`, `app` and the API.
//!
//! Every write reads the same way, top to bottom:
//!
//! 1. check the input;
//! 2. begin the one transaction;
//! 3. replay: an answer already given to the same request is given again;
//! 4. hold the row that it is about;
//! 5. ask the policy about that row (before 2 where the policy needs no row: an admin's work, a first save);
//! 6. change;
//! 7. record the event;
//! 8. commit with the answer.
//!
//! After the commit, [`outbox`] sees to what follows from it: notices, mail, webhooks. [`jobs`] does what comes by the clock.
//!
//! One transaction is one fact: the change, its event and, for a request that carries an idempotency key, its answer are
//! committed together or not at all.

pub mod accounts;
pub mod clock;
pub mod database_facts;
pub mod demo;
pub mod entropy;
pub mod error;
pub mod events;
pub mod filter;
pub mod housekeeping;
pub mod imports;
pub mod incidents;
pub mod jobs;
pub mod outbox;
pub mod page;
pub mod rfcs;
pub mod services;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transaction;
pub mod version;

use std::sync::Arc;

use domain::Actor;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::PgPool;
use tokio::sync::Notify;

pub use clock::{Clock, FixedClock, MovableClock, SystemClock};
pub use entropy::{Entropy, SystemEntropy};
pub use error::{Error, OnConstraint, Result};
pub use page::{Page, PageRequest};
pub use transaction::{Once, Subject, Tx};
pub use version::Expected;

/// The schema, in order.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations");

/// What every use case needs. Cheap to clone; one clone a request carries the request's id and idempotency key.
#[derive(Clone)]
pub struct Backend {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    request_id: Arc<str>,
    once: Option<Arc<Once>>,
    expected: Expected,
    hasher: Arc<accounts::passwords::Hasher>,
    renderings: rfcs::renderings::Lately,
    rate_limits: bool,
    time_zone: TimeZone,
    news: Arc<Notify>,
}

impl Backend {
    /// A backend on this database, with rate limits.
    pub fn new(pool: PgPool, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let (hasher, renderings) = (Arc::default(), rfcs::renderings::Lately::default());
        let (request_id, once, expected) = ("-".into(), None, Expected::Unstated);
        let (time_zone, news) = (TimeZone::UTC, Arc::default());
        let rate_limits = true;
        Self { pool, clock, entropy, request_id, once, expected, hasher, renderings, rate_limits, time_zone, news }
    }

    /// The same backend with rate limits on or off (`PLUMBLINE_RATE_LIMITS`).
    #[must_use]
    pub fn with_rate_limits(mut self, on: bool) -> Self {
        self.rate_limits = on;
        self
    }

    /// The same backend in an organisation whose days begin in this zone (`PLUMBLINE_TIME_ZONE`).
    #[must_use]
    pub fn with_time_zone(mut self, zone: TimeZone) -> Self {
        self.time_zone = zone;
        self
    }

    /// The same backend on behalf of one request: its id goes into every event row, its idempotency key makes its
    /// write happen once.
    #[must_use]
    pub fn for_request(&self, request_id: &str, once: Option<Once>) -> Self {
        Self { request_id: request_id.into(), once: once.map(Arc::new), ..self.clone() }
    }

    /// The same backend on behalf of a request that says which version it changes. For the changes that need not say so
    /// ([`Tx::check_version`]); the others take it as a parameter.
    #[must_use]
    pub fn expecting(&self, expected: Expected) -> Self {
        Self { expected, ..self.clone() }
    }

    /// The same backend for a second write of the same request: a fact of its own, with an idempotency key of its own.
    #[must_use]
    pub fn next_step(&self) -> Self {
        let once = self.once.as_deref().map(|once| Arc::new(Once { key: format!("{}/2", once.key), ..once.clone() }));
        Self { once, ..self.clone() }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The zone that decides what "today" is.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    /// Completes when this process has committed something that others wait for: an event, work in the outbox.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// The connection pool, for reads and health checks.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The source of secrets.
    pub fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    /// Begins the one transaction of a write by `actor`.
    pub async fn begin(&self, actor: &Actor) -> Result<Tx<'_>> {
        Tx::begin(self, actor.recorded_as()).await
    }

    /// Begins the one transaction of a write that nobody signed in does: setup, sign-in, accepting an invitation.
    pub async fn begin_unsigned(&self) -> Result<Tx<'_>> {
        Tx::begin(self, None).await
    }
}
