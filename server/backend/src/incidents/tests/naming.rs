//! What hooks say, and names of services that nobody knows.

use serde_json::{Value, json};

use super::*;
use crate::incidents::names::{self, Decided, State};
use crate::incidents::receive::{Happened, receive};

async fn hears(cast: &Cast, body: &Value) -> Result<(i64, Happened)> {
    let received = receive(cast, "pager", body.to_string().as_bytes()).await?;
    Ok((received.id, received.outcome))
}

fn body() -> Value {
    json!({
        "external_id": "P-1", "title": "Queue full", "type": "Config Change", "severity": "SEV2",
        "services": ["Checkout", "departure search", "Legacy Mailer"], "started_at": "2026-10-01T12:00:00+02:00",
        "mitigated_at": "2026-10-01T10:20:00Z",
    })
}

#[tokio::test]
async fn a_hook_that_says_the_same_twice_changes_nothing() {
    let cast = Cast::new().await;
    let (id, happened) = hears(&cast, &body()).await.unwrap();
    assert_eq!(happened, Happened::Recorded);
    let incident = get(&cast, &cast.sre, id).await.unwrap();
    let slugs: Vec<_> = incident.services.iter().map(|service| service.slug.as_str()).collect();
    assert_eq!(slugs, ["checkout", "search"], "by address and by name");
    assert_eq!(incident.unknown_services, ["legacy mailer"]);
    assert_eq!((incident.incident_type.slug.as_str(), incident.severity.number()), ("config_change", 2));
    assert_eq!((incident.source.as_str(), incident.external_id.as_deref()), ("pager", Some("P-1")));
    assert_eq!(incident.recorded_by, None);
    assert_eq!(hears(&cast, &body()).await.unwrap(), (id, Happened::Unchanged));
    assert_eq!(cast.verbs().await, ["incident.recorded"]);
    // Another tool's P-1 is another incident.
    let mut other = body();
    (other["source"], other["severity"]) = (json!("tickets"), json!(0));
    let (other, _) = hears(&cast, &other).await.unwrap();
    assert_ne!(other, id);
    assert_eq!(get(&cast, &cast.sre, other).await.unwrap().severity, Severity::Critical, "its tool begins with 0");

    let mut over = body();
    over["ended_at"] = json!("2026-10-01T11:00:00Z");
    over["type"] = json!("Sabotage");
    assert_eq!(hears(&cast, &over).await.unwrap(), (id, Happened::Changed));
    let incident = get(&cast, &cast.sre, id).await.unwrap();
    assert_eq!((incident.incident_type.slug.as_str(), incident.type_word.as_str()), ("unknown", "Sabotage"));
    assert_eq!(incident.ended_at, Some(at("2026-10-01T11:00:00Z")));
    assert_eq!(incident.version, 2);
}

#[tokio::test]
async fn what_people_corrected_stays_until_the_source_says_something_new_about_it() {
    let cast = Cast::new().await;
    let (id, _) = hears(&cast, &body()).await.unwrap();
    let corrected = IncidentChange {
        title: Some("Queue full after a deploy".into()),
        incident_type: Some("deploy".into()),
        services: Some(vec!["billing".into()]),
        ..IncidentChange::default()
    };
    change(&cast, &cast.sre, id, Expected::Existing, corrected).await.unwrap();
    assert_eq!(hears(&cast, &body()).await.unwrap().1, Happened::Unchanged);
    // A source that says what people said already: nothing changes, and from then on that is what it said.
    let mut agreeing = body();
    agreeing["title"] = json!("Queue full after a deploy");
    assert_eq!(hears(&cast, &agreeing).await.unwrap().1, Happened::Unchanged);
    let other = IncidentChange { title: Some("Queue full after a deploy.".into()), ..IncidentChange::default() };
    change(&cast, &cast.sre, id, Expected::Existing, other).await.unwrap();
    assert_eq!(hears(&cast, &agreeing).await.unwrap().1, Happened::Unchanged);
    let partly = json!({ "external_id": "P-1", "severity": 1, "mitigated_at": null });
    assert_eq!(hears(&cast, &partly).await.unwrap().1, Happened::Changed);
    let incident = get(&cast, &cast.sre, id).await.unwrap();
    assert_eq!((incident.title.as_str(), incident.severity.number()), ("Queue full after a deploy.", 1));
    assert_eq!(incident.mitigated_at, None, "null says that there is none");
    assert_eq!((incident.incident_type.slug.as_str(), incident.services[0].slug.as_str()), ("deploy", "billing"));
    let mut renamed = body();
    renamed["title"] = json!("Queue full again");
    hears(&cast, &renamed).await.unwrap();
    assert_eq!(get(&cast, &cast.sre, id).await.unwrap().title, "Queue full again");

    // An incident that a person recorded and gave its name elsewhere: what the hook leaves blank stays.
    let own = IncidentInput {
        source: "pager".into(),
        external_id: Some("P-2".into()),
        summary: "Ours.".into(),
        ..input("data", "2026-10-02T10:00:00Z", &["orphan"])
    };
    let own = record(&cast, &cast.sre, own).await.unwrap().id;
    let mut said = body();
    (said["external_id"], said["summary"], said["services"]) = (json!("P-2"), json!(""), json!([]));
    said["type"] = json!("");
    assert_eq!(hears(&cast, &said).await.unwrap(), (own, Happened::Changed));
    let incident = get(&cast, &cast.sre, own).await.unwrap();
    assert_eq!((incident.title.as_str(), incident.summary.as_str()), ("Queue full", "Ours."));
    assert_eq!((incident.services[0].slug.as_str(), incident.incident_type.slug.as_str()), ("orphan", "data"));
}

#[tokio::test]
async fn a_voided_incident_is_left_alone_until_it_is_restored() {
    let cast = Cast::new().await;
    let (id, _) = hears(&cast, &body()).await.unwrap();
    void(&cast, &cast.sre, id, "Twice.").await.unwrap();
    let mut graver = body();
    graver["severity"] = json!("SEV1");
    assert_eq!(hears(&cast, &graver).await.unwrap(), (id, Happened::Unchanged));
    assert_eq!(get(&cast, &cast.sre, id).await.unwrap().severity, Severity::Major);
    restore(&cast, &cast.sre, id).await.unwrap();
    assert_eq!(hears(&cast, &graver).await.unwrap(), (id, Happened::Changed));
    let verbs = ["incident.recorded", "incident.voided", "incident.restored", "incident.changed"];
    assert_eq!(cast.verbs().await, verbs);
}

#[tokio::test]
async fn a_hook_is_refused_field_by_field_and_leaves_nothing() {
    let cast = Cast::new().await;
    for (field, wrong) in [
        ("external_id", json!({ "external_id": "" })),
        ("title", json!({ "title": "" })),
        ("title", json!({ "title": null })),
        ("severity", json!({ "severity": "P9" })),
        ("severity", json!({ "severity": 6 })),
        ("severity", json!({ "severity": [1] })),
        ("started_at", json!({ "started_at": null })),
        ("ended_at", json!({ "ended_at": "2026-10-01T09:00:00Z" })),
        ("postmortem_url", json!({ "postmortem_url": "file:///etc/passwd" })),
        ("services", json!({ "services": ["a\0b"] })),
        ("body", json!({ "started_at": "yesterday" })),
        ("body", json!({ "startedAt": "2026-10-01T09:00:00Z" })),
    ] {
        let mut said = body();
        said.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = refusal(hears(&cast, &said).await);
        assert!(refused.message_for(field).is_some(), "{field}: {refused}");
    }
    assert!(refusal(receive(&cast, "pager", b"[{").await).message_for("body").is_some());
    assert!(cast.verbs().await.is_empty());
    assert!(names::list(&cast, &cast.sre, State::Waiting, &PageRequest::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_name_is_given_its_meaning_once_and_for_all() {
    let cast = Cast::new().await;
    let said = |id: &str, services: &[&str]| {
        let mut said = body();
        (said["external_id"], said["services"]) = (json!(id), json!(services));
        said
    };
    let (first, _) = hears(&cast, &said("1", &["Billing  Old", "checkout"])).await.unwrap();
    let (second, _) = hears(&cast, &said("2", &["billing old", "vendor x"])).await.unwrap();
    let listed = async |state: State| {
        let page = names::list(&cast, &cast.reader, state, &PageRequest::default()).await.unwrap();
        page.items.into_iter().map(|name| (name.name, name.incidents)).collect::<Vec<_>>()
    };
    assert_eq!(listed(State::Waiting).await, [("billing old".into(), 2), ("vendor x".into(), 1)]);
    let waiting = names::list(&cast, &cast.reader, State::Waiting, &PageRequest::default()).await.unwrap();
    assert_eq!(waiting.items[0].suggestion.as_ref().unwrap().slug, "billing");
    assert_eq!((waiting.items[0].newest, &waiting.items[1].suggestion), (Some(second), &None));
    let first_page = PageRequest { limit: Some(1), cursor: None };
    let cursor = names::list(&cast, &cast.reader, State::Waiting, &first_page).await.unwrap().next_cursor;
    let rest = PageRequest { limit: Some(1), cursor };
    let rest = names::list(&cast, &cast.reader, State::Waiting, &rest).await.unwrap();
    assert_eq!((rest.items[0].name.as_str(), rest.next_cursor), ("vendor x", None));

    let decide = async |name: &str, service: Option<&str>| names::decide(&cast, &cast.sre, name, service).await;
    let decided = decide(" Billing OLD ", Some("billing")).await.unwrap();
    assert_eq!(decided, Decided { name: "billing old".into(), service: Some("billing".into()), incidents: 2 });
    assert_eq!(decide("billing old", Some("billing")).await.unwrap().incidents, 0);
    let services = async |id: i64| {
        let incident = get(&cast, &cast.reader, id).await.unwrap();
        let slugs = incident.services.into_iter().map(|service| service.slug).collect::<Vec<_>>();
        (slugs.join(" "), incident.unknown_services.join(" "), incident.version)
    };
    assert_eq!(services(first).await, ("billing checkout".into(), String::new(), 2));
    assert_eq!(services(second).await, ("billing".into(), "vendor x".into(), 2));
    // It is remembered, and saying the same again still changes nothing.
    let (third, _) = hears(&cast, &said("3", &["BILLING OLD"])).await.unwrap();
    assert_eq!(services(third).await.0, "billing");
    assert_eq!(hears(&cast, &said("1", &["Billing  Old", "checkout"])).await.unwrap().1, Happened::Unchanged);
    // A wrong answer can be put right, and what was named otherwise stays.
    assert_eq!(decide("billing old", Some("checkout")).await.unwrap().incidents, 3);
    assert_eq!(services(first).await.0, "checkout");
    assert_eq!(services(third).await.0, "checkout");
    assert_eq!(decide("billing old", None).await.unwrap().incidents, 2);
    assert_eq!(services(first).await, ("checkout".into(), String::new(), 3));
    assert_eq!(services(third).await.0, "");
    assert_eq!(decide("vendor x", None).await.unwrap().incidents, 0);
    assert_eq!(services(second).await.1, "");
    assert!(listed(State::Waiting).await.is_empty());
    assert_eq!(listed(State::Ignored).await, [("billing old".into(), 3), ("vendor x".into(), 1)]);
    decide("vendor x", Some("search")).await.unwrap();
    assert_eq!(services(second).await.0, "search");
    assert_eq!(listed(State::Mapped).await, [("vendor x".into(), 1)]);

    assert_eq!(refusal(decide("never heard", None).await).status(), 404);
    assert!(refusal(decide("vendor x", Some("nothing")).await).message_for("service").is_some());
    let by_member = names::decide(&cast, &cast.member, "vendor x", None).await;
    assert_eq!(refusal(by_member).status(), 403);
    let events = sqlx::query_scalar!("select count(*) from events where verb = 'incident.services_named'");
    assert_eq!(events.fetch_one(cast.pool()).await.unwrap(), Some(2 + 3 + 2 + 1));
}

#[tokio::test]
async fn services_that_come_later_are_found_by_the_words_that_wait_for_them() {
    let cast = Cast::new().await;
    let mut said = body();
    said["services"] = json!(["Legacy Mailer", "pg", "Old DB", "checkout"]);
    let (id, _) = hears(&cast, &said).await.unwrap();
    let shown = async || {
        let incident = get(&cast, &cast.reader, id).await.unwrap();
        let slugs = incident.services.into_iter().map(|service| service.slug).collect::<Vec<_>>();
        (slugs.join(" "), incident.unknown_services.join(", "), incident.version)
    };
    let put = async |slug: &str, name: &str| {
        let input = ServiceInput { name: name.into(), tier: 1, ..ServiceInput::default() };
        services::put(&cast, &cast.sre, slug, Expected::Any, input).await.unwrap();
    };
    put("legacy-mailer", "Mails").await;
    assert_eq!(shown().await, ("checkout legacy-mailer".into(), "old db, pg".into(), 2));
    put("postgres", "Postgres").await;
    assert_eq!(shown().await.2, 2, "nobody waits for it");
    services::rename(&cast, &cast.sre, "postgres", "pg").await.unwrap();
    assert_eq!(shown().await, ("checkout legacy-mailer pg".into(), "old db".into(), 3));
    // One that was there and is called so now.
    put("orphan", "Old DB").await;
    assert_eq!(shown().await, ("checkout legacy-mailer orphan pg".into(), String::new(), 4));
    assert!(names::list(&cast, &cast.sre, State::Waiting, &PageRequest::default()).await.unwrap().items.is_empty());
    assert_eq!(hears(&cast, &said).await.unwrap(), (id, Happened::Unchanged));
    let named = cast.verbs().await.into_iter().filter(|verb| verb == "incident.services_named").count();
    assert_eq!(named, 3);
    // What somebody has said about a word stays.
    said["services"] = json!(["vendor x"]);
    hears(&cast, &said).await.unwrap();
    names::decide(&cast, &cast.sre, "vendor x", None).await.unwrap();
    put("vendor-x", "Vendor X").await;
    assert_eq!(shown().await.0, "");
}

#[tokio::test]
async fn a_type_that_comes_later_sorts_what_was_called_so() {
    let cast = Cast::new().await;
    let called = async |id: &str, word: &str| {
        let mut said = body();
        (said["external_id"], said["type"]) = (json!(id), json!(word));
        hears(&cast, &said).await.unwrap()
    };
    let (first, _) = called("1", "Name Server").await;
    let (second, _) = called("2", "DNS").await;
    let (third, _) = called("3", "weather").await;
    let shown = async |id: i64| {
        let incident = get(&cast, &cast.reader, id).await.unwrap();
        (incident.incident_type.slug, incident.type_word, incident.version)
    };
    let put = async |expected: Expected, name: &str| {
        let input = types::TypeInput { name: name.into(), ..types::TypeInput::default() };
        types::put(&cast, &cast.lead, "dns", expected, input).await.unwrap().0
    };
    let added = put(Expected::Absent, "Names").await;
    assert_eq!((added.incidents, shown(second).await), (1, ("dns".into(), String::new(), 2)));
    assert_eq!(shown(first).await, ("unknown".into(), "Name Server".into(), 1));
    assert_eq!(put(Expected::Existing, "Name server").await.incidents, 2);
    assert_eq!((shown(first).await.0.as_str(), shown(third).await.0.as_str()), ("dns", "unknown"));
    assert_eq!(called("2", "DNS").await, (second, Happened::Unchanged));
    let changed = cast.verbs().await.into_iter().filter(|verb| verb == "incident.changed").count();
    assert_eq!(changed, 2);
}
