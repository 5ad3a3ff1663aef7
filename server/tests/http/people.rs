//! `/people` and `/teams`.

use serde_json::{Value, json};

use super::*;

async fn put(cast: &Cast, path: &str, if_match: Option<&str>, body: Value) -> Answer {
    let headers: Vec<_> = if_match.map(|version| ("if-match", version)).into_iter().collect();
    cast.app.call_with(Some(&cast.admin), "PUT", path, body, &headers).await
}

#[tokio::test]
async fn a_person_is_created_changed_and_kept_out() {
    let cast = Cast::new().await;
    let path = "/people/new@example.com";
    let body = json!({ "name": "New Person", "role": "member" });
    assert_eq!(put(&cast, path, None, body.clone()).await.status, 201);
    assert_eq!(put(&cast, path, None, body).await.status, 428);
    for (body, field) in [
        (json!({ "role": "member" }), "name"),
        (json!({ "name": "N", "role": "king" }), "role"),
        (json!({ "name": "N", "role": "member", "time_zone": "Mars" }), "time_zone"),
        (json!({ "name": "N", "role": "member", "password": "x" }), "password"),
    ] {
        assert_eq!(wrong_fields(&put(&cast, path, Some("\"1\""), body).await), [field]);
    }
    let body = json!({ "name": "New Person", "role": "sre", "disabled": true });
    let answer = put(&cast, path, Some("\"1\""), body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["disabled"], true);
    assert_eq!(answer.header("etag"), format!("\"{}\"", answer.json()["version"]));
    assert_eq!(cast.get(&cast.reader, "/people/nobody@example.com").await.status, 404);
    let found = cast.get(&cast.reader, "/people?q=Person&role=sre").await.json();
    assert_eq!(found["items"][0]["email"], "new@example.com");
    assert_eq!(wrong_fields(&cast.get(&cast.reader, "/people?role=king").await), ["role"]);
    assert_eq!(
        wrong_fields(&put(&cast, "/people/nobody", None, json!({ "name": "N", "role": "sre" })).await),
        ["email"]
    );
}

#[tokio::test]
async fn a_disabled_persons_token_ends_at_once() {
    let cast = Cast::new().await;
    let person = cast.get(&cast.admin, "/people/sam@example.com").await;
    let body = json!({ "name": "Sam Sre", "role": "sre", "disabled": true });
    assert_eq!(put(&cast, "/people/sam@example.com", Some(person.header("etag")), body).await.status, 200);
    assert_eq!(cast.get(&cast.sre, "/me").await.status, 401);
}

#[tokio::test]
async fn a_team_is_created_and_filled() {
    let cast = Cast::new().await;
    let answer = put(&cast, "/teams/night", None, json!({ "name": "Night", "members": ["sam@example.com"] })).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""), "{}", answer.body);
    let nobody = json!({ "name": "Night", "members": ["nobody@example.com"] });
    assert_eq!(wrong_fields(&put(&cast, "/teams/night", Some("\"1\""), nobody).await), ["members"]);
    let answer = put(&cast, "/teams/night", Some("\"1\""), json!({ "name": "Night shift" })).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(cast.get(&cast.reader, "/teams/night").await.json()["members"], json!(["sam@example.com"]));
    let listed = cast.get(&cast.reader, "/teams?q=night").await.json();
    assert_eq!(listed["items"][0]["members"], 1);
    assert_eq!(cast.get(&cast.reader, "/people?team=night").await.json()["items"][0]["email"], "sam@example.com");
}
