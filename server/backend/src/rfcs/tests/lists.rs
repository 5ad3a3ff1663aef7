//! The list of RFCs and the first page after signing in.

use super::*;
use crate::page::PageRequest;
use crate::rfcs::comments::reply;
use crate::rfcs::home::{ROWS, WaitingReason, home};
use crate::rfcs::list::{Filter, list};
use crate::rfcs::threads::resolve;
use crate::rfcs::update::{UpdateRfc, update};

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
        ("100", vec![one]),
        ("1_0 %", vec![]),
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
}

#[tokio::test]
async fn no_rfc_is_skipped_when_something_happens_while_the_list_is_paged() {
    let cast = cast().await;
    for _ in 0..4 {
        published(&cast, "x").await;
    }
    let page = async |cursor| {
        let request = PageRequest { limit: Some(2), cursor };
        let page = list(&cast.backend, &cast.sre, Filter::default(), &request).await.unwrap();
        (page.items.iter().map(|listed| listed.number).collect::<Vec<_>>(), page.next_cursor)
    };
    let (first, cursor) = page(None).await;
    assert_eq!(first, [4, 3]);
    threads::open(&cast.backend, &cast.sre, 1, whole("x")).await.unwrap();
    assert_eq!(page(cursor).await, (vec![2, 1], None));
    assert_eq!(page(None).await.0, [1, 4]);
}

#[tokio::test]
async fn threads_are_paged_in_one_revision_however_long_their_quotes_are() {
    let cast = cast().await;
    let body = format!("# Title\n\n{}\n", "é".repeat(250_000));
    let number = published(&cast, &body).await;
    let long = NewThread { start: Some(9), end: Some(500_009), ..whole("x") };
    for new in [whole("x"), whole("x"), long.clone(), long.clone(), long.clone(), long.clone(), long, whole("x")] {
        threads::open(&cast.backend, &cast.sre, number, new).await.unwrap();
    }
    let page = async |revision, limit, cursor| {
        threads::page(&cast.backend, &cast.sre, number, revision, &PageRequest { limit, cursor }).await
    };
    let ids =
        |page: &crate::Page<Thread>| page.items.iter().map(|thread| thread.id.parse().unwrap()).collect::<Vec<u8>>();
    let first = page(None, Some(2), None).await.unwrap();
    assert_eq!(ids(&first), [1, 2]);
    // A revision that comes meanwhile does not matter: all pages show the one of the first.
    revise(&cast, number, &format!("Above.\n\n{body}")).await;
    let rest = page(None, None, first.next_cursor.clone()).await.unwrap();
    assert_eq!(ids(&rest), [3, 4, 5, 6, 7], "ends when it gets heavy");
    assert!(rest.items.iter().all(|thread| thread.quote.len() == 500_000));
    assert!(rest.items.iter().all(|thread| thread.anchor.as_ref().unwrap().revision == 1));
    let last = page(None, Some(1), rest.next_cursor).await.unwrap();
    assert_eq!((ids(&last), last.next_cursor), (vec![8], None));
    // A page for people shows the beginning of a long quote.
    let shown = threads::list(&cast.backend, &cast.sre, number, None).await.unwrap().items;
    assert_eq!(shown[0].quote, "é".repeat(2000));
    assert_eq!(seen(&cast, &shown[0].id).await.quote.len(), 500_000);
    for cursor in ["nonsense", "MTA"] {
        assert_eq!(status(page(None, None, Some(cursor.into())).await), 422);
    }
    assert_eq!(status(page(Some(2), None, first.next_cursor).await), 422);
    assert_eq!(status(page(Some(3), None, None).await), 422);
}

#[tokio::test]
async fn a_service_is_found_by_its_former_names() {
    let cast = cast().await;
    service(&cast.backend, "ledger", None).await;
    let by_old = |slugs: &[&str]| NewRfc { services: slugs.iter().map(|&slug| slug.into()).collect(), ..text("x") };
    crate::services::rename(&cast.backend, &cast.sre, "ledger", "accounts").await.unwrap();
    let number = create(&cast.backend, &cast.author, by_old(&["ledger", "accounts"])).await.unwrap().number;
    let services = async || {
        let rfc = crate::rfcs::read::read(&cast.backend, &cast.author, number, None).await.unwrap();
        rfc.services.into_iter().map(|service| service.slug).collect::<Vec<_>>()
    };
    assert_eq!(services().await, ["accounts"]);
    for name in ["ledger", "accounts"] {
        let filter = Filter { service: Some(name.into()), ..Filter::default() };
        assert_eq!(numbers(&cast, &cast.author, filter).await, [number]);
        let change = UpdateRfc { services: Some(vec![name.into()]), ..UpdateRfc::default() };
        update(&cast.backend, &cast.author, number, crate::Expected::Any, change).await.unwrap();
        assert_eq!(services().await, ["accounts"]);
    }
    let refused = refusal(create(&cast.backend, &cast.author, by_old(&["ledger", "books"])).await);
    assert!(refused.message_for("services").unwrap().contains("\"books\""), "{refused}");
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
