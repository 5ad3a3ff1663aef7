//! The demo's inboxes: what happened in it has been told, and Ada and Grace have begun to look.

use crate::accounts::actor_by_email;
use crate::notices::inbox::{self, Change, State, Until};
use crate::{Backend, PageRequest, Result, outbox};
use domain::notice::Later;

/// Tells everybody what happened. What people then do with their inbox is entered once, while it is all unread.
pub async fn notices(backend: &Backend) -> Result<()> {
    while outbox::settle(backend).await? > 0 {}
    for (email, changes) in [
        ("ada@example.com", [Change::Read, Change::Later(Until::Morning(Later::Tomorrow)), Change::Done]),
        ("grace@example.com", [Change::Done, Change::Read, Change::Later(Until::Morning(Later::NextWeek))]),
    ] {
        let person = actor_by_email(backend, email).await?;
        let counts = inbox::counts(backend, &person).await?;
        if counts.unread < counts.open || counts.later > 0 {
            continue;
        }
        let open = inbox::list(backend, &person, State::Open, &PageRequest::default()).await?.items;
        // The newest stays as it came.
        for (item, change) in open.iter().skip(1).zip(changes) {
            inbox::change(backend, &person, &item.id, change, None).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{demo, testing};

    #[tokio::test]
    async fn ada_has_something_new_something_read_and_something_put_off() {
        let backend = testing::backend().await;
        demo::fill(&backend).await.unwrap();
        let ada = actor_by_email(&backend, "ada@example.com").await.unwrap();
        let counts = inbox::counts(&backend, &ada).await.unwrap();
        assert!(counts.unread >= 1 && counts.open > counts.unread && counts.later == 1, "{counts:?}");
        demo::fill(&backend).await.unwrap();
        assert_eq!(inbox::counts(&backend, &ada).await.unwrap(), counts);
    }
}
