//! Accounts on a real database: what the tests of people and of the ways in share.

mod access;
mod members;

use domain::{Actor, PersonId, Refusal, Role};

use super::people::{self, NewPerson};
use super::tokens::NewToken;
use crate::{Backend, Error};

const GOOD: &str = "copper lantern drifts north";
const OTHER: &str = "seven quiet harbours at dawn";

fn refusal<T: std::fmt::Debug>(result: crate::Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn with_password(backend: &Backend, email: &str, role: Role) -> PersonId {
    let input = NewPerson {
        email: email.to_owned(),
        name: "Grace Hopper".to_owned(),
        role,
        team: None,
        password: Some(GOOD.to_owned()),
        time_zone: None,
    };
    people::create(backend, &Actor::operator(), input).await.unwrap()
}

async fn verbs(backend: &Backend) -> Vec<String> {
    sqlx::query_scalar!("select verb from events order by id").fetch_all(backend.pool()).await.unwrap()
}

fn new_token(scopes: &[&str]) -> NewToken {
    NewToken { name: "Build".into(), scopes: scopes.iter().map(|&scope| scope.into()).collect(), days: Some(30) }
}
