//! Whom each event concerns.

use domain::notice::Kind;

use super::*;
use crate::accounts::people::{self, PersonInput};
use crate::accounts::tokens::{self, NewToken};
use crate::follow_ups::write::{self, NewFollowUp};
use crate::incidents::{IncidentChange, IncidentInput, record};
use crate::notices::preferences::{self, Change, Channels};
use crate::rfcs::comments;
use crate::rfcs::revisions::{self, NewRevision};
use crate::services::{self, ServiceInput};
use crate::webhooks::{self, WebhookInput};

#[tokio::test]
async fn comments_concern_authors_and_who_took_part_but_not_who_speaks() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    assert_eq!(cast.told().await, Vec::<String>::new(), "nobody but its author has to do with it yet");
    let thread = cast.thread(&cast.grace, number, "Why?").await;
    assert_eq!(cast.told().await, ["Ada: Grace commented [comment author]"]);
    comments::reply(&cast.test, &cast.ada, &thread, "Because.").await.unwrap();
    assert_eq!(cast.told().await, ["Grace: Ada replied [comment opener]"]);
    comments::reply(&cast.test, &cast.linus, &thread, "I see.").await.unwrap();
    assert_eq!(cast.told().await, ["Ada: Linus replied [comment author]", "Grace: Linus replied [comment opener]"]);
    comments::reply(&cast.test, &cast.grace, &thread, "Good.").await.unwrap();
    assert_eq!(cast.told().await, ["Ada: Grace replied [comment author]", "Linus: Grace replied [comment took_part]"]);
    // Another thread is none of Linus's business.
    cast.thread(&cast.grace, number, "And this?").await;
    assert_eq!(cast.told().await, ["Ada: Grace commented [comment author]"]);
}

#[tokio::test]
async fn a_thread_that_is_settled_concerns_who_opened_it() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let thread = cast.thread(&cast.linus, number, "Why?").await;
    cast.told().await;
    threads::resolve(&cast.test, &cast.ada, &thread).await.unwrap();
    assert_eq!(cast.told().await, ["Linus: Ada resolved your thread [thread opener]"]);
    threads::reopen(&cast.test, &cast.grace, &thread).await.unwrap();
    assert_eq!(cast.told().await, ["Linus: Grace reopened your thread [thread opener]"]);
    threads::resolve(&cast.test, &cast.linus, &thread).await.unwrap();
    assert_eq!(cast.told().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_revision_and_a_status_concern_everybody_who_has_to_do_with_it() {
    let cast = Cast::new().await;
    let number = cast.draft().await;
    cast.update(number, UpdateRfc { shared_with: Some(vec!["sam@example.com".into()]), ..UpdateRfc::default() }).await;
    assert_eq!(cast.told().await, ["Sam: Ada shared the draft with you [share shared]"]);
    // Sharing with one more tells that one only.
    let both = vec!["sam@example.com".into(), "linus@example.com".into()];
    cast.update(number, UpdateRfc { shared_with: Some(both), ..UpdateRfc::default() }).await;
    assert_eq!(cast.told().await, ["Linus: Ada shared the draft with you [share shared]"]);
    cast.status(number, "in_review").await;
    assert_eq!(
        cast.told().await,
        ["Linus: Ada published it for review [status shared]", "Sam: Ada published it for review [status shared]"]
    );
    cast.thread(&cast.grace, number, "Why?").await;
    let authors = vec!["ada@example.com".into(), "linus@example.com".into()];
    cast.update(number, UpdateRfc { authors: Some(authors), ..UpdateRfc::default() }).await;
    cast.told().await;
    let new = NewRevision { body: "Two.\n".into(), summary: "Said why".into(), base_revision: 1, major: false };
    revisions::publish_revision(&cast.test, &cast.ada, number, new).await.unwrap();
    assert_eq!(
        cast.told().await,
        [
            "Grace: Ada published revision 2 [revision took_part]",
            "Linus: Ada published revision 2 [revision author]",
            "Sam: Ada published revision 2 [revision shared]",
        ]
    );
    cast.status(number, "withdrawn").await;
    assert_eq!(cast.told().await[0], "Grace: Ada moved it to “withdrawn” [status took_part]");
}

#[tokio::test]
async fn whoever_is_named_unmistakably_is_told_so_once() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let thread = cast.thread(&cast.ada, number, "@grace, what do @nobody and @ada@example.com think? `@linus`").await;
    assert_eq!(cast.told().await, ["Grace: Ada mentioned you [mention mentioned]"]);
    // A mention outweighs that one writes it.
    comments::reply(&cast.test, &cast.grace, &thread, "Ask @Ada and @linus@example.com.").await.unwrap();
    assert_eq!(
        cast.told().await,
        ["Ada: Grace mentioned you [mention mentioned]", "Linus: Grace mentioned you [mention mentioned]"]
    );
    // Two people could be meant.
    sqlx::query!("update people set email = 'grace@example.org' where id = $1", cast.sam.id)
        .execute(cast.test.pool())
        .await
        .unwrap();
    comments::reply(&cast.test, &cast.ada, &thread, "@grace?").await.unwrap();
    assert_eq!(cast.told().await, ["Grace: Ada replied [comment took_part]"]);
}

#[tokio::test]
async fn an_edit_tells_only_who_is_mentioned_since() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let thread = cast.thread(&cast.grace, number, "@ada").await;
    let posted = comments::reply(&cast.test, &cast.grace, &thread, "What does @ada say?").await.unwrap();
    cast.told().await;
    let said = "What do @ada and @linus say?";
    comments::edit(&cast.test, &cast.grace, &posted.id, Expected::Any, said).await.unwrap();
    assert_eq!(cast.told().await, ["Linus: Grace mentioned you [mention mentioned]"]);
}

#[tokio::test]
async fn an_edit_that_waits_with_others_tells_the_same() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let thread = cast.thread(&cast.grace, number, "Well.").await;
    cast.told().await;
    let posted = comments::reply(&cast.test, &cast.grace, &thread, "A thought").await.unwrap();
    for said in ["A thought for @linus", "A thougth for @linus", "A thought for @linus and @sam"] {
        comments::edit(&cast.test, &cast.grace, &posted.id, Expected::Any, said).await.unwrap();
    }
    let mentioned = ["Ada: Grace replied [comment author]", "Linus: Grace mentioned you [mention mentioned]"];
    assert_eq!(cast.told().await, [mentioned[0], mentioned[1], "Sam: Grace mentioned you [mention mentioned]"]);
}

#[tokio::test]
async fn nobody_is_told_of_what_they_may_not_read() {
    let cast = Cast::new().await;
    let number = cast.draft().await;
    cast.thread(&cast.ada, number, "@grace @linus look").await;
    assert_eq!(cast.told().await, Vec::<String>::new());
    cast.update(number, UpdateRfc { shared_with: Some(vec!["grace@example.com".into()]), ..UpdateRfc::default() })
        .await;
    cast.thread(&cast.ada, number, "@grace @linus look").await;
    assert_eq!(
        cast.told().await,
        ["Grace: Ada shared the draft with you [share shared]", "Grace: Ada mentioned you [mention mentioned]"]
    );
    assert_eq!(cast.inbox(&cast.grace, State::Open).await.len(), 1);
    assert_eq!(inbox::unread(&cast.test, cast.grace.id).await.unwrap(), 1);
    let mail = mail_of(&cast.test, cast.grace.id).await;
    assert_eq!(mail.ready(&cast.test).await.unwrap(), crate::notices::mail::Ready::Now);
    // Not shared with her any more: her inbox forgets it, and the mail that waits is not sent.
    cast.update(number, UpdateRfc { shared_with: Some(vec![]), ..UpdateRfc::default() }).await;
    assert_eq!(cast.inbox(&cast.grace, State::Open).await, []);
    assert_eq!(inbox::unread(&cast.test, cast.grace.id).await.unwrap(), 0);
    assert!(matches!(mail.ready(&cast.test).await.unwrap(), crate::notices::mail::Ready::Never(_)));
    // Deleted: nothing breaks.
    let last = cast.thread(&cast.ada, number, "@grace").await;
    comments::reply(&cast.test, &cast.ada, &last, "Never mind").await.unwrap();
    status::delete(&cast.test, &cast.ada, number, Expected::Any).await.unwrap();
    assert_eq!(cast.told().await, Vec::<String>::new());
}

#[tokio::test]
async fn disabled_people_are_told_nothing() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let thread = cast.thread(&cast.linus, number, "Why?").await;
    cast.told().await;
    mails(&cast.test).await;
    cast.pass(SignedDuration::from_mins(5));
    mails(&cast.test).await;
    let input = PersonInput { name: "Linus".into(), role: Role::Member, time_zone: None, disabled: Some(true) };
    people::put(&cast.test, &Actor::operator(), "linus@example.com", Expected::Any, input).await.unwrap();
    comments::reply(&cast.test, &cast.ada, &thread, "@linus?").await.unwrap();
    assert_eq!(cast.told().await, Vec::<String>::new());
    cast.pass(SignedDuration::from_mins(5));
    assert_eq!(mails(&cast.test).await, []);
}

#[tokio::test]
async fn what_happens_to_an_account_is_told_to_its_owner_whoever_did_it() {
    let cast = Cast::new().await;
    let new = NewToken { name: "ci".into(), scopes: vec!["read".into()], days: None };
    tokens::create(&cast.test, &cast.ada, "ada@example.com", new).await.unwrap();
    assert_eq!(cast.told().await, ["Ada: An API token “ci” was made for you [security account]"]);
    let input = PersonInput { name: "Ada".into(), role: Role::Lead, time_zone: None, disabled: None };
    people::put(&cast.test, &Actor::operator(), "ada@example.com", Expected::Any, input).await.unwrap();
    assert_eq!(cast.told().await, ["Ada: Your role is now SRE lead by an operator [security account]"]);
    // At once, also in quiet hours, and whatever the person turned off.
    let change = Change {
        channels: Kind::ALL
            .into_iter()
            .filter(|kind| !kind.is_fixed())
            .map(|kind| (kind.as_str().to_owned(), Channels { inbox: false, mail: false }))
            .collect(),
        quiet: Some(("00:00".into(), "23:59".into())),
        digest: Some(false),
    };
    preferences::put(&cast.test, &cast.ada, Expected::Version(1), change).await.unwrap();
    mails(&cast.test).await;
    let new = NewToken { name: "other".into(), scopes: vec!["read".into()], days: None };
    tokens::create(&cast.test, &cast.ada, "ada@example.com", new).await.unwrap();
    assert_eq!(cast.told().await.len(), 1);
    let sent = mails(&cast.test).await;
    assert_eq!(sent.len(), 1);
    let mail = &sent[0].1;
    assert_eq!(
        mail_of(&cast.test, cast.ada.id).await.ready(&cast.test).await.unwrap(),
        crate::notices::mail::Ready::Now
    );
    assert!(mail.header("List-Unsubscribe").is_none(), "this mail cannot be turned off");
    let all = Change {
        channels: [("security".to_owned(), Channels { inbox: true, mail: false })].into(),
        ..Change::default()
    };
    assert!(preferences::put(&cast.test, &cast.ada, Expected::Version(2), all).await.is_err());
}

#[tokio::test]
async fn a_follow_up_concerns_who_does_it_and_then_who_made_it() {
    let cast = Cast::new().await;
    let mei = testing::person(&cast.test, "Mei", Role::Lead, None).await;
    let new = NewFollowUp {
        title: "Rehearse it".into(),
        owner: "linus@example.com".into(),
        due: "2026-11-04".into(),
        source: None,
    };
    let follow_up = write::create(&cast.test, &cast.grace, new).await.unwrap();
    assert_eq!(cast.told().await, ["Linus: Grace asks you to do it by 4 Nov 2026 [follow_up owner]"]);
    // Reminded every morning that has a reminder; long overdue, the leads hear of it.
    let mut told = Vec::new();
    for _ in 0..20 {
        cast.pass(SignedDuration::from_hours(24));
        told.extend(cast.told().await);
    }
    assert_eq!(told.first().unwrap(), "Linus: It is due 4 Nov 2026 [follow_up owner]");
    assert_eq!(told.iter().filter(|told| told.starts_with("Linus: It was due 4 Nov 2026")).count(), 3, "{told:#?}");
    assert!(told.contains(&"Mei: It was due 4 Nov 2026 and is still open [follow_up lead]".to_owned()), "{told:#?}");
    drop(mei);
    let id = follow_up.id.to_string();
    let done = write::Change { state: Some("done".into()), note: Some("Twice.".into()), ..write::Change::default() };
    write::change(&cast.test, &cast.linus, &id, Expected::Any, done).await.unwrap();
    assert_eq!(cast.told().await, ["Grace: Linus did it [follow_up author]"]);
}

/// An incident on a service of Ada's team.
fn incident(started_at: &str) -> IncidentInput {
    IncidentInput {
        title: "Payments failed".into(),
        incident_type: "deploy".into(),
        severity: 2,
        services: vec!["ledger".into()],
        started_at: started_at.parse().unwrap(),
        summary: "A **bad** flag.".into(),
        ..IncidentInput::default()
    }
}

/// The service.
async fn ledger(cast: &Cast) {
    let input = ServiceInput { name: "Ledger".into(), tier: 1, team: Some("core".into()), ..ServiceInput::default() };
    services::put(&cast.test, &cast.grace, "ledger", Expected::Absent, input).await.unwrap();
}

#[tokio::test]
async fn an_incident_concerns_the_teams_whose_services_it_touched() {
    let cast = Cast::new().await;
    ledger(&cast).await;
    let recorded = record::record(&cast.test, &cast.grace, incident("2026-11-02T08:00:00Z")).await.unwrap();
    assert_eq!(cast.told().await, ["Ada: Grace recorded it: severity 2 [incident team]"]);
    let change = |change: IncidentChange| record::change(&cast.test, &cast.ada, recorded.id, Expected::Any, change);
    change(IncidentChange { title: Some("Payments were refused".into()), ..IncidentChange::default() }).await.unwrap();
    assert_eq!(cast.told().await, Vec::<String>::new(), "words are no news");
    assert_eq!(cast.inbox(&cast.ada, State::Open).await[0].title, "Payments were refused");
    let ended = Some(Some("2026-11-02T08:30:00Z".parse().unwrap()));
    change(IncidentChange { ended_at: ended, ..IncidentChange::default() }).await.unwrap();
    assert_eq!(cast.told().await, ["Grace: It is over [incident author]"]);
    // History that somebody enters.
    record::record(&cast.test, &cast.grace, incident("2026-10-02T08:00:00Z")).await.unwrap();
    assert_eq!(cast.told().await, Vec::<String>::new());
    // What was voided before anybody was told of it.
    let twice = record::record(&cast.test, &cast.grace, incident("2026-11-02T08:00:00Z")).await.unwrap();
    record::void(&cast.test, &cast.grace, twice.id, "Twice.").await.unwrap();
    assert_eq!(cast.told().await, ["Ada: Grace says it was no incident [incident team]"]);
}

#[tokio::test]
async fn a_grave_incident_is_followed_to_its_end_however_long_it_takes() {
    let cast = Cast::new().await;
    ledger(&cast).await;
    let lesser = IncidentInput { severity: 3, ..incident("2026-11-02T08:00:00Z") };
    let id = record::record(&cast.test, &cast.grace, lesser).await.unwrap().id;
    assert_eq!(cast.told().await, Vec::<String>::new(), "a lesser one is not for the whole team");
    let change = |change: IncidentChange| record::change(&cast.test, &cast.grace, id, Expected::Any, change);
    let severity = |severity: i64| change(IncidentChange { severity: Some(severity), ..IncidentChange::default() });
    cast.pass(SignedDuration::from_hours(8 * 24));
    severity(1).await.unwrap();
    assert_eq!(cast.told().await, ["Ada: Grace made it severity 1 [incident team]"]);
    cast.pass(SignedDuration::from_hours(2 * 24));
    let ended = Some(Some("2026-11-12T08:30:00Z".parse().unwrap()));
    change(IncidentChange { ended_at: ended, ..IncidentChange::default() }).await.unwrap();
    assert_eq!(cast.told().await, ["Ada: It is over [incident team]"]);
    cast.pass(SignedDuration::from_hours(8 * 24));
    severity(2).await.unwrap();
    assert_eq!(cast.told().await, Vec::<String>::new(), "that is history by now");
}

#[tokio::test]
async fn a_webhook_that_stops_concerns_the_admins() {
    let cast = Cast::new().await;
    let root = testing::person(&cast.test, "Root", Role::Admin, None).await;
    let input = WebhookInput {
        name: "Chat".into(),
        url: "https://chat.example.com/hook".into(),
        format: "slack".into(),
        events: Vec::new(),
        active: true,
    };
    let webhook = webhooks::create(&cast.test, &root, input).await.unwrap();
    cast.told().await;
    let id = webhook.webhook.id.parse().unwrap();
    webhooks::disable_gone(&cast.test, id, "https://chat.example.com/hook").await.unwrap();
    assert_eq!(cast.told().await, ["Root: It is not called any more [webhook admin]"]);
}

#[tokio::test]
async fn imports_make_no_noise() {
    let cast = Cast::new().await;
    let event = sqlx::query!("select count(*) as \"count!\" from notices");
    let mut tx = cast.test.begin(&cast.grace).await.unwrap();
    let number = cast.rfc().await;
    let after = serde_json::json!({ "revision": 2, "title": "T", "imported": true });
    tx.event("rfc.revision_published", &crate::Subject::rfc(number), None, Some(after)).await.unwrap();
    tx.event("rfc.imported", &crate::Subject::rfc(number), None, None).await.unwrap();
    tx.commit(()).await.unwrap();
    settle(&cast.test).await;
    assert_eq!(event.fetch_one(cast.test.pool()).await.unwrap().count, 0);
}

#[tokio::test]
async fn each_kind_is_turned_off_by_channel() {
    let cast = Cast::new().await;
    let number = cast.rfc().await;
    let change = |inbox, mail| Change {
        channels: [("comment".to_owned(), Channels { inbox, mail })].into(),
        ..Change::default()
    };
    preferences::put(&cast.test, &cast.ada, Expected::Version(1), change(false, true)).await.unwrap();
    cast.thread(&cast.grace, number, "Why?").await;
    assert_eq!(cast.told().await, Vec::<String>::new());
    cast.pass(SignedDuration::from_mins(5));
    assert_eq!(mails(&cast.test).await.len(), 1);
    preferences::put(&cast.test, &cast.ada, Expected::Version(2), change(true, false)).await.unwrap();
    cast.thread(&cast.grace, number, "Why?").await;
    assert_eq!(cast.told().await.len(), 1);
    cast.pass(SignedDuration::from_mins(5));
    assert_eq!(mails(&cast.test).await, []);
    // The same again changes nothing; an old version is refused; nothing is kept of a mistake.
    let same = preferences::put(&cast.test, &cast.ada, Expected::Version(3), change(true, false)).await.unwrap();
    assert_eq!(same.version, 3);
    assert!(preferences::put(&cast.test, &cast.ada, Expected::Version(2), change(true, true)).await.is_err());
    assert!(preferences::put(&cast.test, &cast.ada, Expected::Unstated, change(true, true)).await.is_err());
    let odd =
        Change { channels: [("gossip".to_owned(), Channels { inbox: true, mail: true })].into(), ..Change::default() };
    assert!(preferences::put(&cast.test, &cast.ada, Expected::Version(3), odd).await.is_err());
    assert_eq!(preferences::get(&cast.test, &cast.ada).await.unwrap().version, 3);
}
