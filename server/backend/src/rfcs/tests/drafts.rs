//! First saves, drafts and who sees them, changes of what is not text, statuses.

use domain::rfc::Status;
use domain::{Role, limits};

use super::*;
use crate::page::PageRequest;
use crate::rfcs::read::read;
use crate::rfcs::update::{UpdateRfc, update};
use crate::rfcs::{comments, home, list, revisions, status as statuses};
use crate::{Expected, testing};

#[tokio::test]
async fn the_first_save_gives_a_number_and_a_slug_of_its_own() {
    let cast = cast().await;
    service(&cast.backend, "ledger", Some("payments")).await;
    let new = NewRfc { services: vec!["ledger".into(), "ledger".into()], ..text("# A\n") };
    let first = create(&cast.backend, &cast.author, new).await.unwrap();
    assert_eq!((first.number, first.slug.as_str(), first.status), (1, "shard-the-ledger", Status::Draft));
    let second = draft(&cast, "b").await;
    let third = draft(&cast, "c").await;
    assert_eq!((second.number, second.slug.as_str()), (2, "shard-the-ledger-2"));
    assert_eq!((third.number, third.slug.as_str()), (3, "shard-the-ledger-3"));
    let rfc = read(&cast.backend, &cast.author, 1, None).await.unwrap();
    assert_eq!(rfc.services.len(), 1);
    assert_eq!(rfc.authors[0].email, "ana@example.com");
    assert!(rfc.may.edit && rfc.may.revise && rfc.may.delete && rfc.may.comment);
    assert_eq!(events(&cast.backend, 1).await, ["rfc.created"]);
}

#[tokio::test]
async fn bodies_are_kept_byte_for_byte() {
    let cast = cast().await;
    for (sent, kept) in [
        ("  leading\n\ntrailing \n\n", "  leading\n\ntrailing \n\n"),
        ("no newline at the end", "no newline at the end"),
        ("\r\nwindows\r\nlines\r", "\nwindows\nlines\r"),
        ("\u{feff}mark, 🧊 and שלום\u{202e}\u{7f}", "\u{feff}mark, 🧊 and שלום\u{202e}\u{7f}"),
        ("<script>alert(1)</script>' \" \\ $1 %", "<script>alert(1)</script>' \" \\ $1 %"),
    ] {
        let number = draft(&cast, sent).await.number;
        assert_eq!(read(&cast.backend, &cast.author, number, None).await.unwrap().body, kept);
    }
    let longest = "é".repeat(limits::RFC_BODY_BYTES / 2);
    let number = draft(&cast, &longest).await.number;
    assert_eq!(read(&cast.backend, &cast.author, number, None).await.unwrap().body, longest);
}

#[tokio::test]
async fn bad_input_is_refused_and_leaves_nothing() {
    let cast = cast().await;
    let try_it = |new: NewRfc| create(&cast.backend, &cast.author, new);
    assert_eq!(status(try_it(text(&"x".repeat(limits::RFC_BODY_BYTES + 1))).await), 413);
    assert_eq!(status(try_it(text("nul\0")).await), 422);
    assert_eq!(status(try_it(text(" \n")).await), 422);
    let wrong = NewRfc {
        title: "two\nlines".into(),
        kind: "poem".into(),
        body: "x".into(),
        services: vec!["nope".into(), "nul\0".into()],
    };
    let refused = refusal(try_it(wrong).await);
    assert!(refused.message_for("title").is_some() && refused.message_for("kind").is_some());
    assert!(refused.message_for("services").unwrap().contains("\"nope\""));
    assert_eq!(status(try_it(NewRfc { services: vec!["a".into(); 101], ..text("x") }).await), 422);
    let reader = testing::person(&cast.backend, "Rea Der", Role::Reader, None).await;
    assert_eq!(status(create(&cast.backend, &reader, text("x")).await), 403);
    // No number was used up.
    assert_eq!(draft(&cast, "x").await.number, 1);
}

#[tokio::test]
async fn a_draft_does_not_exist_for_others() {
    let cast = cast().await;
    let admin = testing::person(&cast.backend, "Ada Admin", Role::Admin, None).await;
    let number = draft(&cast, "secret text").await.number;
    let opened = threads::open(&cast.backend, &cast.author, number, whole("secret")).await.unwrap();
    let (backend, thread, comment) = (&cast.backend, opened.id.as_str(), opened.comment_id.as_str());
    let change = UpdateRfc { title: Some("mine".into()), ..UpdateRfc::default() };
    for other in [&cast.reviewer, &admin] {
        assert_eq!(status(read(backend, other, number, None).await), 404);
        assert_eq!(status(revisions::list(backend, other, number, &PageRequest::default()).await), 404);
        assert_eq!(status(revisions::get(backend, other, number, 1).await), 404);
        assert_eq!(status(threads::list(backend, other, number, None).await), 404);
        assert_eq!(status(threads::open(backend, other, number, whole("x")).await), 404);
        assert_eq!(status(update(backend, other, number, Expected::Any, change.clone()).await), 404);
        assert_eq!(status(statuses::delete(backend, other, number, Expected::Any).await), 404);
        assert_eq!(status(to(&cast, other, number, "in_review").await), 404);
        let new = revisions::NewRevision { body: "x".into(), base_revision: 1, ..Default::default() };
        assert_eq!(status(revisions::publish_revision(backend, other, number, new).await), 404);
        // What is in it is hidden just as what is not there: the same words.
        let nowhere = refusal(threads::get(backend, other, "987654").await);
        assert_eq!(refusal(threads::get(backend, other, thread).await), nowhere);
        assert_eq!(refusal(threads::resolve(backend, other, thread).await), nowhere);
        assert_eq!(refusal(comments::reply(backend, other, thread, "x").await), nowhere);
        let to = threads::Reattach { revision: 1, start: Some(0), end: Some(1) };
        assert_eq!(refusal(threads::reattach(backend, other, thread, to).await), nowhere);
        let nowhere = refusal(comments::get(backend, other, "987654").await);
        assert_eq!(refusal(comments::get(backend, other, comment).await), nowhere);
        assert_eq!(refusal(comments::history(backend, other, comment).await), nowhere);
        assert_eq!(refusal(comments::edit(backend, other, comment, Expected::Any, "x").await), nowhere);
        assert_eq!(refusal(comments::delete(backend, other, comment, Expected::Any).await), nowhere);
        let filter = list::Filter { q: Some("secret".into()), ..Default::default() };
        let listed = list::list(backend, other, filter, &PageRequest::default()).await.unwrap();
        assert!(listed.items.is_empty());
        assert_eq!(home::home(backend, other, false).await.unwrap(), home::Home::default());
    }
    let share = UpdateRfc { shared_with: Some(vec!["RUI@example.com".into()]), ..UpdateRfc::default() };
    update(backend, &cast.author, number, Expected::Any, share).await.unwrap();
    assert!(!read(backend, &cast.reviewer, number, None).await.unwrap().may.edit);
    assert_eq!(threads::list(backend, &cast.reviewer, number, None).await.unwrap().items.len(), 1);
    assert_eq!(home::home(backend, &cast.reviewer, false).await.unwrap().drafts.len(), 1);
    comments::reply(backend, &cast.reviewer, thread, "I may").await.unwrap();
    assert_eq!(status(read(backend, &admin, number, None).await), 404);
}

#[tokio::test]
async fn changes_need_the_newest_version() {
    let cast = cast().await;
    service(&cast.backend, "ledger", None).await;
    let number = published(&cast, "x").await;
    let backend = &cast.backend;
    let version = read(backend, &cast.author, number, None).await.unwrap().version;
    assert_eq!(version, 2);
    let change = UpdateRfc {
        title: Some(" Shard it ".into()),
        kind: Some("slo".into()),
        services: Some(vec!["ledger".into()]),
        authors: Some(vec!["ana@example.com".into(), "sam@example.com".into()]),
        shared_with: None,
    };
    let attempt = |expected| update(backend, &cast.author, number, expected, change.clone());
    assert_eq!(status(attempt(Expected::Unstated).await), 428);
    assert_eq!(status(attempt(Expected::Version(1)).await), 412);
    assert_eq!(attempt(Expected::Version(2)).await.unwrap().version, 3);
    assert_eq!(status(attempt(Expected::Version(2)).await), 412);
    let rfc = read(backend, &cast.sre, number, None).await.unwrap();
    assert_eq!((rfc.title.as_str(), rfc.authors.len(), rfc.services.len()), ("Shard it", 2, 1));
    assert_eq!(rfc.slug, "shard-the-ledger");
    assert!(rfc.may.edit);
    let others = update(backend, &cast.reviewer, number, Expected::Version(3), change.clone()).await;
    assert_eq!(status(others), 403);
    for (change, field) in [
        (UpdateRfc { authors: Some(vec![]), ..Default::default() }, "authors"),
        (UpdateRfc { authors: Some(vec!["who@example.com".into()]), ..Default::default() }, "authors"),
        (UpdateRfc { shared_with: Some(vec!["nul\0".into()]), ..Default::default() }, "shared_with"),
        (UpdateRfc { title: Some(String::new()), ..Default::default() }, "title"),
        (UpdateRfc { services: Some(vec!["nope".into()]), ..Default::default() }, "services"),
    ] {
        let refused = refusal(update(backend, &cast.author, number, Expected::Version(3), change).await);
        assert!(refused.message_for(field).is_some(), "{refused:?}");
    }
    assert_eq!(read(backend, &cast.sre, number, None).await.unwrap().version, 3);
}

#[tokio::test]
async fn only_a_draft_is_deleted_and_its_number_stays_used() {
    let cast = cast().await;
    let number = draft(&cast, "x").await.number;
    revise(&cast, number, "y").await;
    let opened = threads::open(&cast.backend, &cast.author, number, whole("x")).await.unwrap();
    comments::edit(&cast.backend, &cast.author, &opened.comment_id, Expected::Any, "y").await.unwrap();
    assert_eq!(status(statuses::delete(&cast.backend, &cast.author, number, Expected::Version(1)).await), 412);
    statuses::delete(&cast.backend, &cast.author, number, Expected::Version(2)).await.unwrap();
    assert_eq!(status(read(&cast.backend, &cast.author, number, None).await), 404);
    assert_eq!(status(threads::get(&cast.backend, &cast.author, &opened.id).await), 404);
    assert_eq!(events(&cast.backend, number).await.last().unwrap(), "rfc.deleted");
    let next = published(&cast, "x").await;
    assert_eq!(next, number + 1);
    assert_eq!(status(statuses::delete(&cast.backend, &cast.author, next, Expected::Any).await), 409);
}

#[tokio::test]
async fn a_status_changes_only_as_it_may() {
    let cast = cast().await;
    let number = draft(&cast, "x").await.number;
    assert_eq!(status(to(&cast, &cast.author, number, "withdrawn").await), 409);
    assert_eq!(status(to(&cast, &cast.author, number, "perfect").await), 422);
    to(&cast, &cast.author, number, "in_review").await.unwrap();
    let rfc = read(&cast.backend, &cast.reviewer, number, None).await.unwrap();
    assert_eq!((rfc.status, rfc.published_at.is_some()), (Status::InReview, true));
    assert_eq!(status(to(&cast, &cast.reviewer, number, "withdrawn").await), 403);
    let refused = refusal(to(&cast, &cast.author, number, "accepted").await);
    assert!(refused.status() == 409 && refused.to_string().contains("withdrawn"), "{refused}");
    assert_eq!(status(to(&cast, &cast.author, number, "draft").await), 409);
    let change = ChangeStatus { to: "withdrawn".into(), reason: Some("No longer\r\nneeded".into()) };
    change_status(&cast.backend, &cast.author, number, change).await.unwrap();
    assert_eq!(events(&cast.backend, number).await, ["rfc.created", "rfc.published", "rfc.withdrawn"]);
    let seen = read(&cast.backend, &cast.reviewer, number, None).await.unwrap().status_change.unwrap();
    assert_eq!((seen.by.name.as_str(), seen.reason.as_str()), ("Ana Author", "No longer\nneeded"));
    let reasons = sqlx::query_scalar!("select reason from rfc_status_changes order by id");
    assert_eq!(reasons.fetch_all(cast.backend.pool()).await.unwrap(), ["", "No longer\nneeded"]);
    // Threads go on in every status; revisions do not.
    threads::open(&cast.backend, &cast.reviewer, number, whole("why?")).await.unwrap();
    let new = revisions::NewRevision { body: "y".into(), base_revision: 1, ..Default::default() };
    assert_eq!(status(revisions::publish_revision(&cast.backend, &cast.author, number, new).await), 409);
}

#[tokio::test]
async fn a_repeated_request_has_its_effect_once() {
    let cast = cast().await;
    let backend = once(&cast.backend, "a");
    let first = create(&backend, &cast.author, text("x")).await.unwrap();
    assert_eq!(create(&backend, &cast.author, text("x")).await.unwrap(), first);
    let backend = once(&cast.backend, "b");
    let (one, two) =
        tokio::join!(create(&backend, &cast.author, text("x")), create(&backend, &cast.author, text("x")),);
    assert_eq!(one.unwrap(), two.unwrap());
    assert_eq!(draft(&cast, "x").await.number, 3);
    let backend = once(&cast.backend, "c");
    let opened = threads::open(&backend, &cast.author, 1, whole("x")).await.unwrap();
    assert_eq!(threads::open(&backend, &cast.author, 1, whole("x")).await.unwrap(), opened);
    let backend = once(&cast.backend, "d");
    let new = revisions::NewRevision { body: "y".into(), base_revision: 1, ..Default::default() };
    let revised = revisions::publish_revision(&backend, &cast.author, 1, new.clone()).await.unwrap();
    assert_eq!(revisions::publish_revision(&backend, &cast.author, 1, new).await.unwrap(), revised);
    assert_eq!(threads::list(&cast.backend, &cast.author, 1, None).await.unwrap().items.len(), 1);
    let backend = once(&cast.backend, "e");
    statuses::delete(&backend, &cast.author, 3, Expected::Any).await.unwrap();
    statuses::delete(&backend, &cast.author, 3, Expected::Any).await.unwrap();
}
