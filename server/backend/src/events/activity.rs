//! The activity feed: what happened to one thing, or everywhere, as far as the reader may know.

use domain::Actor;
use domain::policy::{self, Action};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sentence::{Piece, sentence};
use crate::page::{Page, PageRequest};
use crate::rfcs::PersonRef;
use crate::{Backend, Result};

/// Rows of a feed on the page of what it is about.
pub const SHOWN: i64 = 20;

/// What a feed is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The noun: `rfc`, `service` …; empty: everything.
    pub kind: String,
    /// The name that it has in the API.
    pub key: String,
}

impl About {
    /// One thing.
    pub fn new(kind: &str, key: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), key: key.into() }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who did it; nobody: the product itself.
    pub actor: Option<PersonRef>,
    /// What was done.
    pub said: Vec<Piece>,
    /// To what: the noun …
    pub kind: String,
    /// … the name it has in the API …
    pub key: String,
    /// … and what it is called, if it still is.
    pub title: Option<String>,
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cursor {
    id: i64,
}

/// The first rows of the feed of one thing, for its own page; one more than [`SHOWN`] when there are more.
pub async fn latest(backend: &Backend, actor: &Actor, about: &About) -> Result<Page<Entry>> {
    list(backend, actor, about, &PageRequest { limit: Some(SHOWN), cursor: None }).await
}

/// One page of a feed, the newest first. About a person it also has what they did themselves.
pub async fn list(backend: &Backend, actor: &Actor, about: &About, page: &PageRequest) -> Result<Page<Entry>> {
    policy::allows(actor, Action::Read)?;
    let rows = page.rows()?;
    let after: Option<Cursor> = page.after()?;
    // What an admin's token may not administer, it may not know of either.
    let admin = policy::allows(actor, Action::Administer).is_ok();
    let about = About { kind: about.kind.replace('\0', "\u{fffd}"), key: about.key.replace('\0', "\u{fffd}") };
    // Each way in which an event can belong here has an index, so that none is read that is not shown.
    let found = sqlx::query!(
        r#"select e.id as "id!", e.at as "at!", e.verb as "verb!", e.subject_kind as "subject_kind!",
                  e.subject_key as "subject_key!", e.before, e.after, p.email as "email?: String", p.name as "name?",
                  (select d.title from search_documents d where d.kind = e.subject_kind and d.key = e.subject_key
                   limit 1) as title
           from (
             (select * from readable_events($1, $2) e
              where $3 <> '' and e.subject_kind = $3
                and e.subject_key in (
                  select $4 union all
                  select f.slug from service_former_slugs f join services s on s.id = f.service_id
                  where $3 = 'service' and s.slug = $4)
                and ($5::bigint is null or e.id < $5)
              order by e.id desc limit $6::bigint + 1)
             union
             (select * from readable_events($1, $2) e
              where $3 = 'person' and e.actor_id = (select p.id from people p where p.email = $4::text::citext)
                and ($5::bigint is null or e.id < $5)
              order by e.id desc limit $6::bigint + 1)
             union
             (select * from readable_events($1, $2) e
              where $3 = '' and ($5::bigint is null or e.id < $5)
              order by e.id desc limit $6::bigint + 1)
           ) e
           left join people p on p.id = e.actor_id
           order by e.id desc limit $6::bigint + 1"#,
        actor.id,
        admin,
        about.kind,
        about.key,
        after.map(|after| after.id),
        rows,
    )
    .fetch_all(backend.pool())
    .await?;
    let mut items = Vec::with_capacity(found.len());
    for row in found {
        let entry = Entry {
            at: row.at.to_jiff(),
            actor: row.email.zip(row.name).map(|(email, name)| PersonRef { email, name }),
            said: sentence(&row.verb, row.before.as_ref(), row.after.as_ref()),
            kind: row.subject_kind,
            key: row.subject_key,
            title: row.title,
        };
        items.push((Cursor { id: row.id }, entry));
    }
    Page::new(items, rows, |(cursor, _)| *cursor)?.try_map(|(_, entry)| Ok(entry))
}

#[cfg(test)]
mod tests {
    use domain::Role;

    use super::*;
    use crate::rfcs::create::{NewRfc, create};
    use crate::rfcs::status::{ChangeStatus, change_status};
    use crate::services::{self, ServiceInput};
    use crate::testing::{self, TestBackend, person};
    use crate::{Expected, Subject};

    async fn verbs(backend: &TestBackend, who: &Actor, about: &About) -> Vec<String> {
        let page = latest(backend, who, about).await.unwrap();
        let first = |entry: Entry| match entry.said.into_iter().next() {
            Some(Piece::Text(text)) => text.trim_end().to_owned(),
            _ => String::new(),
        };
        page.items.into_iter().map(first).collect()
    }

    #[tokio::test]
    async fn what_happens_in_a_draft_is_known_to_whoever_may_read_it() {
        let test = testing::backend().await;
        let ana = person(&test, "Ana", Role::Member, None).await;
        let (bob, root) =
            (person(&test, "Bob", Role::Lead, None).await, person(&test, "Root", Role::Admin, None).await);
        let new = NewRfc { title: "T".into(), kind: "slo".into(), body: "B".into(), services: vec![] };
        let number = create(&test, &ana, new).await.unwrap().number;
        for about in [About::new("rfc", number.to_string()), About::new("person", "ana@example.com"), About::default()]
        {
            assert_eq!(verbs(&test, &ana, &about).await, ["wrote the first draft"], "{about:?}");
            for other in [&bob, &root] {
                assert!(verbs(&test, other, &about).await.is_empty(), "{about:?}");
            }
        }
        let change = ChangeStatus { to: "in_review".into(), reason: None };
        change_status(&test, &ana, number, change).await.unwrap();
        let about = About::new("rfc", number.to_string());
        assert_eq!(verbs(&test, &bob, &about).await, ["published", "wrote the first draft"]);
        let entry = latest(&test, &bob, &about).await.unwrap().items.remove(0);
        assert_eq!((entry.title.as_deref(), entry.actor.map(|actor| actor.name)), (Some("T"), Some("Ana".into())));
    }

    #[tokio::test]
    async fn sign_ins_tokens_and_what_nobody_named_are_for_oneself_and_admins() {
        let test = testing::backend().await;
        let ana = person(&test, "Ana", Role::Member, None).await;
        let (bob, root) =
            (person(&test, "Bob", Role::Lead, None).await, person(&test, "Root", Role::Admin, None).await);
        let mut tx = test.begin(&ana).await.unwrap();
        for verb in ["person.signed_in", "token.created", "preference.changed", "person.role_changed"] {
            tx.event(verb, &Subject::person(&ana.email), None, None).await.unwrap();
        }
        tx.event("webhook.created", &Subject::webhook(1), None, None).await.unwrap();
        tx.commit(()).await.unwrap();
        let about = About::new("person", ana.email.clone());
        assert_eq!(verbs(&test, &ana, &about).await.len(), 4, "not the webhook: she is no admin");
        assert_eq!(verbs(&test, &bob, &about).await, ["changed the role"]);
        assert_eq!(verbs(&test, &root, &about).await.len(), 5);
        let mut narrow = root.clone();
        narrow.scopes = domain::Scopes::from_words(["read"]);
        assert_eq!(verbs(&test, &narrow, &about).await, ["changed the role"]);
    }

    #[tokio::test]
    async fn a_renamed_service_keeps_its_history_and_pages_follow_one_another() {
        let test = testing::backend().await;
        let sre = person(&test, "Sam", Role::Sre, None).await;
        let input = ServiceInput { name: "Tides".into(), tier: 3, ..ServiceInput::default() };
        services::put(&test, &sre, "tides", Expected::Absent, input).await.unwrap();
        services::rename(&test, &sre, "tides", "moon").await.unwrap();
        services::archive(&test, &sre, "moon").await.unwrap();
        let about = About::new("service", "moon");
        assert_eq!(verbs(&test, &sre, &about).await, ["archived", "renamed", "added"]);
        let (mut seen, mut cursor) = (0, None);
        loop {
            let page = list(&test, &sre, &about, &PageRequest { limit: Some(1), cursor }).await.unwrap();
            seen += page.items.len();
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, 3);
        assert!(verbs(&test, &sre, &About::new("\0", "\0")).await.is_empty());
    }
}
