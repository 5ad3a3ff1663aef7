//! `/rfcs/{number}/threads`, `/threads`, `/comments`: the review.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_range_is_kept_as_sent_and_a_wrong_one_is_refused() {
    let cast = Cast::new().await;
    let number = cast.rfc("A naïve plan.\n").await;
    let path = format!("/rfcs/{number}/threads");
    let open = async |start: Value, end: Value| {
        let new = json!({ "revision": 1, "start": start, "end": end, "body": "Why?", "severity": "should" });
        cast.post(&cast.member, &path, new).await
    };
    let opened = open(json!(2), json!(8)).await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    let anchor = &opened.json()["anchor"];
    assert_eq!((&anchor["start"], &anchor["end"], &anchor["state"]), (&json!(2), &json!(8), &json!("exact")));
    let whole = open(Value::Null, Value::Null).await;
    assert_eq!((whole.status.as_u16(), &whole.json()["anchor"]), (201, &Value::Null));

    // ï takes the bytes 4 and 5.
    for (start, end) in [(5, 8), (2, 5), (3, 3), (4, 2), (0, 16), (-1, 2), (0, i64::MAX)] {
        let fields = wrong_fields(&open(json!(start), json!(end)).await);
        assert!(fields.iter().all(|field| field == "start" || field == "end"), "{start} {end} {fields:?}");
    }
    assert_eq!(wrong_fields(&open(json!(2), Value::Null).await).len(), 1);
    let wrong = async |new: Value| wrong_fields(&cast.post(&cast.member, &path, new).await);
    assert_eq!(wrong(json!({ "revision": 2, "body": "x" })).await, ["revision"]);
    assert_eq!(wrong(json!({ "revision": 1, "body": "a\u{0}" })).await, ["body"]);
    assert_eq!(wrong(json!({ "revision": 1, "body": "x", "severity": "dire" })).await, ["severity"]);
    assert_eq!(wrong(json!({ "revision": 1, "body": "x", "suggestion": "better" })).await, ["suggestion"]);
    assert_eq!(wrong(json!({ "body": "x" })).await, ["revision"]);

    let listed = cast.get(&cast.reader, &path).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0]["quote"], "naïve");
    let page = cast.get(&cast.reader, &format!("{path}?limit=1")).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = cast.get(&cast.reader, &format!("{path}?limit=1&cursor={cursor}")).await.json();
    assert_eq!((&rest["items"][0]["quote"], &rest["next_cursor"]), (&json!(""), &Value::Null));
}

#[tokio::test]
async fn a_thread_is_settled_and_moved_in_the_version_that_was_seen() {
    let cast = Cast::new().await;
    let number = cast.rfc("One two three.\n").await;
    let new = json!({ "revision": 1, "start": 0, "end": 3, "body": "Why?" });
    let id = cast.post(&cast.member, &format!("/rfcs/{number}/threads"), new).await.json()["id"].clone();
    let path = format!("/threads/{}", id.as_str().unwrap());
    assert_eq!(cast.get(&cast.reader, &path).await.header("etag"), "\"1\"");

    let (resolve, reopen, anchor) = (format!("{path}/resolve"), format!("{path}/reopen"), format!("{path}/anchor"));
    assert_eq!(cast.post(&cast.reader, &resolve, Value::Null).await.status, 403);
    assert_eq!(cast.change(&cast.sre, "POST", &resolve, "\"2\"", Value::Null).await.status, 412);
    let answer = cast.change(&cast.sre, "POST", &resolve, "\"1\"", Value::Null).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(cast.post(&cast.sre, &resolve, Value::Null).await.status, 409);
    assert_eq!(cast.change(&cast.sre, "POST", &reopen, "\"1\"", Value::Null).await.status, 412);
    assert_eq!(cast.change(&cast.sre, "POST", &reopen, "*", Value::Null).await.json()["state"], "open");

    let to = json!({ "revision": 1, "start": 4, "end": 7 });
    assert_eq!(cast.change(&cast.member, "POST", &anchor, "\"1\"", to.clone()).await.status, 412);
    let answer = cast.post(&cast.member, &anchor, to).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["start"]), (200, &json!(4)));
    assert_eq!(wrong_fields(&cast.post(&cast.member, &anchor, json!({ "revision": 1, "end": 7 })).await), ["start"]);
}

#[tokio::test]
async fn a_comment_is_changed_by_its_author_in_the_version_that_was_seen() {
    let cast = Cast::new().await;
    let number = cast.rfc("text").await;
    let thread = cast.thread(number).await;
    let path = format!("/threads/{thread}/comments");
    assert_eq!(wrong_fields(&cast.post(&cast.member, &path, json!({ "body": " \n " })).await), ["body"]);
    assert_eq!(wrong_fields(&cast.post(&cast.member, &path, json!({})).await), ["body"]);
    let large = json!({ "body": "x".repeat(64 * 1024 + 1) });
    assert_eq!(cast.post(&cast.member, &path, large).await.status, 413);
    let answer = cast.post(&cast.member, &path, json!({ "body": "Because <b>.", "suggestion": null })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);

    let comment = format!("/comments/{}", answer.json()["id"].as_str().unwrap());
    let new = json!({ "body": "Because of *that*." });
    assert_eq!(cast.change(&cast.admin, "PATCH", &comment, "\"1\"", new.clone()).await.status, 403);
    assert_eq!(cast.app.call(Some(&cast.member), "PATCH", &comment, new.clone()).await.status, 428);
    let answer = cast.change(&cast.member, "PATCH", &comment, "\"1\"", new).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert!(cast.get(&cast.reader, &comment).await.json()["html"].as_str().unwrap().contains("<em>that</em>"));
    assert_eq!(cast.app.call(Some(&cast.member), "DELETE", &comment, Value::Null).await.status, 428);
    assert_eq!(cast.change(&cast.member, "DELETE", &comment, "\"1\"", Value::Null).await.status, 412);
    assert_eq!(cast.change(&cast.member, "DELETE", &comment, "\"2\"", Value::Null).await.status, 204);
    assert_eq!(cast.get(&cast.reader, &comment).await.json()["body"], "");
}

#[tokio::test]
async fn what_is_said_on_a_draft_is_hidden_with_it() {
    let cast = Cast::new().await;
    let number = cast.draft("text").await;
    let new = json!({ "revision": 1, "body": "Note to self." });
    let opened = cast.post(&cast.author, &format!("/rfcs/{number}/threads"), new.clone()).await.json();
    let (thread, comment) = (opened["id"].as_str().unwrap(), opened["comment"].as_str().unwrap());
    let missing = cast.get(&cast.admin, "/threads/999999").await.json()["detail"].clone();
    let hidden = cast.get(&cast.admin, &format!("/threads/{thread}")).await;
    assert_eq!((hidden.status.as_u16(), &hidden.json()["detail"]), (404, &missing));
    assert_eq!(cast.get(&cast.admin, &format!("/comments/{comment}")).await.status, 404);
    assert_eq!(cast.post(&cast.admin, &format!("/threads/{thread}/resolve"), Value::Null).await.status, 404);
    assert_eq!(cast.post(&cast.admin, &format!("/rfcs/{number}/threads"), new).await.status, 404);
}
