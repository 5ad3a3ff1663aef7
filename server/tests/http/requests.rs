//! What holds for every call: who may, which version, once only, how much, what went wrong.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn without_a_good_token_nobody_is_let_in() {
    let cast = Cast::new().await;
    let answer = cast.app.call(None, "GET", "/me", Value::Null).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
    let forged = Persona { token: "plumbline_forged".into(), ..cast.admin.clone() };
    assert_eq!(cast.get(&forged, "/me").await.status, 401);
    // The cookie of a browser is worth nothing here.
    let request = Request::get("/api/v1/me").header("cookie", &cast.admin.cookie).body(Body::empty()).unwrap();
    assert_eq!(cast.app.send(request).await.status, 401);
    assert_eq!(cast.get(&cast.admin, "/me").await.json()["email"], "ada@example.com");
}

#[tokio::test]
async fn who_may_not_is_told_who_may() {
    let cast = Cast::new().await;
    let new = json!({ "title": "T", "kind": "slo", "body": "B", "services": [] });
    let answer = cast.post(&cast.reader, "/rfcs", new.clone()).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["detail"].as_str().unwrap().contains("a member, SRE, lead or admin"), "{}", answer.body);
    let answer = cast.app.call(Some(&cast.sre), "PUT", "/teams/new", json!({ "name": "New" })).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["detail"].as_str().unwrap().contains("an admin"), "{}", answer.body);
    // A token narrows the role.
    let token = cast.app.token(&cast.author.actor, &["read"]).await;
    let reading = Persona { token, ..cast.author.clone() };
    let answer = cast.post(&reading, "/rfcs", new).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["detail"].as_str().unwrap().contains("\"write\""), "{}", answer.body);
}

#[tokio::test]
async fn addresses_and_methods_that_are_not_there() {
    let cast = Cast::new().await;
    assert_eq!(cast.get(&cast.admin, "/nothing").await.status, 404);
    assert_eq!(cast.get(&cast.admin, "/rfcs/seven").await.status, 404);
    assert_eq!(cast.get(&cast.admin, "/rfcs/99999999999999999999").await.status, 404);
    assert_eq!(cast.get(&cast.admin, "/threads/x").await.status, 404);
    let answer = cast.app.call(Some(&cast.admin), "DELETE", "/me", Value::Null).await;
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").contains("GET"));
    let document = cast.app.call(None, "GET", "/openapi.json", Value::Null).await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/openapi.json"]["get"].is_object());
}

#[tokio::test]
async fn a_post_with_a_key_happens_once() {
    let cast = Cast::new().await;
    let new = json!({ "title": "T", "kind": "slo", "body": "B", "services": [] });
    let post = async |body: &Value, key: &str| {
        cast.app.call_with(Some(&cast.author), "POST", "/rfcs", body.clone(), &[("idempotency-key", key)]).await
    };
    // Parallel ones wait for the first and get its answer.
    let (one, two, three) = tokio::join!(post(&new, "k"), post(&new, "k"), post(&new, "k"));
    assert_eq!(one.status, 201, "{}", one.body);
    assert_eq!((&one.body, one.status), (&two.body, two.status));
    assert_eq!((&one.body, one.status), (&three.body, three.status));
    assert_eq!(post(&new, "k").await.body, one.body);
    assert_eq!(cast.get(&cast.author, "/rfcs").await.json()["items"].as_array().unwrap().len(), 1);

    let other = json!({ "title": "Other", "kind": "slo", "body": "B", "services": [] });
    assert_eq!(wrong_fields(&post(&other, "k").await), ["Idempotency-Key"]);
    assert_eq!(wrong_fields(&post(&new, &"k".repeat(256)).await), ["Idempotency-Key"]);
    // A key belongs to a person.
    let answer =
        cast.app.call_with(Some(&cast.member), "POST", "/rfcs", new.clone(), &[("idempotency-key", "k")]).await;
    assert_ne!(answer.body, one.body);
    assert_ne!(post(&new, "another").await.body, one.body);
}

#[tokio::test]
async fn every_post_of_the_document_takes_a_key() {
    let document = serde_json::to_value(server::api::document()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let takes = operation["parameters"].as_array().into_iter().flatten();
            let takes = takes.filter(|parameter| parameter["name"] == "Idempotency-Key").count();
            assert_eq!(takes, usize::from(method == "post"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let cast = Cast::new().await;
    for _ in 0..5 {
        cast.draft("text").await;
    }
    let mut numbers = Vec::new();
    let mut path = "/rfcs?limit=2".to_owned();
    let mut pages = 0;
    loop {
        let page = cast.get(&cast.author, &path).await.json();
        numbers.extend(page["items"].as_array().unwrap().iter().map(|rfc| rfc["number"].as_i64().unwrap()));
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{cursor}");
        path = format!("/rfcs?limit=2&cursor={cursor}");
    }
    numbers.sort_unstable();
    assert_eq!((pages, numbers), (3, vec![1, 2, 3, 4, 5]));

    for list in ["/rfcs", "/rfcs/1/revisions", "/rfcs/1/threads", "/services", "/people", "/teams"] {
        let wrong = async |query: &str| wrong_fields(&cast.get(&cast.author, &format!("{list}?{query}")).await);
        for limit in ["0", "-1", "ten", "-99999999999999999999"] {
            assert_eq!(wrong(&format!("limit={limit}")).await, ["limit"], "{list} {limit}");
        }
        for cursor in ["x", "bnVsbA", "%00"] {
            assert_eq!(wrong(&format!("cursor={cursor}")).await, ["cursor"], "{list} {cursor}");
        }
        let answer = cast.get(&cast.author, &format!("{list}?limit=99999999999999999999&cursor=")).await;
        assert_eq!(answer.status, 200, "{list}");
    }
    assert_eq!(wrong_fields(&cast.get(&cast.author, "/rfcs?attention=me").await), ["attention"]);
    assert_eq!(wrong_fields(&cast.get(&cast.author, "/services?tier=one").await), ["tier"]);
    assert_eq!(wrong_fields(&cast.get(&cast.author, "/services?archived=perhaps").await), ["archived"]);
    assert_eq!(wrong_fields(&cast.get(&cast.author, "/rfcs/1/threads?revision=2").await), ["revision"]);
}

#[tokio::test]
async fn what_is_too_large_is_413_however_it_comes() {
    let cast = Cast::new().await;
    let post = async |body: String, length: Option<usize>| {
        let mut request =
            Request::post("/api/v1/rfcs").header("authorization", format!("Bearer {}", cast.author.token));
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        cast.app.send(request.body(Body::from(body)).unwrap()).await
    };
    let large = 3 << 20;
    for length in [Some(large), None] {
        let answer = post("x".repeat(large), length).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{length:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    // Within the limit of requests and beyond that of documents: the field is named.
    let body = "x".repeat(512 * 1024 + 1);
    let new = json!({ "title": "T", "kind": "slo", "body": body, "services": [] });
    let answer = cast.post(&cast.author, "/rfcs", new).await;
    assert_eq!(answer.status, 413);
    assert!(answer.json()["detail"].as_str().unwrap().contains("512 KiB"), "{}", answer.body);
}

#[tokio::test]
async fn a_busy_database_is_a_503_that_asks_to_come_back() {
    let cast = Cast::new().await;
    cast.app.backend.pool().close().await;
    let answer = cast.get(&cast.author, "/me").await;
    assert_eq!(answer.status, 503);
    assert!(!answer.header("retry-after").is_empty());
    let answer = cast.app.page(Some(&cast.author), "/rfcs").await;
    assert_eq!(answer.status, 503);
    assert!(!answer.header("retry-after").is_empty());
    let fields = [("email", "ana@example.com"), ("password", support::PASSWORD)];
    let answer = cast.app.form(None, "/sign-in", "/do/account/sign-in", &fields).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(!answer.header("retry-after").is_empty());
}
