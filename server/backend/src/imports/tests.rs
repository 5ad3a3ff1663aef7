//! What was handed in, on a database: death of a process, somebody's change of mind, old files.

use std::time::Duration;

use domain::Role;
use jiff::SignedDuration;

use super::*;
use crate::outbox::{self, Claimed, Kind as Sort};
use crate::services;
use crate::testing::{self, TestBackend};

const FILE: &str = "services:\n- name: a\n  tier: db\n- name: b\n- name: c\n- name: d\n";

async fn ready(test: &TestBackend, admin: &Actor, file: &str) -> Import {
    let new = NewImport { kind: Kind::Catalog, name: "catalog.yml".into(), options: Map::new() };
    let import = hand_in(test, admin, new, file.as_bytes()).await.unwrap();
    assert_eq!(import.state, State::Checking);
    settle(test).await;
    get(test, admin, import.id).await.unwrap()
}

async fn claimed(test: &TestBackend) -> Vec<Claimed> {
    outbox::claim(test, Sort::Import, "test", 10).await.unwrap()
}

async fn settle(test: &TestBackend) {
    for claimed in claimed(test).await {
        work(test, &claimed.payload).await.unwrap();
        outbox::finish(test, &[claimed.id]).await.unwrap();
    }
}

async fn slugs(test: &TestBackend) -> Vec<String> {
    sqlx::query_scalar!("select slug from services order by slug").fetch_all(test.pool()).await.unwrap()
}

async fn admin(test: &TestBackend) -> Actor {
    testing::person(test, "Ruth", Role::Admin, None).await
}

fn status<T: std::fmt::Debug>(answer: Result<T>) -> u16 {
    match answer {
        Err(Error::Refused(refusal)) => refusal.status(),
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_changed_before_somebody_says_so() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    assert_eq!((import.state, import.found.of("new service")), (State::Ready, 4));
    assert!(slugs(&test).await.is_empty());
    let discarded = discard(&test, &admin, import.id).await.unwrap();
    assert_eq!((discarded.state, discarded.has_file), (State::Discarded, false));
    assert_eq!(status(apply(&test, &admin, import.id).await), 409);

    let import = ready(&test, &admin, FILE).await;
    apply(&test, &admin, import.id).await.unwrap();
    assert_eq!(status(apply(&test, &admin, import.id).await), 409, "once");
    settle(&test).await;
    let import = get(&test, &admin, import.id).await.unwrap();
    assert_eq!((import.state, import.did.clone()), (State::Applied, import.found.clone()));
    assert_eq!(Some(import.done), import.total);
    let page = PageRequest::default();
    let shown = lines(&test, &admin, import.id, Phase::Check, None, &page).await.unwrap().items;
    let done = lines(&test, &admin, import.id, Phase::Apply, None, &page).await.unwrap().items;
    assert_eq!((shown.len(), shown), (4, done));
    assert_eq!(slugs(&test).await, ["a", "b", "c", "d"]);

    let again = ready(&test, &admin, FILE).await;
    assert_eq!((again.found.with(Outcome::New), again.found.of("unchanged service")), (0, 4));
    for role in [Role::Reader, Role::Lead] {
        let other = testing::person(&test, role.label(), role, None).await;
        assert_eq!(status(get(&test, &other, again.id).await), 403);
        assert_eq!(status(apply(&test, &other, again.id).await), 403);
    }
}

#[tokio::test]
async fn another_process_goes_on_where_one_died() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    apply(&test, &admin, import.id).await.unwrap();
    // Dies while it writes the third service: what is open is rolled back, the lease runs out.
    let claimed_first = claimed(&test).await.remove(0);
    let mut owner = testing::owner(&test).await;
    for statement in [
        "create function die() returns trigger language plpgsql as
         $$ begin if new.slug = 'c' then perform pg_sleep(30); end if; return new; end $$",
        "create trigger die before insert on services for each row execute function die()",
    ] {
        sqlx::Executor::execute(&mut owner, statement).await.unwrap();
    }
    let death = tokio::time::timeout(Duration::from_millis(700), work(&test, &claimed_first.payload)).await;
    assert!(death.is_err());
    for statement in [
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and query like '%insert into services%' and pid <> pg_backend_pid()",
        "drop trigger die on services",
    ] {
        sqlx::Executor::execute(&mut owner, statement).await.unwrap();
    }
    let half = get(&test, &admin, import.id).await.unwrap();
    assert_eq!((half.state, half.did.of("new service")), (State::Applying, 2));
    assert_eq!(slugs(&test).await, ["a", "b"]);

    assert!(claimed(&test).await.is_empty(), "the lease holds the others off");
    test.clock.advance(SignedDuration::from_secs(61));
    settle(&test).await;
    let whole = get(&test, &admin, import.id).await.unwrap();
    assert_eq!((whole.state, whole.did.of("new service")), (State::Applied, 4));
    assert_eq!(slugs(&test).await, ["a", "b", "c", "d"]);
    let made = sqlx::query_scalar!(r#"select count(*) as "n!" from events where verb = 'service.created'"#);
    assert_eq!(made.fetch_one(test.pool()).await.unwrap(), 4, "each once");
    let reported = lines(&test, &admin, import.id, Phase::Apply, None, &PageRequest::default()).await.unwrap();
    assert_eq!(reported.items.len(), 4);
}

#[tokio::test]
async fn two_processes_at_one_import_write_nothing_twice() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    apply(&test, &admin, import.id).await.unwrap();
    let claimed = claimed(&test).await.remove(0);
    let (_, _) = tokio::join!(work(&test, &claimed.payload), work(&test, &claimed.payload));
    // One of them may have stopped for the other; whoever comes next finishes.
    work(&test, &claimed.payload).await.unwrap();
    let import = get(&test, &admin, import.id).await.unwrap();
    assert_eq!((import.state, import.did.of("new service")), (State::Applied, 4));
    let made = sqlx::query_scalar!(r#"select count(*) as "n!" from events where verb = 'service.created'"#);
    assert_eq!(made.fetch_one(test.pool()).await.unwrap(), 4);
}

#[tokio::test]
async fn what_was_stopped_can_be_gone_on_with() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    apply(&test, &admin, import.id).await.unwrap();
    let stopped = cancel(&test, &admin, import.id).await.unwrap();
    assert_eq!(stopped.state, State::Cancelled);
    settle(&test).await;
    assert!(slugs(&test).await.is_empty(), "stopped before it was begun");
    assert_eq!(status(cancel(&test, &admin, import.id).await), 409);
    apply(&test, &admin, import.id).await.unwrap();
    settle(&test).await;
    assert_eq!(slugs(&test).await.len(), 4);
}

#[tokio::test]
async fn the_report_says_what_really_happened() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    let input = services::ServiceInput { name: "By hand".into(), tier: 1, ..services::ServiceInput::default() };
    services::put(&test, &admin, "a", crate::Expected::Absent, input).await.unwrap();
    apply(&test, &admin, import.id).await.unwrap();
    settle(&test).await;
    let import = get(&test, &admin, import.id).await.unwrap();
    assert_eq!((import.found.of("new service"), import.did.of("new service")), (4, 3));
    assert_eq!((import.did.of("changed service"), import.did.of("kept service")), (1, 1));
}

#[tokio::test]
async fn whoever_lost_the_right_meanwhile_changes_nothing() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    apply(&test, &admin, import.id).await.unwrap();
    sqlx::query!("update people set role = 'lead' where id = $1", admin.id).execute(test.pool()).await.unwrap();
    settle(&test).await;
    let import = get(&test, &admin, import.id).await.unwrap();
    assert_eq!(import.state, State::Failed);
    assert!(import.problem.contains("admin"), "{}", import.problem);
    assert!(slugs(&test).await.is_empty());
}

#[tokio::test]
async fn a_file_is_compared_anew_in_the_name_of_whoever_asks() {
    let test = testing::backend().await;
    let (ruth, root) = (admin(&test).await, testing::person(&test, "Root", Role::Admin, None).await);
    let import = ready(&test, &ruth, FILE).await;
    apply(&test, &ruth, import.id).await.unwrap();
    sqlx::query!("update people set disabled_at = created_at where id = $1", ruth.id)
        .execute(test.pool())
        .await
        .unwrap();
    settle(&test).await;
    let failed = get(&test, &root, import.id).await.unwrap();
    assert_eq!((failed.state, failed.applied_by.as_deref()), (State::Failed, Some("Ruth")));
    read_again(&test, &root, import.id, Map::new()).await.unwrap();
    settle(&test).await;
    let again = get(&test, &root, import.id).await.unwrap();
    assert_eq!((again.state, again.applied_by, again.problem), (State::Ready, None, String::new()));
    assert_eq!(again.found, import.found);
}

#[tokio::test]
async fn what_a_kind_cannot_be_read_with_is_refused_at_once() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    for (kind, options, field) in [
        (Kind::Catalog, json!({ "tier": 9 }), "options.tier"),
        (Kind::Catalog, json!({ "tier": "high" }), "options.tier"),
        (Kind::Catalog, json!({ "zone": "UTC" }), "options"),
        (Kind::Incidents, json!({ "zone": "Mars/Base" }), "options.zone"),
        (Kind::Incidents, json!({ "colour": "red" }), "options"),
    ] {
        let Value::Object(options) = options else { panic!("an object") };
        let new = || NewImport { kind, name: "a".into(), options: options.clone() };
        let mut answers =
            vec![hand_in(&test, &admin, new(), b"a").await.map(drop), begin(&test, &admin, new()).await.map(drop)];
        if kind == Kind::Catalog {
            answers.push(read_again(&test, &admin, import.id, options.clone()).await.map(drop));
        }
        for answer in answers {
            match answer {
                Err(Error::Refused(refusal)) => assert!(refusal.message_for(field).is_some(), "{field}: {refusal:?}"),
                other => panic!("expected a refusal: {other:?}"),
            }
        }
    }
    let same = get(&test, &admin, import.id).await.unwrap();
    assert_eq!((same.version, same.found), (import.version, import.found), "nothing of it is lost");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_fails_with_its_line() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, "services:\n\t- name: a\n").await;
    assert_eq!(import.state, State::Failed);
    assert!(import.problem.starts_with("Line 2: "), "{}", import.problem);
    let new = |name: &str| NewImport { kind: Kind::Catalog, name: name.into(), options: Map::new() };
    assert_eq!(status(hand_in(&test, &admin, new("x"), b"").await), 422);
    assert_eq!(status(hand_in(&test, &admin, new(""), b"a").await), 422);
    let large = vec![b'#'; limits::CATALOG_FILE_BYTES + 1];
    assert_eq!(status(hand_in(&test, &admin, new("x"), &large).await), 413);
}

#[tokio::test]
async fn old_files_go_and_their_reports_stay() {
    let test = testing::backend().await;
    let admin = admin(&test).await;
    let import = ready(&test, &admin, FILE).await;
    let new = NewImport { kind: Kind::Incidents, name: "x.csv".into(), options: Map::new() };
    let arriving = begin(&test, &admin, new).await.unwrap();
    add_part(&test, arriving, 0, b"a,b").await.unwrap();
    assert_eq!(delete_old(&test).await.unwrap(), 0);
    test.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(delete_old(&test).await.unwrap(), 0);
    assert_eq!(status(get(&test, &admin, arriving).await), 404, "it never came");
    test.clock.advance(SignedDuration::from_hours(24 * 30));
    assert_eq!(delete_old(&test).await.unwrap(), 1);
    let import = get(&test, &admin, import.id).await.unwrap();
    assert!(!import.has_file);
    assert_eq!(status(apply(&test, &admin, import.id).await), 409);
    let kept = lines(&test, &admin, import.id, Phase::Check, None, &PageRequest::default()).await.unwrap();
    assert_eq!(kept.items.len(), 4);
}
