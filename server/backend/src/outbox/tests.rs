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
async fn a_lock_that_somebody_holds_puts_off_only_what_needs_it() {
    let test = testing::backend().await;
    let needs = Work { key: "needs".into(), kind: Kind::Job, payload: chase(&test), due_at: test.now() };
    let mut tx = test.begin_unsigned().await.unwrap();
    tx.put(&needs).await.unwrap();
    tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
    tx.commit(()).await.unwrap();
    // Somebody in psql who went to lunch.
    let mut owner = testing::owner(&test).await;
    sqlx::Executor::execute(&mut owner, "begin").await.unwrap();
    sqlx::Executor::execute(&mut owner, "lock table follow_ups in access exclusive mode").await.unwrap();
    assert_eq!(settle(&test).await.unwrap(), 2);
    assert_eq!((lag_of(&test, "event").await.due, lag_of(&test, "job").await.planned), (0, 1));
    let row = sqlx::query!("select attempts, last_error from outbox where key = 'needs'").fetch_one(test.pool()).await;
    let row = row.unwrap();
    assert!(row.attempts == 0 && !row.last_error.is_empty(), "no try, but to be seen: {row:?}");
    sqlx::Executor::execute(&mut owner, "rollback").await.unwrap();
    test.clock.advance(PUT_OFF);
    assert_eq!(settle(&test).await.unwrap(), 1);
    assert_eq!(lag_of(&test, "job").await, Lag { kind: "job".into(), due: 0, oldest_seconds: 0, planned: 0, dead: 0 });
}

/// The job that looks through the follow-ups.
fn chase(test: &TestBackend) -> Value {
    json!({ "name": crate::follow_ups::chase::JOB, "at": test.now() })
}

#[tokio::test]
async fn work_that_ends_every_server_is_given_up() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    for _ in 1..=TRIES {
        assert_eq!(bury(&test).await.unwrap(), 0);
        assert_eq!(claim(&test, Kind::Mail, "w", 10).await.unwrap().len(), 1);
        // Nobody says how it went.
        test.clock.advance(LEASE);
    }
    assert!(claim(&test, Kind::Mail, "w", 10).await.unwrap().is_empty());
    assert_eq!(bury(&test).await.unwrap(), 1);
    assert_eq!(lag_of(&test, "mail").await.dead, 1);
}

#[tokio::test]
async fn who_lost_the_lease_has_no_say_any_more() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    let frozen = claim(&test, Kind::Mail, "one", 10).await.unwrap().remove(0);
    test.clock.advance(LEASE);
    let other = claim(&test, Kind::Mail, "two", 10).await.unwrap().remove(0);
    fail(&test, &frozen, "the connection is gone", Failed::Later).await.unwrap();
    test.clock.advance(SignedDuration::from_secs(10));
    assert!(claim(&test, Kind::Mail, "three", 10).await.unwrap().is_empty(), "the other one is at it");
    fail(&test, &other, "busy", Failed::Later).await.unwrap();
    fail(&test, &frozen, "the connection is still gone", Failed::ForGood).await.unwrap();
    test.clock.advance(SignedDuration::from_mins(7));
    assert_eq!(claim(&test, Kind::Mail, "three", 10).await.unwrap()[0].attempt, 3);
}

#[tokio::test]
async fn what_was_put_off_was_no_try() {
    let test = testing::backend().await;
    mail(&test, "a").await;
    for _ in 0..2 * TRIES {
        let work = claim(&test, Kind::Mail, "w", 10).await.unwrap().remove(0);
        assert_eq!(work.attempt, 1);
        fail(&test, &work, "not now", Failed::NotYet(SignedDuration::from_hours(1))).await.unwrap();
        test.clock.advance(SignedDuration::from_mins(59));
        assert!(claim(&test, Kind::Mail, "w", 10).await.unwrap().is_empty());
        test.clock.advance(SignedDuration::from_mins(1));
    }
}
