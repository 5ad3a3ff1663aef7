//! Removes what nobody can use any more. Safe to run at any time and in any number of processes.

use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx as _;

use crate::accounts::{sessions, sign_in};
use crate::{Backend, Result, deliveries, imports, notices, outbox};

/// How long a repeated request still gets its first answer: longer than anybody leaves a form open.
const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many rows of a kind one round removes at most: far from the time limit of a statement.
pub(crate) const PORTION: i64 = 5000;

/// How many rows were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removed {
    /// Sessions that have ended by themselves.
    pub sessions: u64,
    /// Failed sign-ins that no longer slow anybody down.
    pub failed_sign_ins: u64,
    /// Answers kept for repeated requests.
    pub answers: u64,
    /// Work in the outbox that was finished long ago.
    pub work: u64,
    /// Calls of webhooks and hooks that were recorded long ago.
    pub calls: u64,
    /// Items of inboxes that were looked at long ago.
    pub inbox_items: u64,
    /// Pieces of files that were handed in long ago.
    pub files: u64,
}

impl Removed {
    /// Whether there may be more of something.
    pub fn is_full(&self) -> bool {
        let Self { sessions, failed_sign_ins, answers, work, calls, inbox_items, files } = *self;
        [sessions, failed_sign_ins, answers, work, calls, inbox_items, files]
            .iter()
            .any(|rows| *rows >= PORTION.unsigned_abs())
    }
}

/// Removes a portion of each.
pub async fn tidy(backend: &Backend) -> Result<Removed> {
    Ok(Removed {
        sessions: sessions::delete_expired(backend).await?,
        failed_sign_ins: sign_in::prune(backend).await?,
        answers: delete_answers(backend).await?,
        work: outbox::delete_old(backend).await?,
        calls: deliveries::delete_old(backend).await?,
        inbox_items: notices::delete_old(backend).await?,
        files: imports::delete_old(backend).await?,
    })
}

async fn delete_answers(backend: &Backend) -> Result<u64> {
    let before = backend.now().checked_sub(ANSWERS_KEPT).unwrap_or(Timestamp::MIN);
    let done = sqlx::query!(
        "delete from idempotency_keys where (person_id, key) in
           (select person_id, key from idempotency_keys where created_at <= $1 limit $2)",
        before.to_sqlx(),
        PORTION,
    );
    Ok(done.execute(backend.pool()).await?.rows_affected())
}

#[cfg(test)]
mod tests {
    use domain::Role;

    use super::*;
    use crate::accounts::sign_in;
    use crate::{Once, testing};

    #[tokio::test]
    async fn only_what_nobody_can_use_any_more_is_removed() {
        let test = testing::backend().await;
        let ada = testing::person(&test, "Ada", Role::Member, None).await;
        let session = async |token| {
            let content = sessions::Content {
                person: Some(ada.id.into()),
                data: serde_json::json!({}),
                user_agent: String::new(),
                address: String::new(),
            };
            sessions::create(&test, &[token; 32], &content).await.unwrap();
        };
        let answer = async |key: &str| {
            let once = Once { key: key.into(), request_hash: [1; 32] };
            test.for_request("test", Some(once)).begin(&ada).await.unwrap().commit(()).await.unwrap();
        };
        session(1).await;
        answer("old").await;
        sign_in(&test, &ada.email, "wrong", None).await.unwrap_err();
        let nothing =
            Removed { sessions: 0, failed_sign_ins: 0, answers: 0, work: 0, calls: 0, inbox_items: 0, files: 0 };
        assert_eq!(tidy(&test).await.unwrap(), nothing);

        test.clock.advance(ANSWERS_KEPT);
        session(2).await;
        answer("new").await;
        sign_in(&test, &ada.email, "wrong", None).await.unwrap_err();
        let removed = Removed { sessions: 1, failed_sign_ins: 1, answers: 1, ..nothing };
        assert_eq!(tidy(&test).await.unwrap(), removed);
        assert_eq!(tidy(&test).await.unwrap(), nothing);
        assert!(sessions::load(&test, &[2; 32]).await.unwrap().is_some());
        let kept = sqlx::query_scalar!("select key from idempotency_keys").fetch_all(test.pool()).await.unwrap();
        assert_eq!(kept, ["new"]);
    }
}
