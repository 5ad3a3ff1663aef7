//! Follow-ups on a real database, and a month of reminders.

use std::collections::BTreeMap;

use domain::follow_up::{Age, SourceKind, State};
use domain::{Actor, Refusal, Role};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};

use super::write::{Change, NewFollowUp, SourceInput, change, create};
use super::{Counts, Filter, FollowUp, Of, Source, counts, get, list, today};
use crate::testing::{self, TestBackend, person};
use crate::{Backend, Error, Expected, PageRequest, jobs, outbox};

fn refusal<T: std::fmt::Debug>(result: crate::Result<T>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A follow-up of `owner`, due in so many days.
async fn due_in(backend: &Backend, maker: &Actor, owner: &Actor, days: i32) -> FollowUp {
    let due = today(backend).checked_add(days.days()).unwrap().to_string();
    let new = NewFollowUp { title: format!("Due {due}"), owner: owner.email.clone(), due, source: None };
    create(backend, maker, new).await.unwrap()
}

fn to(state: &str, note: &str) -> Change {
    Change { state: Some(state.into()), note: Some(note.into()), ..Change::default() }
}

async fn changed(backend: &Backend, actor: &Actor, follow_up: &FollowUp, what: Change) -> crate::Result<FollowUp> {
    change(backend, actor, &follow_up.id.to_string(), Expected::Any, what).await
}

async fn titles(backend: &Backend, actor: &Actor, filter: Filter) -> Vec<String> {
    let page = list(backend, actor, filter, &PageRequest::default()).await.unwrap();
    page.items.into_iter().map(|follow_up| follow_up.title).collect()
}

/// Lets the days pass, the timed jobs done each hour; answers the verbs of the reminders by the day they came.
async fn pass(test: &TestBackend, days: i64) -> BTreeMap<String, Vec<String>> {
    let before = sqlx::query_scalar!(r#"select coalesce(max(id), 0) as "id!" from events"#)
        .fetch_one(test.pool())
        .await
        .unwrap();
    for _ in 0..days * 24 {
        test.clock.advance(SignedDuration::from_hours(1));
        jobs::plan(test).await.unwrap();
        while outbox::settle(test).await.unwrap() > 0 {}
    }
    let given = sqlx::query!(
        "select at, verb, subject_key from events where id > $1 and actor_id is null order by id",
        before,
    )
    .fetch_all(test.pool())
    .await
    .unwrap();
    let mut by_day: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in given {
        let at = event.at.to_jiff().to_zoned(test.time_zone().clone());
        assert_eq!(at.hour(), 7, "in the morning of the organisation");
        let verb = event.verb.trim_start_matches("follow_up.");
        by_day.entry(at.date().to_string()).or_default().push(format!("{verb} {}", event.subject_key));
    }
    by_day
}

fn expected(days: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let verbs = |verbs: &[&str]| verbs.iter().map(|&verb| verb.to_owned()).collect();
    days.iter().map(|(day, given)| ((*day).to_owned(), verbs(given))).collect()
}

#[tokio::test]
async fn a_follow_up_is_made_handed_on_moved_and_done_and_each_leaves_an_event() {
    let test = testing::backend().await;
    let (ada, bo) = (person(&test, "Ada", Role::Member, None).await, person(&test, "Bo", Role::Member, None).await);
    let made = due_in(&test, &ada, &bo, 7).await;
    assert_eq!((made.days_overdue, made.age(), made.state, made.moves), (-7, Age::Later, State::Open, 0));
    assert_eq!(made, get(&test, &bo, &made.id.to_string()).await.unwrap());

    let same = changed(&test, &bo, &made, Change { title: Some(made.title.clone()), ..Change::default() }).await;
    assert_eq!(same.unwrap().version, 1, "nothing new, nothing written");
    let stale = change(&test, &bo, &made.id.to_string(), Expected::Version(7), to("done", "")).await;
    assert_eq!(refusal(stale), Refusal::Stale { sent: 7, newest: 1 });

    let moved = Change { due: Some("2026-11-20".into()), owner: Some("ada@EXAMPLE.com".into()), ..Change::default() };
    let moved = changed(&test, &bo, &made, moved).await.unwrap();
    assert_eq!((moved.due_on.to_string(), moved.first_due_on, moved.moves), ("2026-11-20".into(), made.due_on, 1));
    assert_eq!(moved.owner.name, "Ada");
    test.clock.advance(SignedDuration::from_hours(48));
    let done = changed(&test, &ada, &made, to("done", "The alarm is quiet now.")).await.unwrap();
    // Of two people who press the button the first one's word stays; that it is done is said once.
    let twice = refusal(changed(&test, &ada, &made, to("done", "I did it.")).await);
    assert_eq!((twice.status(), twice.to_string()), (409, "It is done already: Ada finished it.".to_owned()));
    assert_eq!(changed(&test, &ada, &made, to("done", " ")).await.unwrap(), done);
    let told = Change { note: Some("It rings no more.".into()), ..Change::default() };
    assert_eq!(changed(&test, &ada, &made, told).await.unwrap().note, "It rings no more.");
    test.clock.advance(SignedDuration::from_hours(480));
    let later = get(&test, &ada, &made.id.to_string()).await.unwrap();
    assert_eq!((later.days_overdue, later.age_days), (-16, 2), "its age ends when it is done");
    assert_eq!((done.state, done.closed_by.unwrap().name), (State::Done, "Ada".to_owned()));

    let move_done = Change { due: Some("2026-12-20".into()), ..Change::default() };
    assert_eq!(refusal(changed(&test, &ada, &made, move_done).await).status(), 409);
    let open = changed(&test, &ada, &made, Change { state: Some("open".into()), ..Change::default() }).await.unwrap();
    assert_eq!((open.state, open.note.as_str(), open.closed_at), (State::Open, "", None));
    assert!(refusal(changed(&test, &ada, &made, to("dropped", " ")).await).message_for("note").is_some());
    changed(&test, &ada, &made, to("dropped", "The service is gone.")).await.unwrap();

    let verbs = sqlx::query_scalar!("select verb from events order by id").fetch_all(test.pool()).await.unwrap();
    let verbs: Vec<_> = verbs.iter().map(|verb| verb.trim_start_matches("follow_up.")).collect();
    assert_eq!(verbs, ["created", "reassigned", "moved", "done", "changed", "reopened", "dropped"]);
    let noted = sqlx::query_scalar!("select after from events where verb = 'follow_up.changed'");
    assert_eq!(noted.fetch_one(test.pool()).await.unwrap().unwrap()["note"], "It rings no more.");
}

#[tokio::test]
async fn what_is_wrong_is_said_by_field() {
    let test = testing::backend().await;
    let ada = person(&test, "Ada", Role::Member, None).await;
    person(&test, "Ruth", Role::Reader, None).await;
    let gone = person(&test, "Gone", Role::Member, None).await;
    disable(&test, &gone).await;
    for (title, owner, due, wrong) in [
        ("", "ada@example.com", "2026-11-02", "title"),
        ("T", "nobody@example.com", "2026-11-02", "owner"),
        ("T", "ruth@example.com", "2026-11-02", "owner"),
        ("T", "gone@example.com", "2026-11-02", "owner"),
        ("T", "ada@example.com", "2026-11-01", "due"),
        ("T", "ada@example.com", "20261224", "due"),
        ("T", "ada@example.com", "2026-02-30", "due"),
        ("T", "ada@example.com", "tomorrow", "due"),
        ("T", "ada@example.com", "2028-11-03", "due"),
    ] {
        let new = NewFollowUp { title: title.into(), owner: owner.into(), due: due.into(), source: None };
        assert!(refusal(create(&test, &ada, new).await).message_for(wrong).is_some(), "{title} {owner} {due}");
    }
    let everything = refusal(create(&test, &ada, NewFollowUp::default()).await);
    for field in ["title", "owner", "due"] {
        assert!(everything.message_for(field).is_some(), "{field}");
    }
    assert_eq!(refusal(get(&test, &ada, "7").await).status(), 404);
    assert_eq!(refusal(get(&test, &ada, "+7").await).status(), 404);
}

#[tokio::test]
async fn it_comes_from_an_incident_that_exists_and_is_found_by_its_services() {
    use crate::incidents::{IncidentInput, record, void};
    let test = testing::backend().await;
    let sam = person(&test, "Sam", Role::Sre, None).await;
    let service = crate::services::ServiceInput { name: "Ledger".into(), tier: 1, ..Default::default() };
    crate::services::put(&test, &sam, "ledger", Expected::Absent, service).await.unwrap();
    let incident = IncidentInput {
        title: "Wrong month closed".into(),
        incident_type: "data".into(),
        severity: 2,
        services: vec!["ledger".into()],
        started_at: test.now(),
        ..IncidentInput::default()
    };
    let incident = record(&test, &sam, incident).await.unwrap();
    let from = |key: &str| NewFollowUp {
        title: "Check the month".into(),
        owner: sam.email.clone(),
        due: "2026-11-03".into(),
        source: Some(SourceInput { kind: "incident".into(), key: key.into() }),
    };
    for nothing in ["999", "", "+1", "x"] {
        assert!(refusal(create(&test, &sam, from(nothing)).await).message_for("source.key").is_some(), "{nothing}");
    }
    let key = incident.id.to_string();
    let made = create(&test, &sam, from(&key)).await.unwrap();
    assert_eq!(made.source, Some(Source { kind: SourceKind::Incident, key: key.clone() }));
    let of = |filter: Filter| titles(&test, &sam, filter);
    assert_eq!(of(Filter { service: Some("ledger".into()), ..Filter::default() }).await.len(), 1);
    assert_eq!(of(Filter { service: Some("other".into()), ..Filter::default() }).await.len(), 0);
    let this = Filter { source_kind: Some("incident".into()), source_key: Some(key), ..Filter::default() };
    assert_eq!(of(this).await.len(), 1);
    assert_eq!(counts(&test, &sam, Of::Service("ledger")).await.unwrap(), Counts { open: 1, overdue: 0 });
    // Also by an address that the service had.
    crate::services::rename(&test, &sam, "ledger", "books").await.unwrap();
    for slug in ["ledger", "books"] {
        assert_eq!(of(Filter { service: Some(slug.into()), ..Filter::default() }).await.len(), 1, "{slug}");
        assert_eq!(counts(&test, &sam, Of::Service(slug)).await.unwrap().open, 1, "{slug}");
    }
    assert_eq!(counts(&test, &sam, Of::Service("other")).await.unwrap().open, 0);

    // It is chased whatever becomes of the incident.
    void(&test, &sam, incident.id, "Twice.").await.unwrap();
    assert_eq!(pass(&test, 1).await, expected(&[("2026-11-03", &["due_soon 1"])]));
    let unlinked = Change { source: Some(None), ..Change::default() };
    assert_eq!(changed(&test, &sam, &made, unlinked).await.unwrap().source, None);
}

async fn disable(test: &TestBackend, who: &Actor) {
    let admin = Actor::operator();
    crate::accounts::people::disable(test, &admin, &who.email).await.unwrap();
}

#[tokio::test]
async fn owner_maker_and_sres_change_it_and_nobody_else() {
    let test = testing::backend().await;
    let (ada, bo) = (person(&test, "Ada", Role::Member, None).await, person(&test, "Bo", Role::Member, None).await);
    let (cy, sre) = (person(&test, "Cy", Role::Member, None).await, person(&test, "Sam", Role::Sre, None).await);
    let reader = person(&test, "Ruth", Role::Reader, None).await;
    let made = due_in(&test, &ada, &bo, 7).await;
    let rename = |title: &str| Change { title: Some(title.into()), ..Change::default() };
    for may in [&ada, &bo, &sre] {
        changed(&test, may, &made, rename(&may.name)).await.unwrap();
    }
    for may_not in [&cy, &reader] {
        assert_eq!(refusal(changed(&test, may_not, &made, rename("x")).await).status(), 403);
    }
    let new = NewFollowUp { title: "T".into(), owner: bo.email.clone(), due: "2026-11-09".into(), source: None };
    assert_eq!(refusal(create(&test, &reader, new).await).status(), 403);
    assert_eq!(get(&test, &reader, &made.id.to_string()).await.unwrap().title, "Sam");
}

#[tokio::test]
async fn the_list_is_ordered_by_urgency_and_filtered() {
    let test = testing::backend().await;
    let ada = person(&test, "Ada", Role::Member, Some("core")).await;
    let bo = person(&test, "Bo", Role::Member, Some("search")).await;
    let late = due_in(&test, &ada, &ada, 1).await;
    let far = due_in(&test, &ada, &bo, 30).await;
    let near = due_in(&test, &ada, &bo, 5).await;
    let (first, second) = (due_in(&test, &ada, &ada, 2).await, due_in(&test, &ada, &ada, 3).await);
    changed(&test, &ada, &second, to("done", "")).await.unwrap();
    test.clock.advance(SignedDuration::from_hours(24 * 3));
    changed(&test, &ada, &first, to("dropped", "No use.")).await.unwrap();

    let all = [&late, &near, &far, &first, &second].map(|follow_up| follow_up.title.clone());
    assert_eq!(titles(&test, &bo, Filter::default()).await, all);
    let page = PageRequest { limit: Some(2), cursor: None };
    let page = list(&test, &ada, Filter::default(), &page).await.unwrap();
    let rest = PageRequest { limit: Some(50), cursor: page.next_cursor };
    let rest = list(&test, &ada, Filter::default(), &rest).await.unwrap();
    assert_eq!(rest.items.iter().map(|item| item.title.clone()).collect::<Vec<_>>(), all[2..]);
    assert_eq!(rest.next_cursor, None);

    let of = |filter: Filter| titles(&test, &ada, filter);
    assert_eq!(of(Filter { overdue: true, ..Filter::default() }).await, all[..1]);
    assert_eq!(of(Filter { team: Some("search".into()), ..Filter::default() }).await, all[1..3]);
    assert_eq!(of(Filter { owner: Some("BO@example.com".into()), ..Filter::default() }).await, all[1..3]);
    assert_eq!(of(Filter { state: Some("done".into()), ..Filter::default() }).await, all[4..]);
    assert_eq!(of(Filter { q: Some("2026-12".into()), ..Filter::default() }).await, all[2..3]);
    assert_eq!(of(Filter { owner: Some("nobody\0".into()), ..Filter::default() }).await, [""; 0]);
    let wrong =
        list(&test, &ada, Filter { state: Some("x".into()), ..Filter::default() }, &PageRequest::default()).await;
    assert!(refusal(wrong).message_for("state").is_some());
    assert_eq!(counts(&test, &ada, Of::All).await.unwrap(), Counts { open: 3, overdue: 1 });
    assert_eq!(counts(&test, &ada, Of::Team("search")).await.unwrap(), Counts { open: 2, overdue: 0 });
    assert_eq!(counts(&test, &ada, Of::Owner("ada@example.com")).await.unwrap(), Counts { open: 1, overdue: 1 });
    disable(&test, &bo).await;
    assert_eq!(of(Filter { needs_owner: true, ..Filter::default() }).await, all[1..3]);
}

#[tokio::test]
async fn a_month_of_reminders_comes_on_the_right_days_and_ends_with_the_work() {
    let mut test = testing::backend().await;
    // Where it is eight hours earlier than in Greenwich, and the clocks do not change in this month.
    test.backend = test.backend.with_time_zone(TimeZone::get("America/Los_Angeles").unwrap());
    let ada = person(&test, "Ada", Role::Member, None).await;
    assert_eq!(today(&test).to_string(), "2026-11-02");
    let late = due_in(&test, &ada, &ada, 5).await;
    let done = due_in(&test, &ada, &ada, 5).await;
    let moved = due_in(&test, &ada, &ada, 5).await;
    due_in(&test, &ada, &ada, 60).await;

    let given = pass(&test, 4).await;
    assert_eq!(given, expected(&[("2026-11-04", &["due_soon 1", "due_soon 2", "due_soon 3"])]));
    changed(&test, &ada, &done, to("done", "")).await.unwrap();
    changed(&test, &ada, &moved, Change { due: Some("2026-11-20".into()), ..Change::default() }).await.unwrap();

    let given = pass(&test, 28).await;
    let expected_days: &[(&str, &[&str])] = &[
        ("2026-11-08", &["overdue 1"]),
        ("2026-11-15", &["overdue 1"]),
        ("2026-11-17", &["due_soon 3"]),
        ("2026-11-21", &["overdue 3"]),
        ("2026-11-22", &["overdue 1", "escalated 1"]),
        ("2026-11-28", &["overdue 3"]),
        ("2026-11-29", &["overdue 1", "escalated 1"]),
    ];
    assert_eq!(given, expected(expected_days));
    assert_eq!(get(&test, &ada, &late.id.to_string()).await.unwrap().reminders, 5);

    changed(&test, &ada, &late, to("dropped", "Overtaken by events.")).await.unwrap();
    changed(&test, &ada, &moved, to("done", "")).await.unwrap();
    assert_eq!(pass(&test, 10).await, BTreeMap::new(), "what is closed is not chased");
}

#[tokio::test]
async fn days_that_nobody_was_there_for_bring_one_reminder_and_no_reminder_comes_twice() {
    let test = testing::backend().await;
    let ada = person(&test, "Ada", Role::Member, None).await;
    let late = due_in(&test, &ada, &ada, 5).await;
    jobs::plan(&test).await.unwrap();
    test.clock.advance(SignedDuration::from_hours(24 * 30));
    for _ in 0..3 {
        jobs::plan(&test).await.unwrap();
        while outbox::settle(&test).await.unwrap() > 0 {}
    }
    let verbs = sqlx::query_scalar!("select verb from events where actor_id is null order by id");
    assert_eq!(verbs.fetch_all(test.pool()).await.unwrap(), ["follow_up.overdue", "follow_up.escalated"]);

    // Moved away and back again: the reminder of that day was given.
    let tomorrow = today(&test).checked_add(1.days()).unwrap().to_string();
    let to = |due: &str| Change { due: Some(due.into()), ..Change::default() };
    changed(&test, &ada, &late, to(&tomorrow)).await.unwrap();
    assert_eq!(pass(&test, 1).await.len(), 1);
    changed(&test, &ada, &late, to("2027-01-01")).await.unwrap();
    changed(&test, &ada, &late, to(&tomorrow)).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(pass(&test, 0).await.len(), 0);
}

#[tokio::test]
async fn reminders_of_what_its_owner_cannot_do_any_more_go_to_the_leads() {
    let test = testing::backend().await;
    let ada = person(&test, "Ada", Role::Member, None).await;
    let bo = person(&test, "Bo", Role::Member, None).await;
    person(&test, "Root", Role::Admin, None).await;
    let made = due_in(&test, &ada, &bo, 2).await;
    disable(&test, &bo).await;
    assert!(get(&test, &ada, &made.id.to_string()).await.unwrap().needs_owner);
    let given = pass(&test, 1).await;
    assert_eq!(given, expected(&[("2026-11-03", &["due_soon 1"])]));
    let after = sqlx::query_scalar!("select after from events where verb = 'follow_up.due_soon'");
    let after = after.fetch_one(test.pool()).await.unwrap().unwrap();
    assert_eq!((after["needs_owner"].as_bool(), after["days_overdue"].as_i64()), (Some(true), Some(-1)));

    // Then it is the admin's, as long as there is no lead.
    let told = async || {
        let told = sqlx::query!(
            "select name, reason, text from notices join people on people.id = person_id
              where text like 'It %' order by notices.id"
        );
        let told = told.fetch_all(test.pool()).await.unwrap().into_iter();
        told.map(|notice| format!("{}, {}: {}", notice.name, notice.reason, notice.text)).collect::<Vec<_>>()
    };
    assert_eq!(told().await, ["Root, admin: It needs a new owner and is due 4 Nov 2026"]);
    person(&test, "Mei", Role::Lead, None).await;
    pass(&test, 16).await;
    let late = "Mei, lead: It needs a new owner and was due 4 Nov 2026";
    assert_eq!(told().await[1..], [late, late, late], "and is not told twice of one reminder");
}
