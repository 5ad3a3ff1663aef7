//! The transaction of a write: change, event rows and the answer to a repeated request, all or nothing.

use std::ops::{Deref, DerefMut};

use domain::{PersonId, Refusal};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{PgConnection, Postgres, Transaction};

use crate::outbox::{self, Work};
use crate::{Backend, Error, Expected, Result};

/// A request that must have its effect once, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// What the client calls the request; unique per person.
    pub key: String,
    /// SHA-256 of what was asked, to refuse the key for something else.
    pub request_hash: [u8; 32],
}

/// What an event is about: the noun and the name it has in the API.
#[derive(Debug, Clone)]
pub struct Subject {
    kind: &'static str,
    key: String,
}

impl Subject {
    /// An RFC by number.
    pub fn rfc(number: i64) -> Self {
        Self { kind: "rfc", key: number.to_string() }
    }

    /// A service by slug.
    pub fn service(slug: &str) -> Self {
        Self { kind: "service", key: slug.to_owned() }
    }

    /// A team by slug.
    pub fn team(slug: &str) -> Self {
        Self { kind: "team", key: slug.to_owned() }
    }

    /// A person by address.
    pub fn person(email: &str) -> Self {
        Self { kind: "person", key: email.to_owned() }
    }

    /// An incident by its key.
    pub fn incident(id: i64) -> Self {
        Self { kind: "incident", key: id.to_string() }
    }

    /// A follow-up by its key.
    pub fn follow_up(id: i64) -> Self {
        Self { kind: "follow_up", key: id.to_string() }
    }

    /// A webhook, outgoing, by its key.
    pub fn webhook(id: i64) -> Self {
        Self { kind: "webhook", key: id.to_string() }
    }

    /// A hook, incoming, by its key.
    pub fn hook(id: i64) -> Self {
        Self { kind: "hook", key: id.to_string() }
    }

    /// An import by its key.
    pub fn import(id: i64) -> Self {
        Self { kind: "import", key: id.to_string() }
    }

    /// The product itself: its settings, its clock.
    pub fn product(what: &str) -> Self {
        Self { kind: "product", key: what.to_owned() }
    }
}

/// An open transaction. Dropped without [`Tx::commit`], it leaves no trace.
pub struct Tx<'a> {
    inner: Transaction<'static, Postgres>,
    backend: &'a Backend,
    actor: Option<PersonId>,
    /// The key this transaction has claimed, if the request carries one.
    claimed: bool,
    /// The answer that an earlier request with the same key got.
    earlier: Option<serde_json::Value>,
    /// Whether somebody outside waits for what this transaction says: events, work.
    tells: bool,
}

impl<'a> Tx<'a> {
    pub(crate) async fn begin(backend: &'a Backend, actor: Option<PersonId>) -> Result<Self> {
        let inner = backend.pool.begin().await?;
        let mut tx = Self { inner, backend, actor, claimed: false, earlier: None, tells: false };
        if let (Some(once), Some(person)) = (backend.once.as_deref(), actor) {
            tx.claim(once, person).await?;
        }
        Ok(tx)
    }

    /// Claims the request's key. A parallel request with the same key waits here, on the primary key, until the first
    /// one is committed (and then finds its answer) or rolled back (and then does the work itself).
    async fn claim(&mut self, once: &Once, person: PersonId) -> Result<()> {
        let claimed = sqlx::query!(
            "insert into idempotency_keys (person_id, key, request_hash, created_at) values ($1, $2, $3, $4)
             on conflict do nothing",
            person,
            once.key,
            &once.request_hash,
            self.backend.now().to_sqlx(),
        )
        .execute(&mut *self.inner)
        .await?;
        if claimed.rows_affected() == 1 {
            self.claimed = true;
            return Ok(());
        }
        let earlier = sqlx::query!(
            "select request_hash, answer from idempotency_keys where person_id = $1 and key = $2",
            person,
            once.key,
        )
        .fetch_one(&mut *self.inner)
        .await?;
        if earlier.request_hash != once.request_hash {
            let message = "This Idempotency-Key was already used for another request; choose a new one.";
            return Err(Refusal::field("Idempotency-Key", message).into());
        }
        self.earlier = earlier.answer;
        Ok(())
    }

    /// The answer to the same request when it was made before: return it instead of doing the work again.
    pub fn replay<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        self.earlier.take().map(serde_json::from_value).transpose().map_err(Into::into)
    }

    /// Refuses when the request names a version of what it changes that is not the newest; one that names none passes.
    pub fn check_version(&self, newest: i64) -> Result<(), Refusal> {
        match self.backend.expected {
            Expected::Unstated => Ok(()),
            stated => stated.check_existing(newest),
        }
    }

    /// The time of everything that this transaction does.
    pub fn now(&self) -> Timestamp {
        self.backend.now()
    }

    /// The backend that it is a transaction of.
    pub fn backend(&self) -> &'a Backend {
        self.backend
    }

    /// What an import does may take longer than what a request does; for this transaction.
    pub(crate) async fn take_time(&mut self) -> Result<()> {
        sqlx::query!(
            "select set_config(name, value, true) from (values
               ('statement_timeout', '1min'), ('lock_timeout', '3s'), ('idle_in_transaction_session_timeout', '1min')
             ) as patience (name, value)"
        )
        .fetch_all(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Somebody outside waits for what this transaction says.
    pub(crate) fn tells(&mut self) {
        self.tells = true;
    }

    /// Puts work into the outbox: done after the commit, at the earliest at its time. Answers whether it was new.
    pub async fn put(&mut self, work: &Work) -> Result<bool> {
        self.tells = true;
        let now = self.now();
        outbox::put(self, now, work).await
    }

    /// Records that something happened, and puts in that everybody whom it concerns is told. `before` and `after` hold what matters of the subject, or null.
    pub async fn event(
        &mut self,
        verb: &str,
        subject: &Subject,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
    ) -> Result<()> {
        self.tells = true;
        sqlx::query!(
            "with event as (
                 insert into events (at, actor_id, verb, subject_kind, subject_key, before, after, request_id)
                 values ($1, $2, $3, $4, $5, $6, $7, $8) returning id)
             insert into outbox (key, kind, payload, due_at, created_at)
             select 'event:' || id, 'event', to_jsonb(id), $1, $1 from event",
            self.backend.now().to_sqlx(),
            self.actor,
            verb,
            subject.kind,
            subject.key,
            before,
            after,
            &*self.backend.request_id,
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Records many events of one verb at once, each with its subject's key, before and after. Nobody is told of them one
    /// by one: they are what an import did, of which one event tells.
    pub async fn quiet_events(
        &mut self,
        verb: &str,
        subject_kind: &'static str,
        changes: Vec<(i64, Option<serde_json::Value>, Option<serde_json::Value>)>,
    ) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        self.tells = true;
        let changes = changes
            .into_iter()
            .map(|(key, before, after)| serde_json::json!({ "key": key, "before": before, "after": after }))
            .collect();
        sqlx::query!(
            "insert into events (at, actor_id, verb, subject_kind, subject_key, before, after, request_id)
             select $1, $2, $3, $4, change.value ->> 'key', nullif(change.value -> 'before', 'null'),
                    nullif(change.value -> 'after', 'null'), $5
               from jsonb_array_elements($6) with ordinality as change (value, position) order by position",
            self.backend.now().to_sqlx(),
            self.actor,
            verb,
            subject_kind,
            &*self.backend.request_id,
            serde_json::Value::Array(changes),
        )
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Makes everything since the beginning true, and `answer` the answer to every repetition of the request.
    ///
    /// Whoever waits may give up (a request that takes too long is dropped): COMMIT is carried through all the same. When
    /// the database goes away meanwhile the refusal is [`Refusal::OutcomeUnknown`].
    pub async fn commit<T: Serialize>(mut self, answer: T) -> Result<T> {
        if let (true, Some(once), Some(person)) = (self.claimed, self.backend.once.as_deref(), self.actor) {
            sqlx::query!(
                "update idempotency_keys set answer = $3 where person_id = $1 and key = $2",
                person,
                once.key,
                serde_json::to_value(&answer)?,
            )
            .execute(&mut *self.inner)
            .await?;
        }
        match tokio::spawn(self.inner.commit()).await {
            Ok(Ok(())) => {
                if self.tells {
                    self.backend.news.notify_one();
                }
                Ok(answer)
            }
            Ok(Err(error)) => Err(Error::of_commit(error)),
            Err(error) => Err(Error::outcome_unknown(&error)),
        }
    }
}

impl Tx<'_> {
    /// Leaves no trace, and waits until its locks are gone; dropped, it gives them back a moment later.
    pub(crate) async fn undo(self) {
        if let Err(error) = self.inner.rollback().await {
            tracing::debug!(%error, "a transaction was not rolled back; its connection is gone");
        }
    }
}

impl Deref for Tx<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::Role;

    use super::*;
    use crate::testing;

    async fn events(backend: &Backend) -> i64 {
        sqlx::query_scalar!(r#"select count(*) as "count!" from events"#).fetch_one(backend.pool()).await.unwrap()
    }

    #[tokio::test]
    async fn a_database_that_goes_away_during_commit_promises_nothing() {
        let test = testing::backend().await;
        let ada = testing::person(&test, "Ada", Role::Member, None).await;
        let lose = async |tx: &mut Tx<'_>| {
            let pid = sqlx::query_scalar!(r#"select pg_backend_pid() as "pid!""#).fetch_one(&mut **tx).await.unwrap();
            let mut owner = testing::owner(&test).await;
            sqlx::query!("select pg_terminate_backend($1, 5000)", pid).fetch_one(&mut owner).await.unwrap();
        };
        let mut tx = test.begin(&ada).await.unwrap();
        tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
        lose(&mut tx).await;
        let answer = tx.commit(()).await;
        assert!(matches!(answer, Err(Error::Refused(Refusal::OutcomeUnknown))), "{answer:?}");
        // Before COMMIT it is certain that nothing was changed.
        let mut tx = test.begin(&ada).await.unwrap();
        lose(&mut tx).await;
        let answer = tx.event("test.done", &Subject::team("x"), None, None).await;
        assert!(matches!(answer, Err(Error::Refused(Refusal::Busy { .. }))), "{answer:?}");
    }

    #[tokio::test]
    async fn a_commit_is_carried_through_when_nobody_waits_for_it() {
        let test = testing::backend().await;
        let ada = testing::person(&test, "Ada", Role::Member, None).await;
        let mut owner = testing::owner(&test).await;
        for statement in [
            "create function slowly() returns trigger language plpgsql as
             $$ begin perform pg_sleep(0.5); return null; end $$",
            "create constraint trigger slowly after insert on events deferrable initially deferred
             for each row execute function slowly()",
        ] {
            sqlx::Executor::execute(&mut owner, statement).await.unwrap();
        }
        let mut tx = test.begin(&ada).await.unwrap();
        tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(100), tx.commit(())).await.is_err());
        assert_eq!(events(&test).await, 0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(events(&test).await, 1);
    }
}
