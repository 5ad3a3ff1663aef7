//! How many tries sign-in gives: counted in the database, by account and by network address, so that neither one
//! account can be guessed at nor many accounts from one place, however many server processes run.
//!
//! A try counts from its beginning and stops counting when it succeeds: tries at the same time cannot slip through
//! together. Nobody is locked out for good: waiting always helps.

use std::net::{IpAddr, Ipv6Addr};

use domain::Refusal;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;

use crate::{Backend, Result, Tx, entropy};

/// Tries older than this are forgotten.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// Tries on one account without waiting.
const ACCOUNT_TRIES: i64 = 5;
/// The wait after those; it doubles with each further try.
const ACCOUNT_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait for an account.
const ACCOUNT_WAIT_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Tries from one network address within the window.
const NETWORK_TRIES: i64 = 50;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bucket {
    /// Tries on one account, by the hash of the address typed: people type passwords into the wrong field.
    Account(String),
    /// Tries from one place.
    Network(String),
}

impl Bucket {
    /// The account with this address, whether there is one or not.
    pub(super) fn account(email: &str) -> Self {
        use base64::Engine;
        let hash = entropy::hash(&email.trim().to_lowercase());
        Self::Account(format!("account:{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)))
    }

    /// This network address; of IPv6 the /64, which is what one customer has.
    pub(super) fn network(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V4(address) => format!("address:{address}"),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("address:{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }

    fn key(&self) -> &str {
        match self {
            Self::Account(key) | Self::Network(key) => key,
        }
    }

    /// When the next try may be, after `count` tries within the window.
    fn next(&self, count: i64, first: Timestamp, last: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Account(_) => {
                let extra = count.checked_sub(ACCOUNT_TRIES).filter(|extra| *extra >= 0)?;
                let doubled = 1_i32.checked_shl(u32::try_from(extra).unwrap_or(u32::MAX)).filter(|factor| *factor > 0);
                let wait = doubled.and_then(|factor| ACCOUNT_WAIT.checked_mul(factor)).unwrap_or(ACCOUNT_WAIT_MAX);
                last.checked_add(wait.min(ACCOUNT_WAIT_MAX)).ok()
            }
            Self::Network(_) => (count >= NETWORK_TRIES).then(|| first.checked_add(WINDOW).ok())?,
        }
    }
}

/// A try that counts until it is forgotten.
#[derive(Debug)]
pub(super) struct Attempt {
    ids: Vec<i64>,
}

impl Attempt {
    /// The try was none: it succeeded, or nobody looked at it.
    pub(super) async fn forget(&self, backend: &Backend) -> Result<()> {
        sqlx::query!("delete from sign_in_failures where id = any($1)", &self.ids).execute(backend.pool()).await?;
        Ok(())
    }

    /// The same within a transaction.
    pub(super) async fn forget_in(&self, tx: &mut Tx<'_>) -> Result<()> {
        sqlx::query!("delete from sign_in_failures where id = any($1)", &self.ids).execute(&mut **tx).await?;
        Ok(())
    }
}

/// Counts a try in every bucket, or refuses it with the time to wait. A refused try is not counted.
pub(super) async fn begin(backend: &Backend, buckets: &[Bucket]) -> Result<Attempt> {
    let mut attempt = Attempt { ids: Vec::new() };
    if !backend.rate_limits {
        return Ok(attempt);
    }
    let now = backend.now();
    let since = now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let mut tx = backend.pool().begin().await?;
    let mut wait_until = None;
    // Always the account first: two tries never wait for each other crosswise.
    for bucket in buckets {
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", bucket.key()).execute(&mut *tx).await?;
        let tries = sqlx::query!(
            r#"select count(*) as "count!", min(at) as first, max(at) as last
                 from sign_in_failures where bucket = $1 and at > $2"#,
            bucket.key(),
            since.to_sqlx(),
        )
        .fetch_one(&mut *tx)
        .await?;
        if let (Some(first), Some(last)) = (tries.first, tries.last) {
            wait_until = wait_until.max(bucket.next(tries.count, first.to_jiff(), last.to_jiff()));
        }
        let id = sqlx::query_scalar!(
            "insert into sign_in_failures (bucket, at) values ($1, $2) returning id",
            bucket.key(),
            now.to_sqlx(),
        )
        .fetch_one(&mut *tx)
        .await?;
        attempt.ids.push(id);
    }
    if let Some(until) = wait_until.filter(|until| *until > now) {
        let seconds = until.duration_since(now).as_secs().saturating_add(1);
        return Err(Refusal::TooMany { retry_after_seconds: seconds.unsigned_abs() }.into());
    }
    tx.commit().await?;
    Ok(attempt)
}

/// Forgets every try in a bucket.
pub(super) async fn clear(tx: &mut Tx<'_>, bucket: &Bucket) -> Result<()> {
    sqlx::query!("delete from sign_in_failures where bucket = $1", bucket.key()).execute(&mut **tx).await?;
    Ok(())
}

/// Removes tries that no longer count; returns how many. For a job that runs now and then.
pub(super) async fn prune(backend: &Backend) -> Result<u64> {
    let before = backend.now().checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let done =
        sqlx::query!("delete from sign_in_failures where at <= $1", before.to_sqlx()).execute(backend.pool()).await?;
    Ok(done.rows_affected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_waits_longer_with_every_try_but_never_for_good() {
        let (first, last) = ("2026-11-02T09:00:00Z".parse().unwrap(), "2026-11-02T09:01:00Z".parse().unwrap());
        let wait = |count| {
            let next = Bucket::account("ada@example.com").next(count, first, last)?;
            Some(next.duration_since(last).as_secs())
        };
        assert_eq!(wait(4), None);
        assert_eq!([5, 6, 7, 9, 10, 70, i64::MAX].map(wait), [10, 20, 40, 160, 300, 300, 300].map(Some));
        let network = Bucket::network(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(network.next(49, first, last), None);
        assert_eq!(network.next(50, first, last), first.checked_add(WINDOW).ok());
    }

    #[test]
    fn buckets_are_what_one_person_or_one_place_has() {
        assert_eq!(Bucket::account(" Ada@Example.com"), Bucket::account("ada@example.com"));
        let network = |address: &str| Bucket::network(address.parse().unwrap());
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(network("2001:db8:1:2:3::1"), network("2001:db8:1:2:ffff::2"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}
