//! `/follow-ups`.

use serde_json::{Value, json};

use super::*;

/// A follow-up that the member makes for the author; its id.
async fn made(cast: &Cast) -> String {
    let new = json!({ "title": "Alarm on queue age", "owner": "ana@example.com", "due": "2026-11-09" });
    let answer = cast.post(&cast.member, "/follow-ups", new).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""), "{}", answer.body);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/api/v1/follow-ups/{id}"));
    id
}

#[tokio::test]
async fn a_follow_up_is_made_read_and_changed_in_the_version_that_was_seen() {
    let cast = Cast::new().await;
    let id = made(&cast).await;
    let path = format!("/follow-ups/{id}");
    let read = cast.get(&cast.reader, &path).await.json();
    assert_eq!(read["owner"], "ana@example.com");
    assert_eq!((&read["made_by"], &read["source"]), (&json!("mia@example.com"), &Value::Null));
    assert_eq!((read["days_overdue"].as_i64(), read["state"].as_str()), (Some(-7), Some("open")));
    assert_eq!(read["url"], format!("http://plumbline.test/follow-ups/{id}"));

    let change = async |if_match: &str, body: Value| cast.change(&cast.author, "PATCH", &path, if_match, body).await;
    assert_eq!(cast.app.call(Some(&cast.author), "PATCH", &path, json!({ "due": "2026-11-20" })).await.status, 428);
    assert_eq!(change("\"9\"", json!({ "due": "2026-11-20" })).await.status, 412);
    let moved = change("\"1\"", json!({ "due": "2026-11-20", "source": null })).await;
    assert_eq!((moved.status.as_u16(), moved.header("etag")), (200, "\"2\""), "{}", moved.body);
    let moved = moved.json();
    assert_eq!((&moved["due"], &moved["first_due"]), (&json!("2026-11-20"), &json!("2026-11-09")));
    assert_eq!(wrong_fields(&change("\"2\"", json!({ "state": "dropped" })).await), ["note"]);
    assert_eq!(
        wrong_fields(&change("\"2\"", json!({ "owner": "ruth@example.com", "due": "soon" })).await),
        ["due", "owner"]
    );
    assert_eq!(wrong_fields(&change("\"2\"", json!({ "colour": "red" })).await), ["colour"]);
    let done = change("\"2\"", json!({ "state": "done", "note": "It rings." })).await.json();
    assert_eq!((&done["state"], &done["closed_by"]), (&json!("done"), &json!("ana@example.com")));
    assert_eq!(change("\"3\"", json!({ "due": "2026-12-01" })).await.status, 409);
    assert_eq!(cast.get(&cast.reader, "/follow-ups/none").await.status, 404);
}

#[tokio::test]
async fn the_list_is_filtered_by_its_query() {
    let cast = Cast::new().await;
    made(&cast).await;
    for (query, count) in [
        ("", 1),
        ("?state=open&owner=ana@example.com", 1),
        ("?state=done", 0),
        ("?team=core", 1),
        ("?team=search", 0),
        ("?overdue=true", 0),
        ("?needs_owner=true", 0),
        ("?q=QUEUE", 1),
        ("?source_kind=incident", 0),
    ] {
        let answer = cast.get(&cast.reader, &format!("/follow-ups{query}")).await.json();
        assert_eq!(answer["items"].as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(wrong_fields(&cast.get(&cast.reader, "/follow-ups?state=closed").await), ["state"]);
}
