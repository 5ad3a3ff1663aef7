//! Address and password to a person who may begin a session. Whoever has no account, the wrong password, no password at all or a disabled
//! account gets the same answer after the same work.

use std::net::IpAddr;

use domain::Refusal;

use super::passwords::{self, Compared};
use super::sessions::SignedIn;
use super::throttle::{self, Bucket};
use crate::{Backend, Result, Subject, Tx, entropy};

/// What everybody is told whose sign-in fails.
const REFUSED: &str = "There is no account with this address and password.";

/// The person who knows this password; `network_address` is where the request comes from, as far as it is known.
///
/// Refuses with [`Refusal::TooMany`] after too many failures for the account or from the address (see `throttle`), and
/// with [`Refusal::Busy`] when too many passwords are being checked.
pub async fn sign_in(
    backend: &Backend,
    email: &str,
    password: &str,
    network_address: Option<IpAddr>,
) -> Result<SignedIn> {
    let account = Bucket::account(email);
    let buckets: Vec<Bucket> = [account.clone()].into_iter().chain(network_address.map(Bucket::network)).collect();
    let attempt = throttle::begin(backend, &buckets).await?;

    // What is no address is nobody's; the question is asked all the same.
    let address = domain::text::email("email", email).unwrap_or_default();
    let found = sqlx::query!(
        "select id, email, password_hash, disabled_at from people where email = $1::text::citext",
        address
    )
    .fetch_optional(backend.pool())
    .await?;
    let kept = found.as_ref().and_then(|person| person.password_hash.clone());
    let compared = match passwords::compare(backend, password, kept.clone()).await {
        Ok(compared) => compared,
        Err(error) => {
            attempt.forget(backend).await?;
            return Err(error);
        }
    };
    let person = match (found, &compared) {
        (Some(person), Compared::Right | Compared::RightButOutdated) if person.disabled_at.is_none() => person,
        (found, _) => {
            tracing::info!(person = found.map(|person| person.id), address = ?network_address, "sign-in refused");
            return Err(Refusal::field("password", REFUSED).into());
        }
    };

    let renewed = match compared {
        Compared::RightButOutdated => Some(passwords::hash(backend, password).await?),
        _ => None,
    };
    let mut tx = Tx::begin(backend, Some(person.id)).await?;
    attempt.forget_in(&mut tx).await?;
    throttle::clear(&mut tx, &account).await?;
    if let Some(renewed) = &renewed {
        sqlx::query!(
            "update people set password_hash = $3 where id = $1 and password_hash = $2",
            person.id,
            kept,
            renewed,
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.event("person.signed_in", &Subject::person(&person.email), None, None).await?;
    let password = renewed.or(kept).map(|kept| entropy::hash(&kept));
    tx.commit(()).await?;
    Ok(SignedIn { person: person.id, password })
}

/// Removes failed sign-ins that no longer count; returns how many. For a job that runs now and then.
pub async fn prune(backend: &Backend) -> Result<u64> {
    throttle::prune(backend).await
}
