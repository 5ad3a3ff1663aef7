//! Incidents and follow-ups as a browser without JavaScript shows them.

use scraper::{Html, Selector};

use super::*;

const RECORD: &str = "/do/incidents/record";
const NEW: &str = "/incidents/new";

/// What the form sends, with some of it changed.
fn form<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("title", "Payments stood still"),
        ("incident_type", "config_change"),
        ("severity", "2"),
        ("services", "checkout"),
        ("zone", "Europe/Berlin"),
        ("started_at", "2026-10-30T10:00"),
        ("detected_at", "2026-10-30T10:04"),
        ("mitigated_at", ""),
        ("ended_at", "2026-10-30T11:30"),
        ("summary", "A <b>wrong</b> limit & no alarm."),
    ];
    let change = |(name, value)| changed.iter().find(|(changed, _)| *changed == name).map_or((name, value), |c| *c);
    let more = changed.iter().filter(|(name, _)| usual.iter().all(|(known, _)| known != name)).copied();
    usual.into_iter().map(change).chain(more).collect()
}

async fn cast_with_service() -> Cast {
    let cast = Cast::new().await;
    let service = json!({ "name": "Checkout", "tier": 1, "team": "core" });
    assert_eq!(cast.app.call(Some(&cast.sre), "PUT", "/services/checkout", service).await.status, 201);
    cast
}

/// Records the usual incident as the author; its page.
async fn recorded(cast: &Cast, changed: &[(&str, &str)]) -> String {
    let answer = cast.app.form(Some(&cast.author), NEW, RECORD, &form(changed)).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    answer.header("location").split('?').next().unwrap().to_owned()
}

fn texts(page: &str, selector: &str) -> Vec<String> {
    let words = |element: scraper::ElementRef<'_>| element.text().collect::<Vec<_>>().join(" ");
    let trim = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    Html::parse_document(page).select(&Selector::parse(selector).unwrap()).map(words).map(trim).collect()
}

fn value(page: &str, name: &str) -> String {
    let page = Html::parse_document(page);
    let field = Selector::parse(&format!("main [name={name}]")).unwrap();
    page.select(&field).next().and_then(|field| field.attr("value")).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_incident_is_recorded_on_the_clocks_of_its_zone_and_shown_with_its_times() {
    let cast = cast_with_service().await;
    let place = recorded(&cast, &[]).await;
    let page = cast.app.page(Some(&cast.reader), &place).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let moments = texts(&page.body, ".moment");
    assert_eq!(moments[0], "Started 30 Oct 2026, 09:00");
    assert_eq!(
        moments[1..],
        ["Detected 30 Oct 2026, 09:04 4 min after the start", "Ended 30 Oct 2026, 10:30 1 h 30 min after the start"]
    );
    assert!(page.body.contains("Lasted 1 h 30 min"), "{}", page.body);
    // The second one of its type on the service within 90 days says so.
    let again = recorded(&cast, &[("started_at", "2026-11-01T10:00"), ("detected_at", ""), ("ended_at", "")]).await;
    let page = cast.app.page(Some(&cast.reader), &again).await;
    assert!(page.body.contains("2nd config change in 90 days on Checkout"), "{}", page.body);
    let list = cast.app.page(Some(&cast.reader), "/incidents").await;
    assert_eq!(texts(&list.body, ".rows .row-title").len(), 3, "what came back, and two incidents");
    assert_eq!(texts(&list.body, "#by-type tbody tr")[0], "Config change 2 4 min –");
    for (about, address) in [("service", "/services/checkout"), ("team", "/teams/core")] {
        let page = cast.app.page(Some(&cast.reader), address).await;
        let said = texts(&page.body, "#incidents p")[0].clone();
        assert_eq!(said, "2 in 90 days, 2 incidents in 12 months; median 4 min to detect.", "{about}");
        assert!(!page.body.contains("style="), "{about}");
    }
    let none = cast.app.page(Some(&cast.reader), "/incidents?severity=1").await;
    assert!(none.body.contains("No incident matches"));
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_asks_which_of_two_times_is_meant() {
    let cast = cast_with_service().await;
    let send = async |changed: &[(&str, &str)]| cast.app.form(Some(&cast.author), NEW, RECORD, &form(changed)).await;
    // The clocks in Berlin went back on 25 October.
    let twice = send(&[("started_at", "2026-10-25T02:30")]).await;
    assert_eq!(twice.status, 422);
    assert_eq!(value(&twice.body, "title"), "Payments stood still");
    assert!(twice.body.contains("02:30 came twice on 25 October 2026 in Europe/Berlin"), "{}", twice.body);
    assert_eq!(texts(&twice.body, "select[name=fold] option").len(), 3);
    let wrong = send(&[("title", " "), ("services", "nothing"), ("ended_at", "2026-10-30T09:00")]).await;
    assert_eq!(wrong.status, 422);
    assert!(texts(&wrong.body, "select[name=fold]").is_empty());
    assert!(wrong.body.contains("An incident cannot end before it starts."), "{}", wrong.body);

    let place = recorded(&cast, &[("started_at", "2026-10-25T02:30"), ("detected_at", ""), ("fold", "second")]).await;
    let edit = cast.app.page(Some(&cast.author), &format!("{place}/edit")).await;
    // The author's own clocks are UTC.
    assert_eq!((value(&edit.body, "zone"), value(&edit.body, "started_at")), ("UTC".into(), "2026-10-25T01:30".into()));
}

#[tokio::test]
async fn a_follow_up_is_made_on_the_incidents_page_and_finished_there() {
    let cast = cast_with_service().await;
    let place = recorded(&cast, &[]).await;
    let id = place.rsplit('/').next().unwrap();
    let back = format!("{place}#follow-ups");
    let promise = async |due: &str| {
        let fields = [
            ("title", "Alarm on limits"),
            ("owner", "mia@example.com"),
            ("due", due),
            ("incident", id),
            ("back", &back),
        ];
        cast.app.form(Some(&cast.author), &place, "/do/follow-ups/create", &fields).await
    };
    let late = promise("2026-11-01").await;
    assert_eq!((late.status.as_u16(), value(&late.body, "title").as_str()), (422, "Alarm on limits"));
    assert!(late.body.contains("2026-11-01 has passed"), "{}", late.body);
    let made = promise("2026-11-03").await;
    assert_eq!(made.header("location"), format!("{place}?done=follow_up_made#follow-ups"), "{}", made.body);
    let page = cast.app.page(Some(&cast.author), &place).await;
    assert_eq!(texts(&page.body, "#follow-ups .row-title"), ["Alarm on limits"]);
    assert!(page.body.contains("Due tomorrow"), "{}", page.body);
    let home = cast.app.page(Some(&cast.member), "/").await;
    assert!(home.body.contains("Your follow-ups"));
    for address in ["/services/checkout", "/teams/search"] {
        let page = cast.app.page(Some(&cast.reader), address).await;
        assert!(page.body.contains("1 open follow-up"), "{address}: {}", page.body);
    }
    let elsewhere = [("follow_up", "1"), ("note", "It rings."), ("back", "//evil.example")];
    let done = cast.app.form(Some(&cast.member), &place, "/do/follow-ups/finish", &elsewhere).await;
    assert_eq!(done.header("location"), "/", "no way out of the product");
    let page = cast.app.page(Some(&cast.reader), "/follow-ups/1").await;
    assert!(page.body.contains("It rings.") && page.body.contains("Done in time"), "{}", page.body);
    let greyed = texts(&page.body, ".actions .button-blocked button");
    assert!(greyed.len() == 1 && greyed[0].starts_with("Open it again"), "it is done already: {greyed:?}");
    let none = cast.app.page(Some(&cast.reader), "/follow-ups?team=search&q=zeppelin").await;
    assert_eq!(texts(&none.body, ".tabs [aria-current]"), ["search"]);
    assert_eq!(texts(&none.body, "a[href='/follow-ups?team=search']"), ["Clear", "Show open ones"]);
    let unknown = cast.app.page(Some(&cast.reader), "/follow-ups?team=nobody").await;
    assert_eq!((unknown.status.as_u16(), texts(&unknown.body, ".tabs [aria-current]")), (200, vec!["nobody".into()]));
}

#[tokio::test]
async fn home_says_what_is_overdue_where_no_thread_waits() {
    let cast = cast_with_service().await;
    let fields = [("title", "Alarm on limits"), ("owner", "mia@example.com"), ("due", "2026-11-02")];
    let made = cast.app.form(Some(&cast.author), "/follow-ups/new", "/do/follow-ups/create", &fields).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let said = async || texts(&cast.app.page(Some(&cast.member), "/").await.body, ".page-header .meta");
    // Until the next day, in steps that no session ends in.
    for expected in ["Nobody waits for you.", "Nobody waits for you.", "1 follow-up is overdue."] {
        cast.app.backend.clock.advance(jiff::SignedDuration::from_hours(6));
        assert_eq!(said().await, [expected]);
    }
}

#[tokio::test]
async fn a_refused_incident_comes_back_with_everything_in_sight() {
    let cast = cast_with_service().await;
    let elsewhere = [("source", "pager"), ("external_id", "P-1")];
    let place = recorded(&cast, &elsewhere).await;
    let again = [&elsewhere[..], &[("postmortem", "Why, in *five* steps.")]].concat();
    let refused = cast.app.form(Some(&cast.author), NEW, RECORD, &form(&again)).await;
    assert_eq!(refused.status, 422);
    assert_eq!(texts(&refused.body, "main details[open] > summary"), ["Postmortem as text", "Its name elsewhere"]);
    let wrong = texts(&refused.body, "details[open] .field-message");
    let id = place.rsplit('/').next().unwrap();
    assert_eq!(wrong, [format!("Incident {id} has this external id already; change that one.")]);
    let new = cast.app.page(Some(&cast.author), NEW).await;
    assert!(texts(&new.body, "main details[open] > summary").is_empty());
}

#[tokio::test]
async fn a_list_keeps_the_archived_service_that_it_is_filtered_by() {
    let cast = cast_with_service().await;
    recorded(&cast, &[]).await;
    let archived = cast.app.call(Some(&cast.sre), "POST", "/services/checkout/archive", Value::Null).await;
    assert!(archived.status.is_success(), "{}", archived.body);
    let list = cast.app.page(Some(&cast.reader), "/incidents?service=checkout").await;
    assert_eq!(texts(&list.body, "select[name=service] option[selected]"), ["checkout"]);
    let all = cast.app.page(Some(&cast.reader), "/incidents").await;
    assert_eq!(texts(&all.body, "select[name=service] option"), ["Any service"]);
    assert_eq!(texts(&all.body, ".actions a[href='/follow-ups?who=all']"), ["Follow-ups"]);
}
