//! `/hooks`, and `POST /hooks/{id}`: what others report.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::*;

/// A hook for incidents: its address and its secret.
async fn hook(cast: &Cast) -> (String, String) {
    let new = json!({ "name": "PagerDuty", "purpose": "incidents" });
    let answer = cast.post(&cast.admin, "/hooks", new).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let made = answer.json();
    let address = made["url"].as_str().unwrap().strip_prefix(support::BASE_URL).unwrap().to_owned();
    assert_eq!(address, format!("/hooks/{}", made["id"].as_str().unwrap()));
    (address, made["secret"].as_str().unwrap().to_owned())
}

/// A call as the independent library signs it.
async fn call(cast: &Cast, address: &str, secret: &str, id: &str, late_seconds: i64, body: &[u8]) -> Answer {
    let at = cast.app.backend.now().as_second() - late_seconds;
    let signed = Webhook::new(secret).unwrap().sign(id, at, body).unwrap_or_else(|_| "v1,AAAA".to_owned());
    send(
        cast,
        address,
        &[("webhook-id", id), ("webhook-timestamp", &at.to_string()), ("webhook-signature", &signed)],
        body,
    )
    .await
}

async fn send(cast: &Cast, address: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = Request::post(address).header("origin", "https://elsewhere.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = cast.app.send(request.body(Body::from(body.to_vec())).unwrap()).await;
    if !answer.status.is_success() {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.body);
        assert!(answer.json()["detail"].as_str().unwrap().len() > 20, "{}", answer.body);
    }
    answer
}

const BODY: &[u8] =
    br#"{"external_id":"P-1","title":"Checkout is slow","severity":2,"started_at":"2026-11-02T08:00:00Z"}"#;

#[tokio::test]
async fn a_signed_call_from_anywhere_has_its_effect_once() {
    let cast = Cast::new().await;
    let (address, secret) = hook(&cast).await;
    let first = call(&cast, &address, &secret, "msg_1", 0, BODY).await;
    assert_eq!((first.status.as_u16(), &first.json()["outcome"]), (200, &json!("recorded")), "{}", first.body);
    let again = call(&cast, &address, &secret, "msg_1", 60, BODY).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    let other = call(&cast, &address, &secret, "msg_1", 0, br#"{"external_id":"P-2"}"#).await;
    assert_eq!(other.status, 409);
    let listed = cast.get(&cast.admin, "/hooks").await.json();
    assert!(listed["items"][0]["last_call_at"].is_string() && listed["items"][0].get("secret").is_none());
}

#[tokio::test]
async fn a_stranger_learns_nothing() {
    let cast = Cast::new().await;
    let (address, secret) = hook(&cast).await;
    let wrong = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
    let mut refused = vec![
        call(&cast, &address, wrong, "msg_1", 0, BODY).await,
        call(&cast, "/hooks/AAAAAAAAAAAAAAAAAAAAAA", &secret, "msg_1", 0, BODY).await,
        call(&cast, "/hooks/%00", &secret, "msg_1", 0, BODY).await,
        call(&cast, &address, wrong, "msg_1", 0, b"not json").await,
    ];
    cast.app.call(Some(&cast.admin), "DELETE", &format!("/hooks/{}", &address["/hooks/".len()..]), Value::Null).await;
    refused.push(call(&cast, &address, &secret, "msg_2", 0, BODY).await);
    let details: std::collections::BTreeSet<_> =
        refused.iter().map(|answer| answer.json()["detail"].as_str().unwrap().to_owned()).collect();
    assert!(refused.iter().all(|answer| answer.status == 401), "{refused:?}");
    assert_eq!(details.len(), 1, "{details:?}");
    // Without a fitting time nothing is looked up.
    for late in [301, -301] {
        let at_home = call(&cast, &address, &secret, "msg_3", late, BODY).await;
        let elsewhere = call(&cast, "/hooks/AAAAAAAAAAAAAAAAAAAAAA", &secret, "msg_3", late, BODY).await;
        assert_eq!((at_home.status.as_u16(), elsewhere.status.as_u16()), (401, 401));
        assert_eq!(at_home.json()["detail"], elsewhere.json()["detail"]);
        assert!(at_home.body.contains("five minutes"), "{}", at_home.body);
    }
}

#[tokio::test]
async fn every_mistake_of_a_call_is_named() {
    let cast = Cast::new().await;
    let (address, secret) = hook(&cast).await;
    assert_eq!(wrong_fields(&send(&cast, &address, &[], BODY).await), ["webhook-id"]);
    assert_eq!(wrong_fields(&send(&cast, &address, &[("webhook-id", "m")], BODY).await), ["webhook-timestamp"]);
    let no_time = [("webhook-id", "m"), ("webhook-timestamp", "yesterday"), ("webhook-signature", "v1,AAAA")];
    assert_eq!(wrong_fields(&send(&cast, &address, &no_time, BODY).await), ["webhook-timestamp"]);
    let now = cast.app.backend.now().as_second().to_string();
    let unsigned = [("webhook-id", "m"), ("webhook-timestamp", now.as_str())];
    assert_eq!(wrong_fields(&send(&cast, &address, &unsigned, BODY).await), ["webhook-signature"]);
    assert_eq!(wrong_fields(&call(&cast, &address, &secret, &"m".repeat(201), 0, BODY).await), ["webhook-id"]);
    assert_eq!(wrong_fields(&call(&cast, &address, &secret, "m", 0, b"{\"title\":").await), ["body"]);
    let unnamed = br#"{"external_id":"","title":"x","started_at":"2026-11-02T08:00:00Z"}"#;
    assert_eq!(wrong_fields(&call(&cast, &address, &secret, "m", 0, unnamed).await), ["external_id"]);
    let large = call(&cast, &address, &secret, "m", 0, &vec![b' '; 256 * 1024 + 1]).await;
    assert_eq!(large.status, 413);
    assert!(large.body.contains("256 KiB"), "{}", large.body);
    for (method, path) in [("GET", "/hooks/%00"), ("DELETE", "/hooks/%00"), ("POST", "/hooks/%00/rotate")] {
        assert_eq!(cast.app.call(Some(&cast.admin), method, path, Value::Null).await.status, 404, "{method} {path}");
    }
    let get = cast.app.send(Request::get(&address).body(Body::empty()).unwrap()).await;
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn a_rotated_secret_opens_and_the_old_one_does_for_a_day() {
    let cast = Cast::new().await;
    let (address, secret) = hook(&cast).await;
    let rest = format!("/hooks/{}", &address["/hooks/".len()..]);
    let rotated = cast.post(&cast.admin, &format!("{rest}/rotate"), Value::Null).await.json();
    let new = rotated["secret"].as_str().unwrap().to_owned();
    assert!(new != secret && rotated["previous_secret_until"].is_string());
    assert!(call(&cast, &address, &secret, "a", 0, BODY).await.status.is_success());
    cast.app.backend.clock.advance(jiff::SignedDuration::from_hours(24));
    assert_eq!(call(&cast, &address, &secret, "b", 0, BODY).await.status, 401);
    assert!(call(&cast, &address, &new, "c", 0, BODY).await.status.is_success());
    assert_eq!(cast.get(&cast.admin, &rest).await.header("etag"), "\"2\"");
}
