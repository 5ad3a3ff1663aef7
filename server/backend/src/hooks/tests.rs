use domain::Role;
use jiff::SignedDuration;

use super::*;
use crate::testing::{self, TestBackend};

/// What a pager says.
const SLOW: &str =
    r#"{"external_id":"P-1","title":"Checkout is slow","severity":2,"started_at":"2026-11-02T08:00:00Z"}"#;

/// A call as a sender makes it.
struct Sent {
    id: String,
    timestamp: i64,
    body: Vec<u8>,
    signatures: String,
}

fn sent(test: &TestBackend, secret: &Secret, id: &str, body: &str) -> Sent {
    let timestamp = test.now().as_second();
    let signatures = signature::header(std::slice::from_ref(secret), id, timestamp, body.as_bytes()).unwrap();
    Sent { id: id.into(), timestamp, body: body.into(), signatures }
}

async fn call(test: &TestBackend, hook: &str, sent: &Sent) -> Result<Option<Value>> {
    let Sent { id, timestamp, body, signatures } = sent;
    let received = receive(test, hook, Incoming { id, timestamp: *timestamp, signatures, body }).await?;
    Ok(match received {
        Received::Done(answer) => Some(answer),
        Received::Unknown => None,
    })
}

async fn effects(test: &TestBackend) -> i64 {
    let calls = sqlx::query_scalar!(r#"select count(*) as "n!" from hook_calls"#);
    calls.fetch_one(test.pool()).await.unwrap()
}

#[tokio::test]
async fn a_call_has_its_effect_once_however_often_it_comes() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    let Made { hook, secret } = create(&test, &admin, "PagerDuty", "incidents").await.unwrap();
    let first = sent(&test, &secret, "msg_1", SLOW);
    let (one, two) = tokio::join!(call(&test, &hook.id, &first), call(&test, &hook.id, &first));
    let answer = one.unwrap().unwrap();
    assert_eq!(two.unwrap(), Some(answer.clone()));
    // Sent again a day later, as senders do, with a new time and signature.
    test.clock.advance(SignedDuration::from_hours(24));
    let again = sent(&test, &secret, "msg_1", SLOW);
    assert_eq!(call(&test, &hook.id, &again).await.unwrap(), Some(answer));
    assert_eq!(effects(&test).await, 1);
    let recorded = sqlx::query_scalar!("select verb from events where subject_kind = 'incident'");
    assert_eq!(recorded.fetch_all(test.pool()).await.unwrap(), ["incident.recorded"]);
    let other = sent(&test, &secret, "msg_1", r#"{"external_id":"P-2"}"#);
    assert!(matches!(call(&test, &hook.id, &other).await, Err(Error::Refused(Refusal::Conflict { .. }))));
    assert!(list(&test, &admin).await.unwrap()[0].last_call_at.is_some());
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace_and_can_be_mended_under_the_same_id() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    let Made { hook, secret } = create(&test, &admin, "PagerDuty", "incidents").await.unwrap();
    for broken in ["", "{", "[1", "\u{0}", "7", "{}", r#"{"external_id":"P-1","colour":"red"}"#] {
        let refused = call(&test, &hook.id, &sent(&test, &secret, "msg_1", broken)).await;
        assert!(matches!(refused, Err(Error::Refused(Refusal::Invalid { .. }))), "{broken}: {refused:?}");
    }
    assert_eq!(effects(&test).await, 0);
    let mended = sent(&test, &secret, "msg_1", SLOW);
    assert!(call(&test, &hook.id, &mended).await.unwrap().is_some());
}

#[tokio::test]
async fn only_who_knows_a_secret_of_a_living_hook_is_let_in() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    let Made { hook, secret } = create(&test, &admin, "PagerDuty", "incidents").await.unwrap();
    let other = create(&test, &admin, "Grafana", "incidents").await.unwrap();
    let body = SLOW;
    let allowed = async |hook: &str, sent: &Sent| call(&test, hook, sent).await.unwrap().is_some();
    assert!(!allowed("AAAAAAAAAAAAAAAAAAAAAA", &sent(&test, &secret, "a", body)).await);
    assert!(!allowed(&hook.id, &sent(&test, &other.secret, "a", body)).await);
    let mut altered = sent(&test, &secret, "a", body);
    altered.body.push(b' ');
    assert!(!allowed(&hook.id, &altered).await);
    assert!(!allowed(&hook.id, &Sent { signatures: String::new(), ..sent(&test, &secret, "a", body) }).await);
    assert_eq!(effects(&test).await, 0);

    let rotated = rotate(&test, &admin, &hook.id).await.unwrap();
    assert!(allowed(&hook.id, &sent(&test, &secret, "b", body)).await, "the old one for a day");
    assert!(allowed(&hook.id, &sent(&test, &rotated.secret, "c", body)).await);
    test.clock.advance(OLD_SECRET_VALID);
    assert!(!allowed(&hook.id, &sent(&test, &secret, "d", body)).await);
    revoke(&test, &admin, &hook.id).await.unwrap();
    assert!(!allowed(&hook.id, &sent(&test, &rotated.secret, "e", body)).await);
    assert_eq!(list(&test, &admin).await.unwrap().len(), 1);
    // Its name is free again.
    create(&test, &admin, "PagerDuty", "incidents").await.unwrap();
    assert!(create(&test, &admin, "PagerDuty", "incidents").await.is_err());
}

#[tokio::test]
async fn only_admins_make_rotate_and_revoke_hooks() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    let lead = testing::person(&test, "Lee", Role::Lead, None).await;
    let id = create(&test, &admin, "PagerDuty", "incidents").await.unwrap().hook.id;
    for refused in [
        create(&test, &lead, "X", "incidents").await.err(),
        rotate(&test, &lead, &id).await.err(),
        revoke(&test, &lead, &id).await.err(),
        list(&test, &lead).await.err(),
    ] {
        assert!(refused.unwrap().to_string().contains("Only an admin"));
    }
    assert!(create(&test, &admin, " ", "lunch").await.unwrap_err().to_string().contains("incidents"));
}
