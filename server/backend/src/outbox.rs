//! The outbox: work to be done once a transaction is committed. Its rows are written in that transaction
//! ([`Tx::put`](crate::Tx::put)), so that nothing is forgotten and nothing is done for what did not happen.
//!
//! Any number of processes share the work; a row is had by one at a time (`skip locked`). There are two ways to do it:
//!
//! * [`settle`]: events and jobs change nothing but this database. They are claimed, done and finished in one
//!   transaction: exactly once, whatever process dies when.
//! * [`claim`], then [`finish`] or [`fail`]: mail, webhooks and imports reach further. They are claimed for a time (the
//!   lease, made longer while the work goes on) and done at least once: a process that dies after sending leaves a
//!   lease that runs out, and the same thing is sent again under the same key.
//!
//! What fails is tried again, later each time ([`retry_after`]); what has failed [`TRIES`] times is dead: it stays to be
//! read and can be sent again by hand.

use std::time::{Duration, Instant};

use domain::Refusal;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;

use crate::housekeeping::PORTION;
use crate::jobs::Round;
use crate::{Backend, Entropy, Error, Result, Tx, events, imports, jobs, webhooks};

/// Who does a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something happened: whom it concerns is worked out ([`jobs::of_event`]).
    Event,
    /// A timed job has come due ([`jobs`]).
    Job,
    /// A mail is to be sent.
    Mail,
    /// A webhook is to be called.
    Webhook,
    /// A file that was handed in is to be read.
    Import,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Event, Self::Job, Self::Mail, Self::Webhook, Self::Import];

    /// Its word in the table and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Job => "job",
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Import => "import",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How often a piece of work is tried before it is dead.
pub const TRIES: i32 = 10;
/// How long a process may work on a row before others think that it died. Made longer with [`extend`].
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How many events are settled in one transaction at most.
const BATCH: i64 = 50;
/// How long such a transaction goes on taking the next one.
const SETTLING: Duration = Duration::from_millis(200);
/// How long an event waits that something in the database stood in the way of.
const PUT_OFF: SignedDuration = SignedDuration::from_secs(5);
/// How long finished work can still be read.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The pause after a try that failed, of which this was the `attempt`th: the steps that Standard Webhooks proposes, three
/// days in all, each up to a fifth longer so that what failed together does not come back together.
pub fn retry_after(attempt: i32, entropy: &dyn Entropy) -> SignedDuration {
    const SECONDS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    let step = usize::try_from(attempt.max(1) - 1).unwrap_or_default().min(SECONDS.len() - 1);
    let mut random = [0; 1];
    entropy.fill(&mut random);
    let millis = SECONDS[step] * 1000;
    SignedDuration::from_millis(millis + millis * i64::from(random[0]) / (5 * 256))
}

/// Work to be put in.
#[derive(Debug, Clone)]
pub struct Work {
    /// Names it for good; putting in the same key again does nothing.
    pub key: String,
    /// Who does it.
    pub kind: Kind,
    /// What that one needs to know.
    pub payload: Value,
    /// Not before this instant.
    pub due_at: Timestamp,
}

/// Puts work in. Answers whether it was new. In a use case: [`Tx::put`](crate::Tx::put).
pub(crate) async fn put(connection: &mut PgConnection, now: Timestamp, work: &Work) -> Result<bool> {
    let done = sqlx::query!(
        "insert into outbox (key, kind, payload, due_at, created_at) values ($1, $2, $3, $4, $5)
         on conflict on constraint outbox_key_unique do nothing",
        work.key,
        work.kind.as_str(),
        work.payload,
        work.due_at.to_sqlx(),
        now.to_sqlx(),
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts much work in at once.
async fn put_all(tx: &mut Tx<'_>, work: &[Work]) -> Result<()> {
    if work.is_empty() {
        return Ok(());
    }
    let keys: Vec<&str> = work.iter().map(|work| work.key.as_str()).collect();
    let kinds: Vec<&str> = work.iter().map(|work| work.kind.as_str()).collect();
    let payloads: Vec<Value> = work.iter().map(|work| work.payload.clone()).collect();
    let due: Vec<_> = work.iter().map(|work| work.due_at.to_sqlx()).collect();
    sqlx::query!(
        "insert into outbox (key, kind, payload, due_at, created_at)
         select key, kind, payload, due_at, $5
         from unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[]) as work (key, kind, payload, due_at)
         on conflict on constraint outbox_key_unique do nothing",
        &keys as _,
        &kinds as _,
        &payloads,
        &due as _,
        tx.now().to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    tx.tells();
    Ok(())
}

/// Does the events and jobs that are due, up to a batch of them; answers how many were there.
pub async fn settle(backend: &Backend) -> Result<usize> {
    match settle_batch(backend, BATCH).await {
        Ok(done) => Ok(done),
        // One of them cannot be done: all others, one by one.
        Err(_) => settle_one_by_one(backend).await,
    }
}

async fn settle_batch(backend: &Backend, limit: i64) -> Result<usize> {
    let mut tx = backend.begin_unsigned().await?;
    let rows = due_for_settling(&mut tx, backend.now(), limit).await?;
    let settled = if rows.is_empty() { Ok(0) } else { settle_rows(&mut tx, &rows).await };
    if let Ok(done @ 1..) = settled {
        return tx.commit(done).await;
    }
    // Waited for: until then nobody else may settle, not even this process.
    tx.undo().await;
    settled
}

async fn settle_one_by_one(backend: &Backend) -> Result<usize> {
    let mut done = 0;
    for _ in 0..BATCH {
        let mut tx = backend.begin_unsigned().await?;
        let Some(row) = due_for_settling(&mut tx, backend.now(), 1).await?.pop() else {
            tx.undo().await;
            break;
        };
        match settle_rows(&mut tx, std::slice::from_ref(&row)).await {
            Ok(_) => tx.commit(()).await?,
            Err(error) => {
                tx.undo().await;
                tracing::error!(%error, key = row.key, "work in the outbox failed");
                // Somebody else has a lock that it needs: nothing is wrong with the work itself.
                let passes = matches!(error, Error::Refused(Refusal::Busy { .. } | Refusal::OutcomeUnknown));
                let failed = if passes { Failed::NotYet(PUT_OFF) } else { Failed::Later };
                // The same database: when that is away, this fails, too.
                fail(backend, &row, &error.to_string(), failed).await?;
            }
        }
        done += 1;
    }
    Ok(done)
}

/// Whether this transaction alone settles now. Two that write the notices of many events each would wait for one another's
/// rows; and so people are told things in the order in which they happened. A process that dies lets go with its
/// connection.
async fn settles_alone(connection: &mut PgConnection) -> Result<bool> {
    const SETTLING: i64 = 0x706c_6273_746c;
    let alone = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "alone!""#, SETTLING);
    Ok(alone.fetch_one(connection).await?)
}

/// Does these rows and finishes them, in order; answers how many, because it stops early when it takes long: until the
/// commit nobody is shown any event that is newer, and the inboxes it wrote into cannot be changed. An event that was
/// passed on needs no row any more; a job's row stays to be seen.
async fn settle_rows(tx: &mut Tx<'_>, rows: &[Claimed]) -> Result<usize> {
    let began = Instant::now();
    let number = |row: &Claimed| row.payload.as_i64().ok_or_else(|| Error::internal("an event has no number"));
    let named = rows.iter().filter(|row| row.kind == Kind::Event).map(number).collect::<Result<Vec<_>>>()?;
    let events = events::find(tx, &named).await?;
    let (mut round, mut done) = (Round::default(), Vec::with_capacity(rows.len()));
    for row in rows {
        if row.kind == Kind::Job {
            jobs::run(tx, &row.payload).await?;
        } else if let Some(event) = events.iter().find(|event| Some(event.id) == row.payload.as_i64()) {
            jobs::of_event(tx, &mut round, event).await?;
        }
        done.push(row.id);
        if began.elapsed() > SETTLING {
            break;
        }
    }
    put_all(tx, &round.work).await?;
    sqlx::query!("delete from outbox where id = any($1) and kind = 'event'", &done).execute(&mut **tx).await?;
    sqlx::query!(
        "update outbox set state = 'done', attempts = attempts + 1, last_error = '', finished_at = $2
         where id = any($1) and kind = 'job'",
        &done,
        tx.now().to_sqlx(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.len())
}

/// Work that a process has.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The table's key.
    pub id: i64,
    /// Names it for good.
    pub key: String,
    /// Who does it.
    pub kind: Kind,
    /// What that one needs to know.
    pub payload: Value,
    /// Which try this is, from 1.
    pub attempt: i32,
}

/// The rows that one transaction may settle; none while another one settles. They stay locked until it ends.
async fn due_for_settling(connection: &mut PgConnection, now: Timestamp, limit: i64) -> Result<Vec<Claimed>> {
    if !settles_alone(connection).await? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query_as!(
        Leased,
        "select id, key, kind, payload, attempts from outbox
         where state = 'waiting' and kind in ('event', 'job') and due_at <= $1
         order by due_at, id limit $2 for update skip locked",
        now.to_sqlx(),
        limit,
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| Leased { attempts: row.attempts + 1, ..row }.claimed()).collect()
}

/// Claims up to `limit` pieces of work of a kind for `worker`, for the time of a [`LEASE`].
pub async fn claim(backend: &Backend, kind: Kind, worker: &str, limit: i64) -> Result<Vec<Claimed>> {
    let now = backend.now();
    let rows = sqlx::query_as!(
        Leased,
        "with due as materialized (
           select id from outbox
           where state = 'waiting' and kind = $3 and due_at <= $4 and attempts < $5
             and (leased_until is null or leased_until <= $4)
           order by due_at, id limit $6 for update skip locked)
         update outbox set leased_by = $1, leased_until = $2, attempts = attempts + 1
         from due where outbox.id = due.id returning outbox.id, key, kind, payload, attempts",
        worker,
        now.checked_add(LEASE).unwrap_or(now).to_sqlx(),
        kind.as_str(),
        now.to_sqlx(),
        TRIES,
        limit,
    );
    rows.fetch_all(backend.pool()).await?.into_iter().map(Leased::claimed).collect()
}

/// The same for webhooks, each of which has its own queue: at most so many of each, `at_work` of which this process has
/// already. Whoever has the fewest comes first: those that do not answer hold up no other, however much waits for them.
pub async fn claim_by_webhook(
    backend: &Backend,
    worker: &str,
    limit: i64,
    of_each: i64,
    at_work: &[(i64, i64)],
) -> Result<Vec<Claimed>> {
    let now = backend.now();
    let (busy, calls): (Vec<i64>, Vec<i64>) = at_work.iter().copied().unzip();
    let rows = sqlx::query_as!(
        Leased,
        "with due as materialized (
           select first.id from webhooks left join unnest($5::bigint[], $6::bigint[]) as busy (id, calls) using (id),
             lateral (select id, row_number() over (order by due_at, id) as place from outbox
                      where id in (select waiting.id from outbox as waiting
                                   where kind = 'webhook' and state = 'waiting'
                                     and (payload ->> 'webhook')::bigint = webhooks.id and due_at <= $3 and attempts < $4
                                     and (leased_until is null or leased_until <= $3)
                                   order by due_at, waiting.id limit greatest($7 - coalesce(calls, 0), 0)
                                   for update skip locked)) as first
           order by coalesce(calls, 0) + place, first.id limit $8)
         update outbox set leased_by = $1, leased_until = $2, attempts = attempts + 1
         from due where outbox.id = due.id returning outbox.id, key, kind, payload, attempts",
        worker,
        now.checked_add(LEASE).unwrap_or(now).to_sqlx(),
        now.to_sqlx(),
        TRIES,
        &busy,
        &calls,
        of_each,
        limit,
    );
    rows.fetch_all(backend.pool()).await?.into_iter().map(Leased::claimed).collect()
}

/// A claimed row as the database gives it.
struct Leased {
    id: i64,
    key: String,
    kind: String,
    payload: Value,
    attempts: i32,
}

impl Leased {
    fn claimed(self) -> Result<Claimed> {
        let kind = serde_json::from_value(self.kind.into())?;
        Ok(Claimed { id: self.id, key: self.key, kind, payload: self.payload, attempt: self.attempts })
    }
}

/// Gives up what no process came back from: it ended each time before it could say how it went. Nobody claims it any more.
pub async fn bury(backend: &Backend) -> Result<usize> {
    const WHY: &str = "The server that did it ended each time.";
    let now = backend.now();
    let lost = sqlx::query!(
        "select id, kind, payload from outbox
         where state = 'waiting' and kind in ('mail', 'webhook', 'import') and due_at <= $1 and attempts >= $2
           and leased_until <= $1
         limit 100",
        now.to_sqlx(),
        TRIES,
    );
    let lost = lost.fetch_all(backend.pool()).await?;
    for row in &lost {
        // Each of them can be told again.
        if row.kind == Kind::Import.as_str() {
            imports::give_up_work(backend, &row.payload, WHY).await?;
        } else if let Some(webhook) = row.payload.get("webhook").and_then(Value::as_i64) {
            webhooks::give_up(backend, webhook).await?;
        }
        sqlx::query!(
            "update outbox set state = 'dead', finished_at = $2, leased_by = null, leased_until = null, last_error = $3
             where id = $1 and state = 'waiting' and leased_until <= $2",
            row.id,
            now.to_sqlx(),
            WHY,
        )
        .execute(backend.pool())
        .await?;
    }
    Ok(lost.len())
}

/// The heartbeat: begins the lease of a row anew. False: it is no longer this worker's, who should stop.
pub async fn extend(backend: &Backend, id: i64, worker: &str) -> Result<bool> {
    let until = backend.now().checked_add(LEASE).unwrap_or(Timestamp::MAX);
    let done = sqlx::query!(
        "update outbox set leased_until = $3 where id = $1 and leased_by = $2 and state = 'waiting'",
        id,
        worker,
        until.to_sqlx(),
    )
    .execute(backend.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The work is done. Also when the lease ran out meanwhile: it was done all the same.
pub async fn finish(backend: &Backend, ids: &[i64]) -> Result<()> {
    sqlx::query!(
        "update outbox set state = 'done', last_error = '', leased_by = null, leased_until = null, finished_at = $2
         where id = any($1) and state = 'waiting'",
        ids,
        backend.now().to_sqlx(),
    )
    .execute(backend.pool())
    .await?;
    Ok(())
}

/// The work is done without having been done, and why: nobody is there to do it, or nobody wants it any more.
pub async fn finish_noting(backend: &Backend, id: i64, note: &str) -> Result<()> {
    sqlx::query!(
        "update outbox set state = 'done', last_error = $2, leased_by = null, leased_until = null, finished_at = $3
         where id = $1 and state = 'waiting'",
        id,
        note,
        backend.now().to_sqlx(),
    )
    .execute(backend.pool())
    .await?;
    Ok(())
}

/// What to do about work that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// Try again by the usual steps.
    Later,
    /// Try again, not before this much time has passed (`Retry-After`).
    After(SignedDuration),
    /// It was not tried at all, because others are in front of it: again after this much time, and this try does not
    /// count.
    NotYet(SignedDuration),
    /// Trying again is of no use.
    ForGood,
}

/// The work could not be done, and why: plans the next try, or gives it up. Nothing happens when the lease was lost and
/// somebody else tries by now.
pub async fn fail(backend: &Backend, claimed: &Claimed, why: &str, failed: Failed) -> Result<()> {
    let now = backend.now();
    let usual = retry_after(claimed.attempt, backend.entropy());
    let tried = !matches!(failed, Failed::NotYet(_));
    let next = match failed {
        Failed::NotYet(pause) => now.checked_add(pause).ok(),
        Failed::ForGood => None,
        _ if claimed.attempt >= TRIES => None,
        Failed::Later => now.checked_add(usual).ok(),
        Failed::After(pause) => now.checked_add(pause.max(usual)).ok(),
    };
    let why: String = why.chars().filter(|character| *character != '\0').take(2000).collect();
    sqlx::query!(
        "update outbox set attempts = $2, last_error = case when $6 then $3 else last_error end,
                leased_by = null, leased_until = null,
                state = case when $4::timestamptz is null then 'dead' else 'waiting' end,
                due_at = coalesce($4, due_at),
                finished_at = case when $4::timestamptz is null then $5::timestamptz end
         where id = $1 and state = 'waiting' and (kind in ('event', 'job') or attempts = $7)",
        claimed.id,
        if tried { claimed.attempt } else { claimed.attempt - 1 },
        why,
        next.map(ToSqlx::to_sqlx) as _,
        now.to_sqlx(),
        tried || claimed.attempt == 1,
        claimed.attempt,
    )
    .execute(backend.pool())
    .await?;
    Ok(())
}

/// Tells everybody who listens on the channel that there is news: no transaction of its own, nothing to wait for.
pub async fn announce(backend: &Backend, channel: &str) -> Result<()> {
    sqlx::query!("select pg_notify($1, '')", channel).execute(backend.pool()).await?;
    Ok(())
}

/// How much work there is, for the operator and the metrics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// Whose work.
    pub kind: String,
    /// Rows that could be done now and that nobody is at.
    pub due: i64,
    /// How long the oldest of them could have been done already, in seconds.
    pub oldest_seconds: i64,
    /// Rows planned for later.
    pub planned: i64,
    /// Rows that were given up.
    pub dead: i64,
}

/// How far the workers are behind, by kind.
pub async fn lag(backend: &Backend) -> Result<Vec<Lag>> {
    let rows = sqlx::query_as!(
        Lag,
        r#"select kind as "kind!",
                  count(*) filter (where due) as "due!",
                  coalesce(extract(epoch from $1 - min(due_at) filter (where due)), 0)::bigint as "oldest_seconds!",
                  count(*) filter (where state = 'waiting' and due_at > $1) as "planned!",
                  count(*) filter (where state = 'dead') as "dead!"
           from unnest(array ['event', 'job', 'mail', 'webhook', 'import']) as kinds (kind)
           left join (select kind, state, due_at,
                             state = 'waiting' and due_at <= $1 and (leased_until is null or leased_until <= $1) as due
                      from outbox where state = 'waiting' or state = 'dead') as open using (kind)
           group by kind order by kind"#,
        backend.now().to_sqlx(),
    )
    .fetch_all(backend.pool())
    .await?;
    Ok(rows)
}

/// Removes what was finished long ago; what is dead stays until somebody has looked at it.
pub(crate) async fn delete_old(backend: &Backend) -> Result<u64> {
    let before = backend.now().checked_sub(KEPT).unwrap_or(Timestamp::MIN);
    let done = sqlx::query!(
        "delete from outbox where id in (select id from outbox where state = 'done' and finished_at <= $1
                                         order by finished_at limit $2)",
        before.to_sqlx(),
        PORTION,
    );
    Ok(done.execute(backend.pool()).await?.rows_affected())
}

#[cfg(test)]
mod tests;
