//! The list of RFCs and the first page after signing in.

use super::*;
use crate::page::PageRequest;
use crate::rfcs::comments::reply;
use crate::rfcs::home::{ROWS, WaitingReason, home};
use crate::rfcs::list::{Filter, list};
use crate::rfcs::threads::resolve;

async fn numbers(cast: &Cast, actor: &Actor, filter: Filter) -> Vec<i64> {
    let page = list(&cast.backend, actor, filter, &PageRequest::default()).await.unwrap();
    page.items.iter().map(|listed| listed.number).collect()
}

fn q(words: &str) -> Filter {
    Filter { q: Some(words.into()), ..Filter::default() }
}

#[tokio::test]
async fn the_list_is_filtered_and_shows_what_happened_last_first() {
    let cast = cast().await;
    service(&cast.backend, "ledger", Some("payments")).await;
    let with_service = NewRfc {
        title: "100 % of traffic_x".into(),
        kind: "launch".into(),
        body: "A body with Straße and \\backslash".into(),
        services: vec!["ledger".into()],
    };
    let one = create(&cast.backend, &cast.author, with_service).await.unwrap().number;
    to(&cast, &cast.author, one, "in_review").await.unwrap();
    let two = published(&cast, "The second body").await;
    let three = create(&cast.backend, &cast.reviewer, text("third, a draft")).await.unwrap().number;

    assert_eq!(numbers(&cast, &cast.sre, Filter::default()).await, [two, one]);
    assert_eq!(numbers(&cast, &cast.reviewer, Filter::default()).await, [three, two, one]);
    for (words, found) in [
        ("SECOND BODY", vec![two]),
        ("body sec", vec![two]),
        ("'second", vec![two]),
        ("second':* | 'body", vec![two]),
        ("straße", vec![one]),
        ("100 %", vec![one]),
        ("10_ %", vec![]),
        ("%", vec![one]),
        ("!", vec![]),
        ("traffic_", vec![one]),
        ("\\backslash", vec![one]),
        ("third", vec![]),
        ("'; drop table rfcs; --", vec![]),
        ("\0", vec![]),
        ("  ", vec![two, one]),
    ] {
        assert_eq!(numbers(&cast, &cast.sre, q(words)).await, found, "{words:?}");
    }
    revise(&cast, two, "Other words").await;
    assert_eq!(numbers(&cast, &cast.sre, q("second body")).await, [] as [i64; 0], "only the newest text counts");
    let by = |filter| numbers(&cast, &cast.reviewer, filter);
    let some = |word: &str| Some(word.to_owned());
    assert_eq!(by(Filter { status: some("draft"), ..Filter::default() }).await, [three]);
    assert_eq!(by(Filter { kind: some("launch"), ..Filter::default() }).await, [one]);
    assert_eq!(by(Filter { service: some("ledger"), ..Filter::default() }).await, [one]);
    assert_eq!(by(Filter { service: some("nope\0"), ..Filter::default() }).await, [] as [i64; 0]);
    assert_eq!(by(Filter { author: some("RUI@example.com"), ..Filter::default() }).await, [three]);
    let wrong = Filter { status: some("x"), kind: some("y"), q: Some("x".repeat(201)), ..Filter::default() };
    let refused = refusal(list(&cast.backend, &cast.sre, wrong, &PageRequest::default()).await);
    for field in ["status", "kind", "q"] {
        assert!(refused.message_for(field).is_some(), "{refused:?}");
    }
    assert_eq!(numbers(&cast, &cast.sre, q(&"🧊-".repeat(100))).await, [] as [i64; 0]);

    // A comment brings an RFC to the top.
    let blocking = NewThread { severity: "blocking".into(), ..whole("x") };
    threads::open(&cast.backend, &cast.sre, one, blocking).await.unwrap();
    let done = threads::open(&cast.backend, &cast.sre, one, whole("x")).await.unwrap();
    resolve(&cast.backend, &cast.sre, &done.id).await.unwrap();
    let page = list(&cast.backend, &cast.sre, Filter::default(), &PageRequest::default()).await.unwrap();
    let first = &page.items[0];
    assert_eq!((first.number, first.open_threads, first.blocking_threads), (one, 1, 1));
    assert_eq!((first.authors[0].name.as_str(), first.services[0].slug.as_str()), ("Ana Author", "ledger"));
}

#[tokio::test]
async fn pages_of_the_list_join_without_gap_or_repetition() {
    let cast = cast().await;
    for _ in 0..5 {
        published(&cast, "x").await;
    }
    let mut found = Vec::new();
    let mut cursor = None;
    loop {
        let request = PageRequest { limit: Some(2), cursor };
        let page = list(&cast.backend, &cast.sre, Filter::default(), &request).await.unwrap();
        assert!(page.items.len() <= 2);
        found.extend(page.items.iter().map(|listed| listed.number));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, [5, 4, 3, 2, 1]);
    let broken = PageRequest { limit: None, cursor: Some("nonsense".into()) };
    assert_eq!(status(list(&cast.backend, &cast.sre, Filter::default(), &broken).await), 422);

    for _ in 0..3 {
        threads::open(&cast.backend, &cast.sre, 1, whole("x")).await.unwrap();
    }
    let all = || threads::list(&cast.backend, &cast.sre, 1, None);
    let first = all().await.unwrap().page(&PageRequest { limit: Some(2), cursor: None }).unwrap();
    let rest = all().await.unwrap().page(&PageRequest { limit: Some(2), cursor: first.next_cursor }).unwrap();
    assert_eq!((first.items.len(), rest.items.len(), rest.next_cursor), (2, 1, None));
}

#[tokio::test]
async fn home_shows_what_waits_for_a_person_and_why() {
    let cast = cast().await;
    service(&cast.backend, "ledger", Some("payments")).await;
    service(&cast.backend, "index", Some("search")).await;
    let new = NewRfc { services: vec!["ledger".into(), "index".into()], ..text("x") };
    let number = create(&cast.backend, &cast.author, new).await.unwrap().number;
    let drafts = home(&cast.backend, &cast.author, false).await.unwrap().drafts;
    assert_eq!((drafts[0].number, drafts[0].author), (number, true));
    to(&cast, &cast.author, number, "in_review").await.unwrap();

    let thread = threads::open(&cast.backend, &cast.reviewer, number, whole("Why **now**?")).await.unwrap().id;
    let waiting = |actor| {
        let backend = &cast.backend;
        async move { home(backend, actor, false).await.unwrap().waiting }
    };
    let mine = waiting(&cast.author).await;
    assert_eq!((mine[0].thread.as_str(), mine[0].reason), (thread.as_str(), WaitingReason::Author));
    assert_eq!((mine[0].last_by.name.as_str(), mine[0].excerpt.as_str()), ("Rui Reviewer", "Why **now**?"));
    assert_eq!(waiting(&cast.reviewer).await, []);
    reply(&cast.backend, &cast.author, &thread, "Because").await.unwrap();
    assert_eq!(waiting(&cast.author).await, []);
    assert_eq!(waiting(&cast.reviewer).await[0].reason, WaitingReason::TookPart);
    assert_eq!(waiting(&cast.sre).await, []);
    resolve(&cast.backend, &cast.author, &thread).await.unwrap();
    assert_eq!(waiting(&cast.reviewer).await, []);

    let others = home(&cast.backend, &cast.reviewer, false).await.unwrap();
    assert_eq!((others.touching[0].number, others.touching[0].services.len()), (number, 1));
    assert_eq!((others.services[0].service.slug.as_str(), others.services[0].open_rfcs), ("index", 1));
    assert!(home(&cast.backend, &cast.author, false).await.unwrap().touching.is_empty(), "one's own is not news");
}

#[tokio::test]
async fn home_counts_what_waits_beyond_what_it_shows() {
    let cast = cast().await;
    let number = published(&cast, "x").await;
    let many = usize::try_from(ROWS).unwrap() + 1;
    for _ in 0..many {
        threads::open(&cast.backend, &cast.reviewer, number, whole("Why?")).await.unwrap();
    }
    let some = home(&cast.backend, &cast.author, false).await.unwrap();
    assert_eq!((some.waiting.len() + 1, some.waiting_count), (many, ROWS + 1));
    assert_eq!(home(&cast.backend, &cast.author, true).await.unwrap().waiting.len(), many);
}
