//! What is found, in which order, and by whom.

use std::fmt::Write as _;

use domain::{Actor, Role};

use super::*;
use crate::follow_ups::write::{self, NewFollowUp};
use crate::incidents::{self, IncidentInput};
use crate::rfcs::create::{NewRfc, create};
use crate::rfcs::revisions::{NewRevision, publish_revision};
use crate::rfcs::status::{self, ChangeStatus, change_status};
use crate::rfcs::threads::{NewThread, open};
use crate::rfcs::update::{UpdateRfc, update};
use crate::rfcs::{comments, threads};
use crate::services::{self, ServiceInput};
use crate::testing::{self, TestBackend, person};
use crate::version::Expected;

struct Cast {
    backend: TestBackend,
    author: Actor,
    reader: Actor,
}

impl Cast {
    async fn new() -> Self {
        let backend = testing::backend().await;
        let author = person(&backend, "Ana Author", Role::Member, Some("core")).await;
        let reader = person(&backend, "Zoë Reader", Role::Reader, None).await;
        Self { backend, author, reader }
    }

    async fn draft(&self, title: &str, body: &str) -> i64 {
        let new = NewRfc { title: title.into(), kind: "slo".into(), body: body.into(), services: vec![] };
        create(&self.backend, &self.author, new).await.unwrap().number
    }

    async fn rfc(&self, title: &str, body: &str) -> i64 {
        let number = self.draft(title, body).await;
        let change = ChangeStatus { to: "in_review".into(), reason: None };
        change_status(&self.backend, &self.author, number, change).await.unwrap();
        number
    }

    async fn comment(&self, number: i64, body: &str) -> threads::Opened {
        let new = NewThread { revision: 1, start: None, end: None, body: body.into(), severity: "note".into() };
        open(&self.backend, &self.author, number, new).await.unwrap()
    }

    async fn find(&self, who: &Actor, q: &str) -> Found {
        let wanted = Wanted { q: q.into(), kind: None };
        search(&self.backend, who, &wanted, &PageRequest::default()).await.unwrap()
    }

    /// `kind key` of everything found.
    async fn keys(&self, q: &str) -> Vec<String> {
        let found = self.find(&self.reader, q).await;
        found.page.items.iter().map(|hit| format!("{} {}", hit.kind, hit.key)).collect()
    }
}

fn shown(parts: &[Part]) -> String {
    parts.iter().map(|part| if part.found { format!("[{}]", part.text) } else { part.text.clone() }).collect()
}

#[tokio::test]
async fn every_kind_is_found_by_its_names_and_its_text() {
    let cast = Cast::new().await;
    let number = cast.rfc("Shard the ledger", "We move accounts to *shards* before launch day.").await;
    let comment = cast.comment(number, "What about the zeppelin?").await.comment_id;
    let input = ServiceInput {
        name: "Checkout".into(),
        tier: 1,
        team: Some("core".into()),
        description: "Takes the money.".into(),
        labels: vec!["pci".into()],
        ..ServiceInput::default()
    };
    services::put(&cast.backend, &cast.author, "checkout-api", Expected::Absent, input).await.unwrap();
    let input = IncidentInput {
        title: "Kiosk outage at the pier".into(),
        incident_type: "capacity".into(),
        severity: 2,
        started_at: cast.backend.now(),
        summary: "The gangway stood still.".into(),
        source: "pager".into(),
        external_id: Some("INC-77".into()),
        ..IncidentInput::default()
    };
    let incident = incidents::record(&cast.backend, &cast.author, input).await.unwrap().id;
    let promised = NewFollowUp {
        title: "Grease the turntable".into(),
        owner: cast.author.email.clone(),
        due: "2026-12-24".into(),
        source: None,
    };
    let follow_up = write::create(&cast.backend, &cast.author, promised).await.unwrap().id;
    let rfc = format!("rfc {number}");
    for (q, expected) in [
        ("Shard the ledger", vec![rfc.clone()]),
        ("shard-the-ledger", vec![rfc.clone()]),
        ("LEDGER", vec![rfc.clone()]),
        ("account", vec![rfc.clone()]),
        ("moving accounts", vec![rfc.clone()]),
        ("laun", vec![rfc.clone()]),
        ("legder", vec![rfc.clone()]),
        ("edge", vec![rfc.clone()]),
        ("zeppelins", vec![format!("comment {comment}")]),
        ("checkout-api", vec!["service checkout-api".into()]),
        ("chekout", vec!["service checkout-api".into()]),
        ("money pci", vec!["service checkout-api".into()]),
        ("core", vec!["team core".into()]),
        ("zoe", vec!["person zoë@example.com".into()]),
        ("Zoë Reader", vec!["person zoë@example.com".into()]),
        ("ana@example.com", vec!["person ana@example.com".into()]),
        ("gangway", vec![format!("incident {incident}")]),
        ("inc-77", vec![format!("incident {incident}")]),
        ("turntables", vec![format!("follow_up {follow_up}")]),
        ("quizzical", vec![]),
        ("'; drop table rfcs; -- \\ & | ! :*", vec![]),
        ("& | !", vec![]),
        ("\0", vec![]),
    ] {
        assert_eq!(cast.keys(q).await, expected, "{q}");
    }
    let found = cast.find(&cast.reader, "accounts launch").await;
    assert_eq!(shown(&found.page.items[0].snippet), "We move [accounts] to shards before [launch] day.");
    assert_eq!(found.page.items[0].rfc.as_ref().unwrap().number, number);
    let found = cast.find(&cast.reader, "zeppelin").await;
    assert_eq!(shown(&found.page.items[0].snippet), "What about the [zeppelin]?");
    assert_eq!(found.page.items[0].by.as_ref().unwrap().name, "Ana Author");
    assert_eq!(found.page.items[0].rfc.as_ref().unwrap().title, "Shard the ledger");
}

#[tokio::test]
async fn exact_names_come_before_titles_before_texts() {
    let cast = Cast::new().await;
    let text = cast.rfc("Something else", "All about the failover of databases.").await;
    let title = cast.rfc("Failover of the ledger", "Nothing.").await;
    let exact = cast.rfc("Failover", "Nothing.").await;
    let order = [exact, title, text].map(|number| format!("rfc {number}"));
    assert_eq!(cast.keys("failover").await, order);
    assert_eq!(cast.keys(&format!("RFC-{title}")).await[0], format!("rfc {title}"));
    assert_eq!(cast.keys(&format!("#{text}")).await[0], format!("rfc {text}"));
    let found = cast.find(&cast.reader, "failover").await;
    assert_eq!((found.total(), found.similar), (3, false));
    assert_eq!(shown(&found.page.items[1].title), "[Failover] of the ledger");
}

#[tokio::test]
async fn a_draft_and_its_comments_are_found_by_whoever_may_read_it() {
    let cast = Cast::new().await;
    let admin = person(&cast.backend, "Root", Role::Admin, None).await;
    let number = cast.draft("Secret zeppelin", "A hangar.").await;
    cast.comment(number, "Which hangar?").await;
    for q in ["zeppelin", "hangar", "zeppelni", &number.to_string()] {
        for who in [&cast.reader, &admin] {
            let found = cast.find(who, q).await;
            assert!(found.page.items.is_empty() && found.kinds.is_empty(), "{q}");
        }
        assert!(cast.find(&cast.author, q).await.total() > 0, "{q}");
    }
    assert_eq!(cast.find(&cast.author, "hangar").await.kinds, [(Kind::Rfc, 1), (Kind::Comment, 1)]);
    let shared = UpdateRfc { shared_with: Some(vec![cast.reader.email.clone()]), ..UpdateRfc::default() };
    update(&cast.backend, &cast.author, number, Expected::Any, shared).await.unwrap();
    assert_eq!(cast.find(&cast.reader, "hangar").await.total(), 2);
    status::delete(&cast.backend, &cast.author, number, Expected::Any).await.unwrap();
    assert!(cast.keys("hangar").await.is_empty());
}

#[tokio::test]
async fn what_is_found_is_what_is_there_now() {
    let cast = Cast::new().await;
    let number = cast.rfc("Shard the ledger", "The first text.").await;
    let opened = cast.comment(number, "A zeppelin.").await;
    let new = NewRevision { body: "The second wording.".into(), base_revision: 1, ..NewRevision::default() };
    publish_revision(&cast.backend, &cast.author, number, new).await.unwrap();
    assert!(cast.keys("first").await.is_empty());
    assert_eq!(cast.keys("wording").await.len(), 1);
    let renamed = UpdateRfc { title: Some("Split the journal".into()), ..UpdateRfc::default() };
    update(&cast.backend, &cast.author, number, Expected::Any, renamed).await.unwrap();
    assert_eq!(cast.keys("journal").await, [format!("rfc {number}")]);
    comments::edit(&cast.backend, &cast.author, &opened.comment_id, Expected::Version(1), "A balloon.").await.unwrap();
    assert!(cast.keys("zeppelin").await.is_empty());
    assert_eq!(cast.keys("balloon").await.len(), 1);
    comments::delete(&cast.backend, &cast.author, &opened.comment_id, Expected::Version(2)).await.unwrap();
    assert!(cast.keys("balloon").await.is_empty());
    let input = ServiceInput { name: "Tides".into(), tier: 3, team: Some("core".into()), ..ServiceInput::default() };
    services::put(&cast.backend, &cast.author, "tides", Expected::Absent, input).await.unwrap();
    services::rename(&cast.backend, &cast.author, "tides", "moon").await.unwrap();
    services::archive(&cast.backend, &cast.author, "moon").await.unwrap();
    assert_eq!(cast.keys("moon").await, ["service moon"]);
    assert!(cast.find(&cast.reader, "moon").await.page.items[0].archived);
}

#[tokio::test]
async fn pages_follow_one_another_and_kinds_are_counted_over_all_of_them() {
    let cast = Cast::new().await;
    let number = cast.rfc("Hangar", "A hangar.").await;
    for index in 0..7 {
        cast.backend.clock.advance(jiff::SignedDuration::from_secs(60));
        cast.comment(number, &format!("Hangar {index}.")).await;
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let wanted = Wanted { q: "hangar".into(), kind: None };
        let page = PageRequest { limit: Some(3), cursor };
        let found = search(&cast.backend, &cast.reader, &wanted, &page).await.unwrap();
        assert_eq!(found.kinds, [(Kind::Rfc, 1), (Kind::Comment, 7)]);
        seen.extend(found.page.items.into_iter().map(|hit| (hit.kind, hit.key)));
        cursor = found.page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 8);
    assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 8);
    let wanted = Wanted { q: "hangar".into(), kind: Some("rfc".into()) };
    let found = search(&cast.backend, &cast.reader, &wanted, &PageRequest::default()).await.unwrap();
    assert_eq!((found.page.items.len(), found.total()), (1, 8));
    for (q, kind) in [("", None), ("  ", None), ("x", Some("zeppelin"))] {
        let wanted = Wanted { q: q.into(), kind: kind.map(Into::into) };
        assert!(search(&cast.backend, &cast.reader, &wanted, &PageRequest::default()).await.is_err(), "{q} {kind:?}");
    }
    let long = Wanted { q: "x".repeat(limits::SEARCH_CHARS + 1), kind: None };
    assert!(search(&cast.backend, &cast.reader, &long, &PageRequest::default()).await.is_err());
}

#[tokio::test]
async fn a_text_with_more_words_than_the_index_holds_is_saved_and_found_by_its_beginning() {
    let cast = Cast::new().await;
    let mut body = "beginning".to_owned();
    for number in 0..12_000 {
        write!(body, " \u{10400}{number}-\u{10401}{number}").unwrap();
    }
    let number = cast.rfc("Many words", &body).await;
    assert_eq!(cast.keys("beginning").await, [format!("rfc {number}")]);
}

#[tokio::test]
async fn what_was_there_before_search_is_found_too() {
    let cast = Cast::new().await;
    let number = cast.rfc("Shard the ledger", "A zeppelin.").await;
    let mut owner = testing::owner(&cast.backend).await;
    let migration = include_str!("../../../../migrations/20261124000200_search.sql");
    let filled = migration.split_once("-- What exists already.").unwrap().1.split_once("-- The list").unwrap().0;
    sqlx::Executor::execute(&mut owner, "delete from search_documents").await.unwrap();
    assert!(cast.keys("zeppelin").await.is_empty());
    sqlx::Executor::execute(&mut owner, filled).await.unwrap();
    assert_eq!(cast.keys("zeppelin").await, [format!("rfc {number}")]);
    assert_eq!(cast.keys("ana").await, ["person ana@example.com"]);
}
