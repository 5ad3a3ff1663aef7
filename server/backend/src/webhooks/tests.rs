use std::collections::BTreeSet;
use std::path::PathBuf;

use domain::Role;

use super::*;
use crate::rfcs::create::{self, NewRfc};
use crate::rfcs::status::{self, ChangeStatus};
use crate::rfcs::threads::{self, NewThread};
use crate::rfcs::update::{self, UpdateRfc};
use crate::testing::{self, TestBackend};
use crate::{events, outbox};

fn input(name: &str, events: &[&str]) -> WebhookInput {
    WebhookInput {
        name: name.into(),
        url: "https://hooks.example.com/in?x=1".into(),
        format: "standard".into(),
        events: events.iter().map(ToString::to_string).collect(),
        active: true,
    }
}

async fn settle(test: &TestBackend) {
    while outbox::settle(test).await.unwrap() > 0 {}
}

/// Keys and messages of the calls in the outbox.
async fn calls(test: &TestBackend) -> Vec<(String, Message)> {
    let rows = sqlx::query!("select key, payload from outbox where kind = 'webhook' order by id")
        .fetch_all(test.pool())
        .await
        .unwrap();
    rows.into_iter().map(|row| (row.key, serde_json::from_value::<Call>(row.payload).unwrap().message)).collect()
}

async fn draft(test: &TestBackend, author: &Actor) -> i64 {
    let new = NewRfc { title: "Shard".into(), kind: "architecture".into(), body: "One.\n".into(), services: vec![] };
    create::create(test, author, new).await.unwrap().number
}

async fn publish(test: &TestBackend, author: &Actor, number: i64) {
    let change = ChangeStatus { to: "in_review".into(), reason: None };
    status::change_status(test, author, number, change).await.unwrap();
}

#[tokio::test]
async fn every_active_webhook_that_wants_an_event_gets_one_call_of_it() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    let all = create(&test, &admin, input("All", &[])).await.unwrap().webhook;
    let rfcs = create(&test, &admin, input("RFCs", &["rfc"])).await.unwrap().webhook;
    create(&test, &admin, input("Services", &["service.created"])).await.unwrap();
    create(&test, &admin, WebhookInput { active: false, ..input("Off", &[]) }).await.unwrap();
    let number = draft(&test, &admin).await;
    publish(&test, &admin, number).await;
    let new = NewThread { revision: 1, start: None, end: None, body: "Why?".into(), severity: "note".into() };
    threads::open(&test, &admin, number, new).await.unwrap();
    settle(&test).await;

    let calls = calls(&test).await;
    let said: Vec<_> = calls.iter().map(|(_, message)| message.words()).collect();
    let published = "Ada published RFC-1 Shard.";
    assert_eq!(said, [published, published, "Ada opened a thread on RFC-1 Shard."], "nothing of the draft");
    let event = calls[0].1.event.clone().unwrap();
    assert_eq!(calls[0].0, format!("webhook:{}:event:{event}", all.id));
    assert_eq!(calls[1].0, format!("webhook:{}:event:{event}", rfcs.id));
}

#[tokio::test]
async fn what_happened_while_it_was_a_draft_stays_inside_also_when_it_is_told_late() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    create(&test, &admin, input("All", &[])).await.unwrap();
    let (published, deleted) = (draft(&test, &admin).await, draft(&test, &admin).await);
    test.clock.advance(SignedDuration::from_secs(60));
    publish(&test, &admin, published).await;
    status::delete(&test, &admin, deleted, Expected::Version(1)).await.unwrap();
    settle(&test).await;
    let said: Vec<_> = calls(&test).await.into_iter().map(|(_, message)| message.r#type).collect();
    assert_eq!(said, ["rfc.published"]);
}

#[tokio::test]
async fn a_changed_rfc_says_what_was_changed_and_not_whom_the_draft_was_shared_with() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    create(&test, &admin, input("All", &["rfc.changed"])).await.unwrap();
    let number = draft(&test, &admin).await;
    publish(&test, &admin, number).await;
    let change =
        UpdateRfc { title: Some("Split".into()), shared_with: Some(vec![admin.email.clone()]), ..UpdateRfc::default() };
    update::update(&test, &admin, number, Expected::Any, change).await.unwrap();
    settle(&test).await;
    let (_, message) = calls(&test).await.remove(0);
    assert_eq!(message.after, Some(json!({ "title": "Split" })));
    assert_eq!(message.words(), "Ada changed the title of RFC-1 Split to “Split”.");
}

/// Events that stay inside although others of their noun go out: of drafts, of accounts, and the one that many incidents
/// get at once.
const INSIDE: [&str; 9] = [
    "incident.services_named",
    "person.invitation_withdrawn",
    "person.invited",
    "person.password_changed",
    "person.password_reset",
    "person.preferences_changed",
    "person.signed_in",
    "rfc.created",
    "rfc.deleted",
];

#[test]
fn every_verb_goes_out_or_is_meant_to_stay_inside() {
    let mut written = BTreeSet::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let rust = path.extension().is_some_and(|extension| extension == "rs");
            // Tests make up verbs.
            if path.file_stem().is_some_and(|name| name == "tests") || !(rust || path.is_dir()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let verbs = code.split('"').filter(|word| {
                let (noun, verb) = word.split_once('.').unwrap_or_default();
                let form = |letter: char| letter.is_ascii_lowercase() || letter == '_';
                webhook::NOUNS.iter().any(|(known, _)| *known == noun) && !verb.is_empty() && verb.chars().all(form)
            });
            written.extend(verbs.map(str::to_owned));
        }
    }
    let known: BTreeSet<_> = webhook::VERBS.into_iter().chain(INSIDE).map(str::to_owned).collect();
    assert_eq!(written, known);
}

#[tokio::test]
async fn admins_are_told_when_a_webhook_stops_by_itself_and_once_a_day_when_it_gives_up() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    testing::person(&test, "Lee", Role::Lead, None).await;
    let other = testing::person(&test, "Ben", Role::Admin, None).await;
    let id = create(&test, &other, input("Chat", &[])).await.unwrap().webhook.id;
    let key: i64 = id.parse().unwrap();
    for _ in 0..3 {
        give_up(&test, key).await.unwrap();
    }
    test.clock.advance(SignedDuration::from_hours(24));
    give_up(&test, key).await.unwrap();
    give_up(&test, key + 1).await.unwrap();
    for _ in 0..2 {
        disable_gone(&test, key, "https://hooks.example.com/in?x=1").await.unwrap();
    }
    switch(&test, &other, &id, true).await.unwrap();
    switch(&test, &other, &id, false).await.unwrap();
    settle(&test).await;
    let told = sqlx::query!("select person_id, text from notices where kind = 'webhook' order by id");
    let told = told.fetch_all(test.pool()).await.unwrap();
    let texts = |person: i64| -> Vec<_> {
        told.iter().filter(|notice| notice.person_id == person).map(|notice| notice.text.as_str()).collect()
    };
    let (gave_up, stopped) = ("A call failed for three days and was given up", "It is not called any more");
    assert_eq!(texts(admin.id), [gave_up, gave_up, stopped], "what an admin did is no news to the others");
    assert_eq!(texts(other.id).len(), 3);
    assert_eq!(told.len(), 6);
}

#[tokio::test]
async fn a_long_change_is_left_out() {
    let test = testing::backend().await;
    let mut tx = test.begin_unsigned().await.unwrap();
    let long = json!({ "name": "Core", "text": "x".repeat(20_000) });
    tx.event("team.changed", &Subject::team("core"), None, Some(long)).await.unwrap();
    tx.commit(()).await.unwrap();
    let (_, event) = events::after(&test, events::Position::default(), 1).await.unwrap().remove(0);
    let mut tx = test.begin_unsigned().await.unwrap();
    let message = Message::of(&mut tx, &event).await.unwrap().unwrap();
    let body = message.body(Format::Standard, "https://p.example", "/teams/core").unwrap();
    assert!(message.abridged && message.after.is_none() && body.len() < 1000, "{body}");
    assert_eq!(message.subject.unwrap().title.as_deref(), Some("Core"));
}

#[tokio::test]
async fn a_rotated_secret_stays_valid_for_a_day() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    let made = create(&test, &admin, input("All", &[])).await.unwrap();
    let key: i64 = made.webhook.id.parse().unwrap();
    let valid = async || target(&test, key).await.unwrap().unwrap().secrets;
    assert_eq!(valid().await, std::slice::from_ref(&made.secret));
    let rotated = rotate(&test, &admin, &made.webhook.id).await.unwrap();
    assert_ne!(rotated.secret, made.secret);
    assert_eq!(rotated.webhook.version, 2);
    assert_eq!(valid().await, [rotated.secret.clone(), made.secret.clone()]);
    test.clock.advance(OLD_SECRET_VALID);
    assert_eq!(valid().await, [rotated.secret]);
    assert_eq!(get(&test, &admin, &made.webhook.id).await.unwrap().previous_secret_until, None);
}

#[tokio::test]
async fn a_webhook_is_changed_switched_off_and_deleted_by_admins_only() {
    let test = testing::backend().await;
    let admin = testing::person(&test, "Ada", Role::Admin, None).await;
    let lead = testing::person(&test, "Lee", Role::Lead, None).await;
    let refused = |result: Result<Webhook>| result.unwrap_err().to_string();
    assert!(create(&test, &lead, input("X", &[])).await.unwrap_err().to_string().contains("Only an admin"));
    let id = create(&test, &admin, input("All", &["rfc"])).await.unwrap().webhook.id;
    assert!(create(&test, &admin, input("All", &[])).await.unwrap_err().to_string().contains("already a webhook"));

    let off = WebhookInput { active: false, ..input("All", &["rfc"]) };
    assert!(refused(change(&test, &admin, &id, Expected::Unstated, off.clone()).await).contains("If-Match"));
    assert!(refused(change(&test, &lead, &id, Expected::Version(1), off.clone()).await).contains("Only an admin"));
    let webhook = change(&test, &admin, &id, Expected::Version(1), off.clone()).await.unwrap();
    assert!(!webhook.active && webhook.version == 2 && webhook.disabled_reason.is_empty());
    assert_eq!(change(&test, &admin, &id, Expected::Version(2), off).await.unwrap().version, 2, "nothing to change");
    assert!(super::test(&test, &admin, &id).await.unwrap_err().to_string().contains("enable it"));
    let webhook = change(&test, &admin, &id, Expected::Version(2), input("All", &["rfc"])).await.unwrap();
    assert!(webhook.active && webhook.disabled_at.is_none());

    super::test(&test, &admin, &id).await.unwrap();
    assert!(super::test(&test, &admin, &id).await.unwrap_err().to_string().contains("still on its way"));
    disable_gone(&test, id.parse().unwrap(), "https://hooks.example.com/before").await.unwrap();
    assert!(get(&test, &admin, &id).await.unwrap().active, "it was the one before that is gone");
    disable_gone(&test, id.parse().unwrap(), &webhook.url).await.unwrap();
    let gone = get(&test, &admin, &id).await.unwrap();
    assert!(!gone.active && gone.disabled_reason.contains("410"));
    assert_eq!(calls(&test).await.len(), 1);
    delete(&test, &admin, &id, Expected::Version(4)).await.unwrap();
    assert!(calls(&test).await.is_empty() && list(&test, &admin).await.unwrap().is_empty());
    let verbs = sqlx::query_scalar!("select verb from events where subject_kind = 'webhook' order by id");
    let expected =
        ["created", "disabled", "enabled", "tested", "disabled", "deleted"].map(|verb| format!("webhook.{verb}"));
    assert_eq!(verbs.fetch_all(test.pool()).await.unwrap(), expected);
}

#[test]
fn addresses_are_checked_as_far_as_they_can_be() {
    for good in ["https://example.com", "http://10.0.0.1:8080/x", "https://[2001:db8::1]/hook?token=a"] {
        assert!(address(good).is_ok(), "{good}");
    }
    for wrong in [
        "",
        "example.com",
        "ftp://x",
        "https://",
        "https://u:p@example.com",
        "https://example.com/#x",
        "https://a b",
        "https://exa mple.com",
        "https://[::1",
        "https://example.com:99999",
    ] {
        assert!(address(wrong).is_err(), "{wrong}");
    }
}
