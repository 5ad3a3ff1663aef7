//! `/services`.

use serde_json::{Value, json};

use super::*;

async fn put(cast: &Cast, slug: &str, if_match: Option<&str>, body: Value) -> Answer {
    let headers: Vec<_> = if_match.map(|version| ("if-match", version)).into_iter().collect();
    cast.app.call_with(Some(&cast.sre), "PUT", &format!("/services/{slug}"), body, &headers).await
}

fn checkout() -> Value {
    json!({
        "name": "Checkout", "tier": 1, "team": "core", "description": "Takes the money.", "depends_on": [],
        "links": [{ "title": "Runbook", "url": "https://wiki.example.com/checkout" }], "labels": ["pci"],
    })
}

#[tokio::test]
async fn a_put_creates_then_changes_the_version_that_was_seen() {
    let cast = Cast::new().await;
    // Nothing is there that could have a version.
    for none in ["*", "\"1\"", "W/\"1\""] {
        let answer = put(&cast, "checkout", Some(none), checkout()).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag")), (412, ""), "{none}");
    }
    let answer = put(&cast, "checkout", None, checkout()).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (201, "\"1\""), "{}", answer.body);
    assert_eq!(answer.json()["links"][0]["title"], "Runbook");
    assert_eq!(put(&cast, "checkout", None, checkout()).await.status, 428);
    let changed = json!({ "name": "Checkout", "tier": 2, "team": "core" });
    assert_eq!(put(&cast, "checkout", Some("\"2\""), changed.clone()).await.status, 412);
    let answer = put(&cast, "checkout", Some("\"1\""), changed).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(cast.get(&cast.reader, "/services/checkout").await.json()["tier"], 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_service_is_said_field_by_field() {
    let cast = Cast::new().await;
    for (field, value, named) in [
        ("name", json!(""), "name"),
        ("tier", json!(4), "tier"),
        ("tier", json!("one"), "tier"),
        ("team", json!("nobody"), "team"),
        ("depends_on", json!(["nothing"]), "depends_on"),
        ("links", json!([{ "title": "x" }]), "links[0].url"),
        ("links", json!([{ "title": "x", "url": "https://x", "icon": "y" }]), "links[0].icon"),
        ("owner", json!("core"), "owner"),
    ] {
        let mut body = checkout();
        body[field] = value;
        assert_eq!(wrong_fields(&put(&cast, "checkout", None, body).await), [named]);
    }
    assert_eq!(wrong_fields(&put(&cast, "Check%20out", None, checkout()).await), ["slug"]);
    assert_eq!(cast.get(&cast.reader, "/services/checkout").await.status, 404);
}

#[tokio::test]
async fn archiving_and_renaming_heed_the_version_that_was_seen() {
    let cast = Cast::new().await;
    put(&cast, "checkout", None, checkout()).await;
    let post = async |path: &str, if_match: &str, body: Value| {
        cast.change(&cast.sre, "POST", &format!("/services/checkout/{path}"), if_match, body).await
    };
    assert_eq!(post("archive", "\"9\"", Value::Null).await.status, 412);
    let answer = post("archive", "\"1\"", Value::Null).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(cast.get(&cast.reader, "/services").await.json()["items"], json!([]));
    assert_eq!(cast.get(&cast.reader, "/services?archived=true").await.json()["items"][0]["slug"], "checkout");
    assert_eq!(post("unarchive", "\"1\"", Value::Null).await.status, 412);
    assert_eq!(post("unarchive", "*", Value::Null).await.header("etag"), "\"3\"");
    let to = json!({ "slug": "orders" });
    assert_eq!(post("rename", "\"2\"", to.clone()).await.status, 412);
    assert_eq!(wrong_fields(&post("rename", "\"3\"", json!({})).await), ["slug"]);
    assert_eq!(post("rename", "\"3\"", to).await.json()["slug"], "orders");
    let moved = cast.get(&cast.reader, "/services/checkout").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (308, "/api/v1/services/orders"));
    let answer = cast.post(&cast.member, "/services/orders/archive", Value::Null).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["detail"].as_str().unwrap().contains("an SRE"), "{}", answer.body);
}
