//! Incidents, on Postgres.

mod counting;
mod naming;

use domain::{Actor, Refusal, Role};
use jiff::Timestamp;

use super::*;
use crate::services::{self, ServiceInput};
use crate::testing::{self, TestBackend, person};
use crate::{Backend, Error, Expected, PageRequest};

/// People, and services of two teams: `checkout` and `search` of `core`, `billing` of `money`, `orphan` of nobody.
struct Cast {
    test: TestBackend,
    /// A member of `core`.
    member: Actor,
    /// A member of `money`.
    other: Actor,
    reader: Actor,
    sre: Actor,
    lead: Actor,
}

impl std::ops::Deref for Cast {
    type Target = Backend;

    fn deref(&self) -> &Backend {
        &self.test.backend
    }
}

impl Cast {
    async fn new() -> Self {
        let test = testing::backend().await;
        let member = person(&test, "Mia Member", Role::Member, Some("core")).await;
        let other = person(&test, "Otto Other", Role::Member, Some("money")).await;
        let reader = person(&test, "Ruth Reader", Role::Reader, None).await;
        let sre = person(&test, "Sam Sre", Role::Sre, None).await;
        let lead = person(&test, "Lea Lead", Role::Lead, None).await;
        for (slug, name, team) in [
            ("checkout", "Checkout", Some("core")),
            ("search", "Departure search", Some("core")),
            ("billing", "Billing", Some("money")),
            ("orphan", "Orphan", None),
        ] {
            let input =
                ServiceInput { name: name.into(), tier: 1, team: team.map(Into::into), ..ServiceInput::default() };
            services::put(&test, &sre, slug, Expected::Absent, input).await.unwrap();
        }
        Self { test, member, other, reader, sre, lead }
    }

    /// Records what the SRE says; its number.
    async fn incident(&self, incident_type: &str, started_at: &str, services: &[&str]) -> i64 {
        record(self, &self.sre, input(incident_type, started_at, services)).await.unwrap().id
    }

    /// Verbs of the events about incidents, in order.
    async fn verbs(&self) -> Vec<String> {
        sqlx::query_scalar!("select verb from events where verb like 'incident%' order by id")
            .fetch_all(self.pool())
            .await
            .unwrap()
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn input(incident_type: &str, started_at: &str, services: &[&str]) -> IncidentInput {
    IncidentInput {
        title: format!("{incident_type} {started_at}"),
        incident_type: incident_type.into(),
        severity: 2,
        services: services.iter().map(|&slug| slug.to_owned()).collect(),
        started_at: at(started_at),
        ..IncidentInput::default()
    }
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(result: Result<T>) -> Refusal {
    match result.unwrap_err() {
        Error::Refused(refusal) => refusal,
        Error::Internal(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_incident_is_recorded_with_everything_and_an_event() {
    let cast = Cast::new().await;
    let said = IncidentInput {
        title: " Checkout answered 500 ".into(),
        detected_at: Some(at("2026-10-01T10:04:00Z")),
        mitigated_at: Some(at("2026-10-01T10:30:00.123456789Z")),
        ended_at: Some(at("2026-10-01T11:00:00Z")),
        summary: "A **flag** was on.".into(),
        postmortem_url: Some("https://wiki.example.com/pm/1".into()),
        postmortem: "# Why\n<script>".into(),
        source: "pager".into(),
        external_id: Some("INC-1".into()),
        ..input("config_change", "2026-10-01T10:00:00Z", &["search", "checkout", "checkout"])
    };
    let incident = record(&cast, &cast.member, said.clone()).await.unwrap();
    assert_eq!(incident.title, "Checkout answered 500");
    assert_eq!(incident.incident_type, TypeRef { slug: "config_change".into(), name: "Config change".into() });
    let slugs: Vec<_> = incident.services.iter().map(|service| service.slug.as_str()).collect();
    assert_eq!(slugs, ["checkout", "search"]);
    assert_eq!(incident.mitigated_at, Some(at("2026-10-01T10:30:00.123456Z")), "what the database can keep");
    assert!(incident.summary_html.contains("<strong>flag</strong>"), "{}", incident.summary_html);
    assert!(!incident.postmortem_html.contains("<script"), "{}", incident.postmortem_html);
    assert_eq!(incident.recorded_by.as_ref().unwrap().email, "mia@example.com");
    assert!(incident.may_edit && incident.version == 1);
    let read = get(&cast, &cast.reader, incident.id).await.unwrap();
    assert_eq!(read, Incident { may_edit: false, ..incident.clone() });
    let event = sqlx::query!("select verb, subject_kind, subject_key, after from events order by id desc limit 1");
    let event = event.fetch_one(cast.pool()).await.unwrap();
    assert_eq!((event.verb.as_str(), event.subject_kind.as_str()), ("incident.recorded", "incident"));
    assert_eq!(event.subject_key, incident.id.to_string());
    let after = event.after.unwrap();
    assert_eq!((after["type"].as_str(), after["severity"].as_i64()), (Some("config_change"), Some(2)));
    assert_eq!(after["started_at"], "2026-10-01T10:00:00Z");
    // Its source's name for it is taken.
    let again = refusal(record(&cast, &cast.member, said).await);
    let taken = again.message_for("external_id");
    assert!(taken.is_some_and(|why| why.contains(&format!("Incident {}", incident.id))), "{again}");
    assert_eq!(refusal(get(&cast, &cast.reader, 99).await).status(), 404);
}

#[tokio::test]
async fn what_is_wrong_is_said_field_by_field() {
    let cast = Cast::new().await;
    let good = || input("deploy", "2026-10-01T10:00:00Z", &["checkout"]);
    let times = |detected: Option<&str>, mitigated: Option<&str>, ended: Option<&str>| IncidentInput {
        detected_at: detected.map(at),
        mitigated_at: mitigated.map(at),
        ended_at: ended.map(at),
        ..good()
    };
    let before = Some("2026-10-01T09:59:59Z");
    for (field, wrong) in [
        ("title", IncidentInput { title: " ".into(), ..good() }),
        ("type", IncidentInput { incident_type: "bad luck".into(), ..good() }),
        ("type", IncidentInput { incident_type: "luck".into(), ..good() }),
        ("severity", IncidentInput { severity: 5, ..good() }),
        ("services", IncidentInput { services: vec!["nothing".into(), "checkout".into()], ..good() }),
        ("started_at", IncidentInput { started_at: at("2026-11-04T00:00:00Z"), ..good() }),
        ("started_at", IncidentInput { started_at: at("1770-01-01T00:00:00Z"), ..good() }),
        ("detected_at", times(before, None, None)),
        ("mitigated_at", times(None, before, None)),
        ("ended_at", times(None, None, before)),
        ("ended_at", times(None, Some("2026-10-01T12:00:00Z"), Some("2026-10-01T11:00:00Z"))),
        ("postmortem_url", IncidentInput { postmortem_url: Some("javascript:alert(1)".into()), ..good() }),
        ("external_id", IncidentInput { external_id: Some("a\nb".into()), ..good() }),
        ("summary", IncidentInput { summary: "a\0".into(), ..good() }),
    ] {
        let refused = refusal(record(&cast, &cast.member, wrong).await);
        assert!(refused.message_for(field).is_some(), "{field}: {refused}");
    }
    let ends = refusal(record(&cast, &cast.member, times(None, None, before)).await);
    assert_eq!(ends.to_string(), "An incident cannot end before it starts.");
    let long = IncidentInput { summary: "x".repeat(64 * 1024 + 1), ..good() };
    assert_eq!(refusal(record(&cast, &cast.member, long).await).status(), 413);
    assert_eq!(refusal(record(&cast, &cast.reader, good()).await).status(), 403);
    assert!(cast.verbs().await.is_empty());
    // Noticed long after it was over: that happens.
    let late = times(Some("2026-10-02T00:00:00Z"), Some("2026-10-01T10:10:00Z"), Some("2026-10-01T10:10:00Z"));
    record(&cast, &cast.member, late).await.unwrap();
}

#[tokio::test]
async fn the_database_itself_refuses_a_wrong_order_in_the_same_words() {
    let cast = Cast::new().await;
    let id = cast.incident("deploy", "2026-10-01T10:00:00Z", &[]).await;
    let (before, after) = (Some("2026-10-01T09:00:00Z"), Some("2026-10-01T11:00:00Z"));
    let broken =
        [(before, None, None), (None, before, None), (None, None, before), (None, after, Some("2026-10-01T10:30:00Z"))];
    for ((constraint, field, sentence), (detected, mitigated, ended)) in content::ORDER.into_iter().zip(broken) {
        let time = |text: Option<&str>| text.map(|text| jiff_sqlx::ToSqlx::to_sqlx(at(text)));
        let updated = sqlx::query!(
            "update incidents set detected_at = $2, mitigated_at = $3, ended_at = $4 where id = $1",
            id,
            time(detected) as _,
            time(mitigated) as _,
            time(ended) as _,
        );
        let refused = refusal(updated.execute(cast.pool()).await.map(|_| ()).map_err(content::refused));
        assert_eq!(refused.message_for(field).as_deref(), Some(sentence), "{constraint}");
    }
}

#[tokio::test]
async fn a_change_says_only_what_changes() {
    let cast = Cast::new().await;
    let id = cast.incident("deploy", "2026-10-01T10:00:00Z", &["checkout"]).await;
    let to = |change| change_with(&cast, id, Expected::Version(1), change);
    let same = to(IncidentChange { severity: Some(2), ..IncidentChange::default() }).await.unwrap();
    assert_eq!(same.version, 1, "nothing changed");
    let ended = Some(Some(at("2026-10-01T11:00:00Z")));
    let changed = to(IncidentChange { severity: Some(1), ended_at: ended, ..IncidentChange::default() }).await.unwrap();
    assert_eq!((changed.version, changed.severity), (2, Severity::Critical));
    assert_eq!(changed.services.len(), 1);
    assert_eq!(refusal(to(IncidentChange::default()).await).status(), 412);
    let unstated = change_with(&cast, id, Expected::Unstated, IncidentChange::default()).await;
    assert_eq!(refusal(unstated).status(), 428);
    let started = Some(at("2026-10-01T12:00:00Z"));
    let late = IncidentChange { started_at: started, ..IncidentChange::default() };
    let refused = refusal(change_with(&cast, id, Expected::Existing, late).await);
    assert_eq!(refused.message_for("ended_at").as_deref(), Some("An incident cannot end before it starts."));
    let none = IncidentChange { ended_at: Some(None), services: Some(vec![]), ..IncidentChange::default() };
    let changed = change_with(&cast, id, Expected::Existing, none).await.unwrap();
    assert!(changed.ended_at.is_none() && changed.services.is_empty());
    assert_eq!(cast.verbs().await, ["incident.recorded", "incident.changed", "incident.changed"]);
    let event = sqlx::query!("select before, after from events where verb = 'incident.changed' order by id limit 1");
    let event = event.fetch_one(cast.pool()).await.unwrap();
    assert_eq!((&event.before.unwrap()["severity"], &event.after.unwrap()["severity"]), (&2.into(), &1.into()));
}

async fn change_with(cast: &Cast, id: i64, expected: Expected, change: IncidentChange) -> Result<Incident> {
    super::change(cast, &cast.sre, id, expected, change).await
}

#[tokio::test]
async fn its_recorder_its_teams_and_sres_change_an_incident() {
    let cast = Cast::new().await;
    let own = record(&cast, &cast.other, input("deploy", "2026-10-01T10:00:00Z", &["checkout"])).await.unwrap().id;
    let foreign = cast.incident("deploy", "2026-10-02T10:00:00Z", &["billing"]).await;
    let status = async |actor: &Actor, id: i64| {
        let title = IncidentChange { title: Some(format!("{} {id}", actor.name)), ..IncidentChange::default() };
        match change(&cast, actor, id, Expected::Existing, title).await {
            Ok(_) => 200,
            Err(error) => refusal(Err::<(), _>(error)).status(),
        }
    };
    assert_eq!(status(&cast.other, own).await, 200, "its recorder");
    assert_eq!(status(&cast.member, own).await, 200, "of the team that owns the service");
    assert_eq!(status(&cast.sre, own).await, 200);
    assert_eq!(status(&cast.reader, own).await, 403);
    assert_eq!(status(&cast.member, foreign).await, 403);
    assert_eq!(status(&cast.other, foreign).await, 200);
    assert_eq!(refusal(void(&cast, &cast.member, foreign, "x").await).status(), 403);
    assert_eq!(status(&cast.sre, 99).await, 404);
}

#[tokio::test]
async fn a_voided_incident_counts_nowhere_and_comes_back() {
    let cast = Cast::new().await;
    let id = cast.incident("deploy", "2026-10-01T10:00:00Z", &["checkout"]).await;
    assert!(refusal(void(&cast, &cast.sre, id, " ").await).message_for("reason").is_some());
    let voided = void(&cast, &cast.sre, id, "Recorded twice.").await.unwrap();
    assert_eq!((voided.voided_at, voided.voided_reason.as_str()), (Some(cast.now()), "Recorded twice."));
    assert_eq!(void(&cast, &cast.sre, id, "Again.").await.unwrap().version, voided.version);
    let count =
        async |filter: Filter| list(&cast, &cast.reader, &filter, &PageRequest::default()).await.unwrap().items.len();
    assert_eq!(count(Filter::default()).await, 0);
    assert_eq!(count(Filter { voided: true, ..Filter::default() }).await, 1);
    let total = aggregate::aggregate(&cast, &cast.reader, &[], &Filter::default()).await.unwrap().total;
    assert_eq!(total.count, 0);
    let refused = change_with(&cast, id, Expected::Existing, IncidentChange::default()).await;
    assert_eq!(refusal(refused).status(), 409);
    assert!(get(&cast, &cast.reader, id).await.is_ok(), "it stays readable");
    assert_eq!(restore(&cast, &cast.sre, id).await.unwrap().voided_at, None);
    assert_eq!(count(Filter::default()).await, 1);
    assert_eq!(cast.verbs().await, ["incident.recorded", "incident.voided", "incident.restored"]);
}

#[tokio::test]
async fn the_list_filters_and_turns_its_pages() {
    let cast = Cast::new().await;
    let first = cast.incident("deploy", "2026-09-30T23:30:00Z", &["checkout", "search"]).await;
    let second = cast.incident("deploy", "2026-10-01T10:00:00Z", &["billing"]).await;
    let third = cast.incident("data", "2026-10-01T10:00:00Z", &["orphan"]).await;
    let fourth = IncidentInput { severity: 4, ..input("data", "2026-10-05T00:00:00Z", &[]) };
    let fourth =
        record(&cast, &cast.sre, IncidentInput { external_id: Some("EXT-77".into()), ..fourth }).await.unwrap().id;
    let ids = async |filter: Filter| {
        let page = list(&cast, &cast.reader, &filter, &PageRequest::default()).await.unwrap();
        page.items.into_iter().map(|incident| incident.id).collect::<Vec<_>>()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(ids(Filter::default()).await, [fourth, third, second, first]);
    assert_eq!(ids(Filter { incident_type: some("data"), ..Filter::default() }).await, [fourth, third]);
    assert_eq!(ids(Filter { incident_type: some("luck"), ..Filter::default() }).await, [0; 0]);
    assert_eq!(ids(Filter { severity: Some(4), ..Filter::default() }).await, [fourth]);
    assert_eq!(ids(Filter { service: some("search"), ..Filter::default() }).await, [first]);
    assert_eq!(ids(Filter { team: some("core"), ..Filter::default() }).await, [first]);
    assert_eq!(ids(Filter { team: some("nobody"), ..Filter::default() }).await, [0; 0]);
    assert_eq!(ids(Filter { q: some("ext-7"), ..Filter::default() }).await, [fourth]);
    assert_eq!(ids(Filter { q: some("DEPLOY 2026-10"), ..Filter::default() }).await, [second]);
    let october = Filter { from: some("2026-10-01"), to: some("2026-10-01"), ..Filter::default() };
    assert_eq!(ids(october.clone()).await, [third, second], "both dates are in it");
    let until = Filter { to: some("2026-10-01T10:00:00Z"), ..Filter::default() };
    assert_eq!(ids(until).await, [first], "an instant is not");
    let mut pages = Vec::new();
    let mut page = PageRequest { limit: Some(1), cursor: None };
    loop {
        let found = list(&cast, &cast.reader, &Filter::default(), &page).await.unwrap();
        pages.extend(found.items.into_iter().map(|incident| incident.id));
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, [fourth, third, second, first], "one a page, two that began together");
    for (field, wrong) in [
        ("from", Filter { from: some("yesterday"), ..Filter::default() }),
        ("to", Filter { from: some("2026-10-02"), to: some("2026-10-01"), ..Filter::default() }),
        ("severity", Filter { severity: Some(9), ..Filter::default() }),
        ("type", Filter { incident_type: some("A b"), ..Filter::default() }),
    ] {
        let refused = refusal(list(&cast, &cast.reader, &wrong, &PageRequest::default()).await.map(|_| ()));
        assert!(refused.message_for(field).is_some(), "{field}: {refused}");
    }
    // In an organisation ahead of Greenwich the first one began in October.
    let ahead = cast.test.backend.clone().with_time_zone(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let found = list(&ahead, &cast.reader, &october, &PageRequest::default()).await.unwrap();
    assert_eq!(found.items.len(), 3);
}

#[tokio::test]
async fn leads_edit_the_types() {
    let cast = Cast::new().await;
    let slugs = async |all: bool| {
        let types = types::list(&cast, &cast.reader, all).await.unwrap();
        types.into_iter().map(|found| found.slug).collect::<Vec<_>>().join(" ")
    };
    let seeded = "config_change capacity dependency deploy data network security human_process unknown";
    assert_eq!(slugs(false).await, seeded);
    let put = async |slug: &str, expected, name: &str, position, archived| {
        let input = types::TypeInput { name: name.into(), position, archived };
        types::put(&cast, &cast.lead, slug, expected, input).await
    };
    let (added, new) = put("dns", Expected::Absent, "DNS", Some(2), false).await.unwrap();
    assert!(new && added.position == 2 && added.version == 1, "{added:?}");
    assert_eq!(slugs(false).await, seeded.replace("capacity", "dns capacity"));
    let (renamed, new) = put("dns", Expected::Version(added.version), "Names", None, false).await.unwrap();
    assert!(!new && renamed.name == "Names" && renamed.position == 2);
    let same = put("dns", Expected::Version(renamed.version), "Names", Some(2), false).await.unwrap().0;
    assert_eq!(same, renamed);
    let last = put("dns", Expected::Version(renamed.version), "Names", Some(99), false).await.unwrap().0;
    assert_eq!(slugs(false).await, format!("{seeded} dns"));
    let id = cast.incident("dns", "2026-10-01T10:00:00Z", &[]).await;
    let archived = put("dns", Expected::Version(last.version), "Names", None, true).await.unwrap().0;
    assert_eq!((archived.archived_at, archived.incidents), (Some(cast.now()), 1));
    assert_eq!(slugs(false).await, seeded);
    assert_eq!(slugs(true).await, format!("{seeded} dns"));
    // What has it keeps it and can be changed; nothing new gets it.
    let title = IncidentChange { title: Some("Other".into()), ..IncidentChange::default() };
    change_with(&cast, id, Expected::Existing, title).await.unwrap();
    let refused = refusal(record(&cast, &cast.sre, input("dns", "2026-10-01T10:00:00Z", &[])).await);
    assert!(refused.message_for("type").is_some_and(|why| why.contains("archived")), "{refused}");

    assert_eq!(refusal(put("dns", Expected::Unstated, "X", None, false).await).status(), 428);
    assert!(refusal(put("data", Expected::Absent, "X", None, false).await).message_for("slug").is_some());
    assert!(refusal(put("x", Expected::Absent, "DEPLOY", None, false).await).message_for("name").is_some());
    assert!(refusal(put("X y", Expected::Absent, "X", None, false).await).message_for("slug").is_some());
    let unknown = put("unknown", Expected::Existing, "Unknown", None, true).await;
    assert!(refusal(unknown).message_for("archived").is_some());
    let by_sre = types::put(&cast, &cast.sre, "x", Expected::Absent, types::TypeInput::default()).await;
    assert_eq!(refusal(by_sre).status(), 403);
    assert_eq!(types::get(&cast, &cast.reader, "data").await.unwrap().position, 5);
    assert_eq!(refusal(types::get(&cast, &cast.reader, "luck").await).status(), 404);
    let verbs: Vec<_> = cast.verbs().await.into_iter().filter(|verb| verb.starts_with("incident_type")).collect();
    assert_eq!(
        verbs.join(" "),
        "incident_type.added incident_type.changed incident_type.changed incident_type.changed"
    );
}
