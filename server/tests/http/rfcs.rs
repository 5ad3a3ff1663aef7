//! `/rfcs`: writing, changing, publishing.

use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_new_rfc_is_a_draft_that_only_its_author_finds() {
    let cast = Cast::new().await;
    let new = json!({ "title": "Shard the ledger", "kind": "slo", "body": "# A\r\n\u{a0}text \n", "services": [] });
    let answer = cast.post(&cast.author, "/rfcs", new).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.header("location"), "/api/v1/rfcs/1");
    assert_eq!(answer.header("etag"), "\"1\"");
    let created = answer.json();
    assert_eq!((&created["status"], &created["revision"]), (&json!("draft"), &json!(1)));
    assert_eq!(created["url"], "http://plumbline.test/rfcs/1");

    let answer = cast.get(&cast.author, "/rfcs/1").await;
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.json()["body"], "# A\n\u{a0}text \n");
    let (hidden, missing) = (cast.get(&cast.admin, "/rfcs/1").await, cast.get(&cast.admin, "/rfcs/2").await);
    assert_eq!((hidden.status.as_u16(), missing.status.as_u16()), (404, 404));
    assert_eq!(hidden.json()["detail"], missing.json()["detail"]);
    assert_eq!(cast.get(&cast.admin, "/rfcs").await.json()["items"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_with_a_new_rfc_is_said_field_by_field() {
    let cast = Cast::new().await;
    let good = json!({ "title": "T", "kind": "slo", "body": "B", "services": [] });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    for (body, field) in [
        (json!({ "kind": "slo", "body": "B" }), "title"),
        (json!({ "title": "T", "body": "B" }), "kind"),
        (with("title", json!(7)), "title"),
        (with("title", json!(" ")), "title"),
        (with("title", json!("x".repeat(301))), "title"),
        (with("kind", json!("poem")), "kind"),
        (with("body", json!("a\u{0}b")), "body"),
        (with("body", json!(" \n")), "body"),
        (with("services", json!(["nowhere"])), "services"),
        (with("services", json!("checkout")), "services"),
        (with("reviewers", json!([{ "person": "ada@example.com" }])), "reviewers"),
        (with("colour", json!("red")), "colour"),
        (json!([]), "body"),
        (Value::Null, "body"),
    ] {
        assert_eq!(wrong_fields(&cast.post(&cast.author, "/rfcs", body.clone()).await), [field], "{body}");
    }
    let several = json!({ "title": "", "kind": "poem", "body": "", "services": [] });
    assert_eq!(wrong_fields(&cast.post(&cast.author, "/rfcs", several).await), ["title", "kind", "body"]);
    // Empty members that this release does not know say nothing.
    let answer = cast.post(&cast.author, "/rfcs", with("reviewers", json!([]))).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

#[tokio::test]
async fn a_change_names_the_version_it_changes() {
    let cast = Cast::new().await;
    let number = cast.draft("text").await;
    let path = format!("/rfcs/{number}");
    let title = json!({ "title": "New" });
    let answer = cast.app.call(Some(&cast.author), "PATCH", &path, title.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (428, "\"1\""));
    for stale in ["\"2\"", "W/\"1\"", "\"1\", \"2\"", "1", "\"abc\""] {
        let answer = cast.change(&cast.author, "PATCH", &path, stale, title.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (412, "\"1\""), "{stale}");
    }
    let answer = cast.change(&cast.author, "PATCH", &path, "\"1\"", title).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(answer.json()["title"], "New");
    let answer = cast.change(&cast.author, "PATCH", &path, "*", json!({ "kind": "slo" })).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"3\""));

    // Nothing said, nothing changed.
    for empty in [json!({}), json!({ "title": null, "reviewers": [] })] {
        let answer = cast.change(&cast.author, "PATCH", &path, "\"3\"", empty).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"3\""));
    }
    // The text is changed by a revision, so a text here is a mistake and not to be dropped.
    let answer = cast.change(&cast.author, "PATCH", &path, "\"3\"", json!({ "title": "X", "body": "new text" })).await;
    assert_eq!(wrong_fields(&answer), ["body"]);
    assert_eq!(cast.get(&cast.author, &path).await.json()["title"], "New");
    assert_eq!(
        wrong_fields(&cast.change(&cast.author, "PATCH", &path, "*", json!({ "authors": [] })).await),
        ["authors"]
    );
}

#[tokio::test]
async fn whoever_hands_a_draft_over_still_gets_the_answer() {
    let cast = Cast::new().await;
    let number = cast.draft("text").await;
    let path = format!("/rfcs/{number}");
    let answer = cast.change(&cast.author, "PATCH", &path, "\"1\"", json!({ "authors": ["mia@example.com"] })).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""), "{}", answer.body);
    assert_eq!(answer.json()["authors"], json!(["mia@example.com"]));
    assert_eq!(cast.get(&cast.author, &path).await.status, 404);
    assert_eq!(cast.get(&cast.member, &path).await.status, 200);
}

#[tokio::test]
async fn a_draft_is_deleted_and_a_published_rfc_is_not() {
    let cast = Cast::new().await;
    let number = cast.draft("text").await;
    let path = format!("/rfcs/{number}");
    assert_eq!(cast.app.call(Some(&cast.author), "DELETE", &path, Value::Null).await.status, 428);
    assert_eq!(cast.change(&cast.author, "DELETE", &path, "\"7\"", Value::Null).await.status, 412);
    assert_eq!(cast.change(&cast.author, "DELETE", &path, "\"1\"", Value::Null).await.status, 204);
    assert_eq!(cast.change(&cast.author, "DELETE", &path, "\"1\"", Value::Null).await.status, 404);
    let number = cast.rfc("text").await;
    let answer = cast.change(&cast.author, "DELETE", &format!("/rfcs/{number}"), "*", Value::Null).await;
    assert_eq!(answer.status, 409);
}

#[tokio::test]
async fn a_status_follows_from_the_one_before() {
    let cast = Cast::new().await;
    let number = cast.draft("text").await;
    let path = format!("/rfcs/{number}/status");
    let to = async |body: Value| cast.post(&cast.author, &path, body).await;
    assert_eq!(wrong_fields(&to(json!({})).await), ["to"]);
    assert_eq!(wrong_fields(&to(json!({ "to": "splendid" })).await), ["to"]);
    assert_eq!(wrong_fields(&to(json!({ "to": "in_review", "override": ["two_approvals"] })).await), ["override"]);
    assert_eq!(to(json!({ "to": "accepted" })).await.status, 409);
    let publish = json!({ "to": "in_review", "override": [] });
    assert_eq!(cast.change(&cast.author, "POST", &path, "\"2\"", publish.clone()).await.status, 412);
    let answer = cast.change(&cast.author, "POST", &path, "\"1\"", publish).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(answer.json()["status"], "in_review");
    assert_eq!(cast.get(&cast.reader, &format!("/rfcs/{number}")).await.status, 200);
    let answer = cast.post(&cast.member, &path, json!({ "to": "withdrawn" })).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["detail"].as_str().unwrap().contains("authors"), "{}", answer.body);
}

#[tokio::test]
async fn a_revision_is_written_on_the_newest_one() {
    let cast = Cast::new().await;
    let number = cast.rfc("one").await;
    let path = format!("/rfcs/{number}/revisions");
    let revise = async |body: &str, base: i64| {
        cast.post(&cast.author, &path, json!({ "body": body, "summary": "", "base_revision": base })).await
    };
    for revision in 2..=4 {
        let answer = revise(&format!("text {revision}"), revision - 1).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["revision"]), (201, &json!(revision)));
    }
    assert_eq!(revise("late", 2).await.status, 409);
    assert_eq!(wrong_fields(&revise("a\u{0}", 4).await), ["body"]);

    let page = cast.get(&cast.reader, &format!("{path}?limit=3")).await.json();
    let numbers = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|row| row["revision"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&page), [4, 3, 2]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = cast.get(&cast.reader, &format!("{path}?limit=3&cursor={cursor}")).await.json();
    assert_eq!((numbers(&page), &page["next_cursor"]), (vec![1], &Value::Null));
    assert_eq!(cast.get(&cast.reader, &format!("{path}/3")).await.json()["body"], "text 3");
    assert_eq!(cast.get(&cast.reader, &format!("{path}/5")).await.status, 404);
}
