//! The outbox under failure: at least once, exactly once where it can be, never forgotten.

use serde_json::json;

use super::*;
use crate::Subject;
use crate::testing::{self, TestBackend};

async fn mail(test: &TestBackend, key: &str) {
    let mut tx = test.begin_unsigned().await.unwrap();
    let work = Work { key: key.into(), kind: Kind::Mail, payload: json!({ "to": key }), due_at: test.now() };
    tx.put(&work).await.unwrap();
    tx.commit(()).await.unwrap();
}

async fn lag_of(test: &TestBackend, kind: &str) -> Lag {
    lag(test).await.unwrap().into_iter().find(|lag| lag.kind == kind).unwrap()
}

#[tokio::test]
async fn what_is_rolled_back_leaves_no_work() {
    let test = testing::backend().await;
    let mut tx = test.begin_unsigned().await.unwrap();
    tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
    drop(tx);
    assert_eq!(settle(&test).await.unwrap(), 0);
}

#[tokio::test]
async fn an_event_is_passed_on_once_and_leaves_no_row() {
    let test = testing::backend().await;
    let mut tx = test.begin_unsigned().await.unwrap();
    tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
    tx.commit(()).await.unwrap();
    assert_eq!(lag_of(&test, "event").await.due, 1);
    let (one, other) = tokio::join!(settle(&test), settle(&test));
    assert_eq!(one.unwrap() + other.unwrap(), 1);
    assert_eq!(lag_of(&test, "event").await.due, 0);
}

#[tokio::test]
async fn the_same_key_is_put_in_once() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    mail(&test, "a").await;
    assert_eq!(claim(&test, Kind::Mail, "w", 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_lease_keeps_others_off_until_it_runs_out() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    let first = claim(&test, Kind::Mail, "one", 10).await.unwrap();
    assert_eq!((first.len(), first[0].attempt), (1, 1));
    assert!(claim(&test, Kind::Mail, "two", 10).await.unwrap().is_empty());
    test.clock.advance(LEASE / 2);
    assert!(extend(&test, first[0].id, "one").await.unwrap());
    test.clock.advance(LEASE / 2);
    assert!(claim(&test, Kind::Mail, "two", 10).await.unwrap().is_empty(), "the lease was made longer");
    test.clock.advance(LEASE / 2);
    let second = claim(&test, Kind::Mail, "two", 10).await.unwrap();
    assert_eq!((second[0].key.as_str(), second[0].attempt), ("a", 2), "the same key: the receiver can tell");
    assert!(!extend(&test, first[0].id, "one").await.unwrap());
    finish(&test, &[second[0].id]).await.unwrap();
    test.clock.advance(LEASE);
    assert!(claim(&test, Kind::Mail, "two", 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_fails_is_tried_again_later_each_time_and_then_dead() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    let mut pauses = Vec::new();
    for attempt in 1..=TRIES {
        let claimed = claim(&test, Kind::Mail, "w", 10).await.unwrap();
        assert_eq!(claimed[0].attempt, attempt);
        fail(&test, &claimed[0], "the server hung up\0", Failed::Later).await.unwrap();
        let due = sqlx::query_scalar!("select due_at from outbox").fetch_one(test.pool()).await.unwrap().to_jiff();
        let pause = due.duration_since(test.now());
        pauses.push(pause.as_secs());
        test.clock.advance(pause);
    }
    let lag = lag_of(&test, "mail").await;
    assert_eq!((lag.due, lag.planned, lag.dead), (0, 0, 1));
    for (pause, step) in pauses.iter().zip([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]) {
        assert!((step..=step * 6 / 5).contains(pause), "{pause} for {step}");
    }
}

#[tokio::test]
async fn a_receiver_says_how_long_to_wait_and_when_to_stop() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    let claimed = claim(&test, Kind::Mail, "w", 10).await.unwrap();
    fail(&test, &claimed[0], "busy", Failed::After(SignedDuration::from_hours(1))).await.unwrap();
    test.clock.advance(SignedDuration::from_mins(59));
    assert!(claim(&test, Kind::Mail, "w", 10).await.unwrap().is_empty());
    test.clock.advance(SignedDuration::from_mins(1));
    let claimed = claim(&test, Kind::Mail, "w", 10).await.unwrap();
    fail(&test, &claimed[0], "gone", Failed::ForGood).await.unwrap();
    assert_eq!(lag_of(&test, "mail").await.dead, 1);
}

#[tokio::test]
async fn one_job_that_cannot_be_done_does_not_hold_up_the_others() {
    let test = testing::backend().await;
    let mut tx = test.begin_unsigned().await.unwrap();
    let broken = Work { key: "broken".into(), kind: Kind::Job, payload: json!({ "name": "?" }), due_at: test.now() };
    tx.put(&broken).await.unwrap();
    tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
    tx.commit(()).await.unwrap();
    assert_eq!(settle(&test).await.unwrap(), 2);
    assert_eq!(lag_of(&test, "event").await.due, 0);
    assert_eq!(lag_of(&test, "job").await.planned, 1);
}

#[tokio::test]
async fn what_is_planned_can_be_taken_back() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    let mut connection = test.pool().acquire().await.unwrap();
    assert!(take_back(&mut connection, "a").await.unwrap());
    assert!(!take_back(&mut connection, "a").await.unwrap());
}
