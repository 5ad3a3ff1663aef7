//! Threads and comments: ranges, settling, edits with their history.

use domain::rfc::ThreadState;

use super::*;
use crate::rfcs::comments::{delete, edit, get, history, reply};
use crate::rfcs::threads::{list, reopen, resolve};
use crate::{Expected, testing};

const BODY: &str = "# Überlauf 🧊\n\n`code` and <!-- hidden --> שלום\r\n\r\n| a |\r\n|---|\r\n| b |\r\n";

#[tokio::test]
async fn any_range_on_characters_borders_is_kept_as_sent() {
    let cast = cast().await;
    let number = published(&cast, BODY).await;
    let kept = BODY.replace("\r\n", "\n");
    let open = |start, end| {
        let new = NewThread { revision: 1, start, end, body: "x".into(), severity: "blocking".into() };
        threads::open(&cast.backend, &cast.reviewer, number, new)
    };
    let length = i64::try_from(kept.len()).unwrap();
    let borders: Vec<i64> = kept.char_indices().map(|(at, _)| i64::try_from(at).unwrap()).chain([length]).collect();
    for (start, end) in [(0, length), (borders[5], borders[14]), (borders[12], borders[13]), (length - 1, length)] {
        let anchor = open(Some(start), Some(end)).await.unwrap().anchor.unwrap();
        assert_eq!((anchor.start.map(i64::from), anchor.end.map(i64::from)), (Some(start), Some(end)));
        let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
        let listed = list(&cast.backend, &cast.sre, number, None).await.unwrap();
        assert!(listed.items.iter().any(|thread| thread.quote == kept[range.clone()]));
    }
    for (start, end) in [
        (Some(3), Some(9)),
        (Some(0), Some(3)),
        (Some(0), Some(length + 1)),
        (Some(4), Some(4)),
        (Some(5), Some(4)),
        (Some(-1), Some(4)),
        (Some(0), None),
        (None, Some(4)),
        (Some(i64::MIN), Some(i64::MAX)),
    ] {
        assert_eq!(status(open(start, end).await), 422, "{start:?}..{end:?}");
    }
    let whole = open(None, None).await.unwrap();
    assert_eq!((whole.anchor, whole.state), (None, ThreadState::Open));
    assert_eq!(list(&cast.backend, &cast.sre, number, None).await.unwrap().items.len(), 5);
}

#[tokio::test]
async fn bad_threads_and_comments_are_refused_with_all_that_is_wrong() {
    let cast = cast().await;
    let number = published(&cast, BODY).await;
    let open = |new| threads::open(&cast.backend, &cast.reviewer, number, new);
    let wrong = NewThread { revision: 2, start: None, end: None, body: " ".into(), severity: "mild".into() };
    let refused = refusal(open(wrong).await);
    for field in ["revision", "body", "severity"] {
        assert!(refused.message_for(field).is_some(), "{field}: {refused:?}");
    }
    assert_eq!(status(open(NewThread { body: "x".repeat(65_537), ..whole("") }).await), 413);
    assert_eq!(status(open(whole("nul\0")).await), 422);
    let missing = threads::open(&cast.backend, &cast.reviewer, 99, whole("x")).await;
    assert_eq!(status(missing), 404);
    let thread = open(whole("fine")).await.unwrap();
    for said in ["", "nul\0"] {
        assert_eq!(status(reply(&cast.backend, &cast.author, &thread.id, said).await), 422);
        assert_eq!(status(edit(&cast.backend, &cast.reviewer, &thread.comment_id, Expected::Any, said).await), 422);
    }
    for name in ["0", "99", "x", "", "1 or 1=1", "99999999999999999999", "+1", "01", "007", " 1"] {
        assert_eq!(status(reply(&cast.backend, &cast.author, name, "x").await), 404);
        assert_eq!(status(edit(&cast.backend, &cast.author, name, Expected::Any, "x").await), 404);
    }
    let reader = testing::person(&cast.backend, "Rea Der", Role::Reader, None).await;
    assert_eq!(status(threads::open(&cast.backend, &reader, number, whole("x")).await), 403);
    assert_eq!(status(reply(&cast.backend, &reader, &thread.id, "x").await), 403);
    assert_eq!(status(resolve(&cast.backend, &reader, &thread.id).await), 403);
    assert!(!threads::get(&cast.backend, &reader, &thread.id).await.unwrap().1.may.comment);
}

#[tokio::test]
async fn a_thread_is_settled_by_who_may_and_reopened() {
    let cast = cast().await;
    let number = published(&cast, BODY).await;
    let thread = threads::open(&cast.backend, &cast.sre, number, whole("x")).await.unwrap().id;
    assert_eq!(status(resolve(&cast.backend, &cast.reviewer, &thread).await), 403);
    let settled = resolve(&cast.backend, &cast.author, &thread).await.unwrap();
    assert_eq!((settled.state, settled.rfc, settled.version), (ThreadState::Resolved, number, 2));
    let seen_by_reviewer = threads::get(&cast.backend, &cast.reviewer, &thread).await.unwrap().1;
    assert_eq!(seen_by_reviewer.resolved_by.unwrap().name, "Ana Author");
    assert_eq!(seen_by_reviewer.resolved_revision, Some(1));
    assert!(seen_by_reviewer.may.comment && !seen_by_reviewer.may.settle);
    assert_eq!(status(resolve(&cast.backend, &cast.author, &thread).await), 409);
    assert_eq!(reopen(&cast.backend, &cast.sre, &thread).await.unwrap().state, ThreadState::Open);
    assert_eq!(seen(&cast, &thread).await.resolved_by, None);
    assert_eq!(status(reopen(&cast.backend, &cast.sre, &thread).await), 409);
    let verbs = events(&cast.backend, number).await;
    assert_eq!(verbs[2..], ["thread.opened", "thread.resolved", "thread.reopened"]);
}

#[tokio::test]
async fn edits_and_deletions_keep_what_was_said() {
    let cast = cast().await;
    let number = published(&cast, BODY).await;
    let thread = threads::open(&cast.backend, &cast.reviewer, number, whole("First **words**")).await.unwrap();
    let (backend, id) = (&cast.backend, thread.comment_id.as_str());
    let answer = reply(backend, &cast.author, &thread.id, "<script>alert(1)</script>\n\nfine").await.unwrap();
    let comments = seen(&cast, &thread.id).await.comments;
    assert_eq!(comments.len(), 2);
    assert!(comments[0].html.contains("<strong>words</strong>"), "{}", comments[0].html);
    assert!(!comments[1].html.contains("<script"), "{}", comments[1].html);
    assert_eq!(comments[1].body, "<script>alert(1)</script>\n\nfine");

    assert_eq!(status(edit(backend, &cast.author, id, Expected::Any, "x").await), 403);
    assert_eq!(status(edit(backend, &cast.reviewer, id, Expected::Unstated, "x").await), 428);
    assert_eq!(edit(backend, &cast.reviewer, id, Expected::Version(1), "Second _words_").await.unwrap().version, 2);
    assert_eq!(status(edit(backend, &cast.reviewer, id, Expected::Version(1), "x").await), 412);
    // The same words again are no edit.
    assert_eq!(edit(backend, &cast.reviewer, id, Expected::Version(2), "Second _words_").await.unwrap().version, 2);
    let said = get(backend, &cast.author, id).await.unwrap();
    assert_eq!((said.thread.as_str(), said.rfc, said.comment.version), (thread.id.as_str(), number, 2));
    assert!(said.comment.html.contains("<em>words</em>") && said.comment.edited_at.is_some());
    assert!(!said.comment.may_edit && get(backend, &cast.reviewer, id).await.unwrap().comment.may_edit);
    assert_eq!(history(backend, &cast.author, id).await.unwrap()[0].body, "First **words**");

    assert_eq!(status(delete(backend, &cast.sre, id, Expected::Any).await), 403);
    delete(backend, &cast.reviewer, id, Expected::Version(2)).await.unwrap();
    delete(backend, &cast.author, &answer.id, Expected::Any).await.unwrap();
    let left = seen(&cast, &thread.id).await;
    assert_eq!((left.state, left.comments.len()), (ThreadState::Open, 2));
    assert!(left.comments.iter().all(|comment| {
        comment.body.is_empty() && comment.html.is_empty() && comment.deleted_at.is_some() && !comment.may_edit
    }));
    assert_eq!(status(edit(backend, &cast.reviewer, id, Expected::Any, "back").await), 409);
    assert_eq!(status(delete(backend, &cast.reviewer, id, Expected::Any).await), 409);
    assert_eq!(history(backend, &cast.author, id).await.unwrap(), []);
    let kept: Vec<_> = history(backend, &cast.reviewer, id).await.unwrap().into_iter().map(|text| text.body).collect();
    assert_eq!(kept, ["First **words**", "Second _words_"]);
    let verbs = events(backend, number).await;
    assert_eq!(verbs[3..], ["comment.posted", "comment.edited", "comment.deleted", "comment.deleted"]);
}

#[tokio::test]
async fn an_rfc_takes_many_threads_but_not_any_number() {
    let cast = cast().await;
    let number = published(&cast, BODY).await;
    let open = |new| threads::open(&cast.backend, &cast.reviewer, number, new);
    let fill = async |threads: i64, quote: i64| {
        sqlx::query!(
            "insert into rfc_threads (rfc_id, revision, quote, severity, state, opened_by, opened_at)
             select r.id, 1, repeat('x', $3::integer), 'note', 'open', $2, now() from rfcs r, generate_series(1, $1::bigint)",
            threads,
            cast.sre.id,
            i32::try_from(quote).unwrap(),
        )
        .execute(cast.backend.pool())
        .await
        .unwrap();
    };
    fill(1, domain::limits::RFC_QUOTED_BYTES - 5).await;
    let range = |end| NewThread { start: Some(0), end: Some(end), ..whole("x") };
    let refused = refusal(open(range(7)).await);
    assert!(refused.status() == 409 && refused.to_string().contains("shorter range"), "{refused}");
    open(range(4)).await.unwrap();
    open(whole("x")).await.unwrap();
    fill(domain::limits::RFC_THREADS - 3, 0).await;
    let refused = refusal(open(whole("x")).await);
    assert!(refused.status() == 409 && refused.to_string().contains("2000 threads"), "{refused}");
}

#[tokio::test]
async fn comments_of_another_renderer_are_rendered_anew() {
    let cast = cast().await;
    let number = published(&cast, BODY).await;
    let thread = threads::open(&cast.backend, &cast.reviewer, number, whole("**now**")).await.unwrap();
    let stale = sqlx::query!("update rfc_comments set renderer = renderer - 1, html = 'stale'");
    stale.execute(cast.backend.pool()).await.unwrap();
    assert!(seen(&cast, &thread.id).await.comments[0].html.contains("<strong>now</strong>"));
}

#[tokio::test]
async fn a_reply_to_a_draft_that_is_being_deleted_is_refused_or_gone() {
    let cast = cast().await;
    for _ in 0..5 {
        let number = draft(&cast, "x").await.number;
        let thread = threads::open(&cast.backend, &cast.author, number, whole("x")).await.unwrap().id;
        let (replied, deleted) = tokio::join!(
            reply(&cast.backend, &cast.author, &thread, "still there?"),
            crate::rfcs::status::delete(&cast.backend, &cast.author, number, Expected::Any),
        );
        deleted.unwrap();
        if let Err(error) = replied {
            assert!(matches!(error, Error::Refused(refusal) if refusal.status() == 404));
        }
    }
}
