//! Removes what nobody can use any more. Safe to run at any time and in any number of processes.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;

use crate::accounts::{sessions, sign_in};
use crate::{Backend, Result};

/// How long a repeated request still gets its first answer: longer than anybody leaves a form open.
const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many rows were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Sessions that have ended by themselves.
    pub sessions: u64,
    /// Failed sign-ins that no longer slow anybody down.
    pub failed_sign_ins: u64,
    /// Answers kept for repeated requests.
    pub answers: u64,
}

/// Removes all of it.
pub async fn tidy(backend: &Backend) -> Result<Removed> {
    Ok(Removed {
        sessions: sessions::delete_expired(backend).await?,
        failed_sign_ins: sign_in::prune(backend).await?,
        answers: delete_answers(backend).await?,
    })
}

async fn delete_answers(backend: &Backend) -> Result<u64> {
    let before = backend.now().checked_sub(ANSWERS_KEPT).unwrap_or(Timestamp::MIN);
    let done = sqlx::query!("delete from idempotency_keys where created_at <= $1", before.to_sqlx())
        .execute(backend.pool())
        .await?;
    Ok(done.rows_affected())
}
