use domain::Role;

use super::*;
use crate::outbox::{self, Failed, Work};
use crate::rfcs::create::{self, NewRfc};
use crate::rfcs::status::{self, ChangeStatus};
use crate::testing::{self, TestBackend};

/// A mail as it waits.
fn mail(subject: &str) -> Value {
    json!({
        "to": "ana@example.com", "to_name": "Ana", "subject": subject, "person": 7, "zone": "UTC", "thread": "team:core",
        "title": { "words": subject, "path": "/teams/core" }, "news": [],
    })
}

async fn put(test: &TestBackend, key: &str, kind: Kind, payload: Value, later: SignedDuration) {
    let mut tx = test.begin_unsigned().await.unwrap();
    let due_at = test.now().checked_add(later).unwrap();
    tx.put(&Work { key: key.into(), kind, payload, due_at }).await.unwrap();
    tx.commit(()).await.unwrap();
}

async fn keys(test: &TestBackend, admin: &Actor, state: State, kind: Option<Kind>) -> Vec<String> {
    let filter = Filter { state: Some(state), kind, webhook: None };
    let listed = list(test, admin, &filter, &PageRequest::default()).await.unwrap().items;
    assert!(listed.iter().all(|delivery| delivery.state == state));
    listed.into_iter().map(|delivery| delivery.key).collect()
}

/// Mails that wait, are planned, failed, are dead and done.
async fn of_every_state(test: &TestBackend) {
    for (key, failed) in [("done", None), ("failed", Some(Failed::Later)), ("dead", Some(Failed::ForGood))] {
        put(test, key, Kind::Mail, mail(&format!("A {key} one")), SignedDuration::ZERO).await;
        let work = outbox::claim(test, Kind::Mail, "me", 1).await.unwrap().remove(0);
        match failed {
            None => outbox::finish(test, &[work.id]).await.unwrap(),
            Some(failed) => outbox::fail(test, &work, "the server is away", failed).await.unwrap(),
        }
    }
    put(test, "waiting", Kind::Mail, mail("A waiting one"), SignedDuration::ZERO).await;
    put(test, "planned", Kind::Job, json!({ "name": "weekly_digest" }), SignedDuration::from_hours(1)).await;
}

#[tokio::test]
async fn every_delivery_is_in_one_state_and_can_be_found_by_it() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    of_every_state(&test).await;
    for state in State::ALL {
        assert_eq!(keys(&test, &admin, state, None).await, [state.as_str()]);
    }
    assert_eq!(keys(&test, &admin, State::Planned, Some(Kind::Mail)).await, [""; 0]);
    let all = list(&test, &admin, &Filter::default(), &PageRequest { limit: Some(2), cursor: None }).await.unwrap();
    assert_eq!(all.items[0].about, "weekly digest");
    assert_eq!((all.items[1].about.as_str(), all.items[1].to.as_deref()), ("A waiting one", Some("ana@example.com")));
    let next = PageRequest { limit: Some(2), cursor: all.next_cursor };
    let next = list(&test, &admin, &Filter::default(), &next).await.unwrap();
    assert_eq!(next.items[0].last_error, "the server is away");
    let reader = testing::person(&test, "Ruth", Role::Lead, None).await;
    assert!(list(&test, &reader, &Filter::default(), &PageRequest::default()).await.is_err());
}

#[tokio::test]
async fn what_is_dead_or_failed_is_sent_again_under_the_same_key() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    of_every_state(&test).await;
    let find = async |key: &str| {
        let all = list(&test, &admin, &Filter::default(), &PageRequest::default()).await.unwrap().items;
        all.into_iter().find(|delivery| delivery.key == key).unwrap()
    };
    for key in ["dead", "failed"] {
        retry(&test, &admin, &find(key).await.id).await.unwrap();
        let now = find(key).await;
        assert_eq!((now.state, now.attempts, now.last_error.as_str()), (State::Waiting, 0, "the server is away"));
    }
    for key in ["done", "planned", "waiting"] {
        let refused = retry(&test, &admin, &find(key).await.id).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::Conflict { .. }))), "{key}");
    }
    let refused = retry(&test, &admin, "999999").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::NotFound { .. }))));
    let mut failed = 0;
    while failed < 3 {
        // A change that was refused lets go of its row a moment later: until then nobody claims it.
        for work in outbox::claim(&test, Kind::Mail, "me", 9).await.unwrap() {
            assert_eq!(work.attempt, 1);
            outbox::fail(&test, &work, "still away", Failed::ForGood).await.unwrap();
            failed += 1;
        }
    }
    for (webhook, key) in [(7, "to seven"), (70, "to seventy")] {
        put(&test, key, Kind::Webhook, json!({ "webhook": webhook }), SignedDuration::ZERO).await;
        let work = outbox::claim(&test, Kind::Webhook, "me", 1).await.unwrap().remove(0);
        outbox::fail(&test, &work, "away", Failed::ForGood).await.unwrap();
    }
    let of = |kind: Option<&str>, webhook: Option<&str>| Filter::read(None, kind, webhook).unwrap();
    assert!(Filter::read(None, Some("pigeon"), None).is_err());
    for (kind, webhook, expected) in [
        (Some("import"), None, 0),
        (Some("mail"), Some("7"), 0),
        (None, Some("7"), 1),
        (Some("webhook"), None, 1),
        (None, None, 3),
    ] {
        let filter = of(kind, webhook);
        assert_eq!(dead(&test, &admin, &filter).await.unwrap(), expected, "{filter:?}");
        assert_eq!(retry_dead(&test, &admin, &filter).await.unwrap(), expected, "{filter:?}");
    }
    assert_eq!(keys(&test, &admin, State::Dead, None).await, [""; 0]);
    let reader = testing::person(&test, "Ruth", Role::Lead, None).await;
    assert!(dead(&test, &reader, &of(None, None)).await.is_err());
}

#[tokio::test]
async fn what_is_dead_can_be_let_go() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    of_every_state(&test).await;
    let all = list(&test, &admin, &Filter::default(), &PageRequest::default()).await.unwrap().items;
    test.clock.advance(SignedDuration::from_hours(24 * 40));
    for Delivery { id, key, .. } in all.iter().filter(|delivery| delivery.state != State::Dead) {
        let refused = let_go(&test, &admin, id).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::Conflict { .. }))), "{key}");
    }
    let dead = &all.iter().find(|delivery| delivery.state == State::Dead).unwrap().id;
    let_go(&test, &admin, dead).await.unwrap();
    let Detail { delivery, .. } = get(&test, &admin, dead).await.unwrap();
    assert_eq!((delivery.state, delivery.last_error.as_str()), (State::Done, "the server is away"));
    assert_eq!(delivery.finished_at, Some(test.now()), "it can be read for a month from now");
    assert!(outbox::lag(&test).await.unwrap().iter().all(|lag| lag.dead == 0));
    for refused in [retry(&test, &admin, dead).await, let_go(&test, &admin, dead).await] {
        assert!(matches!(refused, Err(Error::Refused(Refusal::Conflict { .. }))), "{refused:?}");
    }
    let told =
        sqlx::query!("select verb, after from events order by id desc limit 1").fetch_one(test.pool()).await.unwrap();
    assert_eq!((told.verb.as_str(), told.after), ("delivery.let_go", Some(json!({ "key": "dead" }))));
    let refused = let_go(&test, &admin, "999999").await;
    assert!(matches!(refused, Err(Error::Refused(Refusal::NotFound { .. }))));
    let lead = testing::person(&test, "Ruth", Role::Lead, None).await;
    assert!(matches!(let_go(&test, &lead, dead).await, Err(Error::Refused(Refusal::NotAllowed { .. }))));
}

#[tokio::test]
async fn a_mail_that_tells_of_a_draft_is_shown_to_no_other_admin() {
    let test = testing::backend().await;
    let ana = testing::person(&test, "Ana", Role::Member, None).await;
    let root = testing::person(&test, "Root", Role::Admin, None).await;
    let new = NewRfc { title: "Secret".into(), kind: "slo".into(), body: "B".into(), services: vec![] };
    let number = create::create(&test, &ana, new).await.unwrap().number;
    let (draft, page) = (format!("rfc:{number}"), format!("/rfcs/{number}"));
    for (key, person, thread, listed) in [
        ("news", ana.id, draft.as_str(), "/teams/core"),
        ("digest", ana.id, "digest", page.as_str()),
        ("own", root.id, draft.as_str(), page.as_str()),
        ("other", ana.id, "team:core", "/teams/core"),
    ] {
        let mut told = mail("Secret");
        (told["person"], told["thread"]) = (json!(person), json!(thread));
        told["sections"] = json!([{ "title": "Listed", "rows": [["Secret", listed]] }]);
        put(&test, key, Kind::Mail, told, SignedDuration::ZERO).await;
    }
    put(&test, "no mail", Kind::Mail, json!({ "to": "ana@example.com", "text": "Secret" }), SignedDuration::ZERO).await;
    let hidden = async || {
        let mut hidden = Vec::new();
        let mails = Filter { kind: Some(Kind::Mail), ..Filter::default() };
        for listed in list(&test, &root, &mails, &PageRequest::default()).await.unwrap().items {
            let detail = get(&test, &root, &listed.id).await.unwrap();
            assert_eq!(detail.delivery, listed);
            assert_eq!(listed.to.as_deref(), Some("ana@example.com"));
            if listed.withheld {
                assert_eq!(listed.about, "A mail about a draft");
                assert_eq!((detail.payload.clone(), detail.mail()), (json!({ "to": "ana@example.com" }), None));
                hidden.push(listed.key);
            } else {
                assert_eq!(listed.about, "Secret");
                assert!(detail.mail().unwrap().text.contains("Secret"));
            }
        }
        hidden
    };
    assert_eq!(hidden().await, ["no mail", "digest", "news"]);
    let change = ChangeStatus { to: "in_review".into(), reason: None };
    status::change_status(&test, &ana, number, change).await.unwrap();
    assert_eq!(hidden().await, ["no mail"]);
}

#[tokio::test]
async fn a_list_is_planned_for_its_filters() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    for _ in 0..60 {
        list(&test, &admin, &Filter::default(), &PageRequest::default()).await.unwrap();
    }
    let (mut held, mut planned) = (Vec::new(), 0);
    for _ in 0..test.pool().size() {
        let mut connection = test.pool().acquire().await.unwrap();
        let plans = sqlx::query!(
            r#"select coalesce(sum(generic_plans), 0)::bigint as "for_all!", coalesce(sum(custom_plans), 0)::bigint as "own!"
               from pg_prepared_statements where starts_with(statement, 'select outbox.id, key')"#,
        );
        let plans = plans.fetch_one(&mut *connection).await.unwrap();
        assert_eq!(plans.for_all, 0);
        planned += plans.own;
        held.push(connection);
    }
    assert_eq!(planned, 60);
}

#[tokio::test]
async fn work_that_was_not_tried_loses_no_try() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    put(&test, "one", Kind::Mail, json!({}), SignedDuration::ZERO).await;
    for _ in 0..outbox::TRIES * 2 {
        let work = outbox::claim(&test, Kind::Mail, "me", 1).await.unwrap().remove(0);
        outbox::fail(&test, &work, "others first", Failed::NotYet(SignedDuration::from_secs(5))).await.unwrap();
        assert!(outbox::claim(&test, Kind::Mail, "me", 1).await.unwrap().is_empty());
        test.clock.advance(SignedDuration::from_secs(5));
    }
    let delivery = list(&test, &admin, &Filter::default(), &PageRequest::default()).await.unwrap().items.remove(0);
    assert_eq!((delivery.attempts, delivery.last_error.as_str()), (0, "others first"));
}

#[tokio::test]
async fn tries_are_kept_for_a_month_with_the_beginning_of_the_answer() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    put(&test, "one", Kind::Webhook, json!({ "webhook": 7 }), SignedDuration::ZERO).await;
    let work = outbox::claim(&test, Kind::Webhook, "me", 1).await.unwrap().remove(0);
    let mut answer = b"a\0b\xff\n".to_vec();
    answer.resize(5000, b'x');
    let outcome = Outcome { status: Some(500), answer, error: "answered 500".into(), ..Outcome::default() };
    record(&test, &work, &outcome).await.unwrap();
    let detail = get(&test, &admin, &work.id.to_string()).await.unwrap();
    assert_eq!((detail.tries.len(), detail.tries[0].status, detail.webhook_id), (1, Some(500), None));
    assert!(detail.tries[0].answer.starts_with("ab\u{fffd}\nxxx") && detail.tries[0].answer.len() <= ANSWER_BYTES + 2);
    assert_eq!(delete_old(&test).await.unwrap(), 0);
    test.clock.advance(KEPT);
    assert_eq!(delete_old(&test).await.unwrap(), 1);
}
