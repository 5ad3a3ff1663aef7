//! The product over HTTP, without a network: one file a noun, and `requests` for what holds for every call. Each answer
//! of the REST API is also held against the OpenAPI document (`support/contract.rs`).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod forms;
mod imports;
mod pages;
mod people;
mod requests;
mod rfcs;
mod services;
#[path = "../support/mod.rs"]
mod support;
mod threads;

use domain::Role;
use serde_json::{Value, json};
use support::{Answer, Persona, TestApp};

/// The product and people of every kind.
struct Cast {
    app: TestApp,
    author: Persona,
    member: Persona,
    reader: Persona,
    sre: Persona,
    admin: Persona,
}

impl Cast {
    async fn new() -> Self {
        let app = TestApp::new().await;
        Self {
            author: app.person("Ana Author", Role::Member, Some("core")).await,
            member: app.person("Mia Member", Role::Member, Some("search")).await,
            reader: app.person("Ruth Reader", Role::Reader, None).await,
            sre: app.person("Sam Sre", Role::Sre, None).await,
            admin: app.person("Ada Admin", Role::Admin, None).await,
            app,
        }
    }

    async fn get(&self, who: &Persona, path: &str) -> Answer {
        self.app.call(Some(who), "GET", path, Value::Null).await
    }

    async fn post(&self, who: &Persona, path: &str, body: Value) -> Answer {
        self.app.call(Some(who), "POST", path, body).await
    }

    /// A change of the version that `If-Match` names.
    async fn change(&self, who: &Persona, method: &str, path: &str, if_match: &str, body: Value) -> Answer {
        self.app.call_with(Some(who), method, path, body, &[("if-match", if_match)]).await
    }

    /// A draft of the author; its number.
    async fn draft(&self, body: &str) -> i64 {
        let new = json!({ "title": "Shard the ledger", "kind": "architecture", "body": body, "services": [] });
        let answer = self.post(&self.author, "/rfcs", new).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["number"].as_i64().unwrap()
    }

    /// An RFC in review; its number.
    async fn rfc(&self, body: &str) -> i64 {
        let number = self.draft(body).await;
        let answer = self.post(&self.author, &format!("/rfcs/{number}/status"), json!({ "to": "in_review" })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        number
    }

    /// A thread of the member on the whole RFC; its id.
    async fn thread(&self, number: i64) -> String {
        let new = json!({ "revision": 1, "body": "Why?", "severity": "should" });
        let answer = self.post(&self.member, &format!("/rfcs/{number}/threads"), new).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

/// The fields that a 422 names.
#[track_caller]
fn wrong_fields(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 422, "{}", answer.body);
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    assert!(errors.iter().all(|error| !error["message"].as_str().unwrap().is_empty()), "{errors:?}");
    errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
}
