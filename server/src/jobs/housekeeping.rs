//! Housekeeping: removes what nobody can use any more.

use std::time::Duration;

use backend::{Backend, housekeeping};
use tokio_util::sync::CancellationToken;

/// Between two rounds of housekeeping.
const ROUND: Duration = Duration::from_hours(1);

/// Tidies up now and every hour until the server stops. What fails is tried again in the next round.
pub async fn keep_house(backend: Backend, stopping: CancellationToken) {
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stopping.run_until_cancelled(rounds.tick()).await.is_some() {
        loop {
            match stopping.run_until_cancelled(housekeeping::tidy(&backend)).await {
                Some(Ok(removed)) if removed.is_full() => continue,
                Some(Ok(removed)) => tracing::debug!(?removed, "tidied"),
                Some(Err(error)) => tracing::warn!(%error, "could not tidy up; trying again in an hour"),
                None => return,
            }
            break;
        }
    }
}
