//! Files of incidents, from their bytes to the database.

mod large;

use domain::Role;
use jiff::Timestamp;

use super::*;
use crate::imports::{Import, Kind, NewImport, Phase, State};
use crate::incidents::{Filter, IncidentChange, Listed, change, get, list};
use crate::outbox;
use crate::services::{self, ServiceInput};
use crate::testing::{self, TestBackend, person};
use crate::{Expected, PageRequest};

/// A database with the services `checkout` and `search`.
async fn backend() -> TestBackend {
    let test = testing::backend().await;
    for (slug, name) in [("checkout", "Checkout"), ("search", "Departure search")] {
        let input = ServiceInput { name: name.into(), tier: 1, ..ServiceInput::default() };
        services::put(&test, &Actor::operator(), slug, Expected::Absent, input).await.unwrap();
    }
    test
}

fn options(backend: &Backend, said: &Value) -> Options {
    Options::parse(backend, said.as_object().unwrap()).unwrap()
}

async fn import_bytes(test: &TestBackend, bytes: &[u8], said: Value, dry_run: bool) -> Result<Report> {
    let options = options(test, &said);
    import_file(test, &Actor::operator(), File::Bytes(bytes), "a.csv", &options, dry_run, |_| true).await
}

async fn all(test: &TestBackend) -> Vec<Listed> {
    let page = PageRequest { limit: Some(200), cursor: None };
    let mut found = list(test, &Actor::operator(), &Filter::default(), &page).await.unwrap().items;
    found.sort_by_key(|incident| incident.id);
    found
}

/// `refused 3 x: why` for every line but those about new incidents and columns.
fn said(report: &Report) -> Vec<String> {
    let lines = report.lines.iter().filter(|line| line.outcome != Outcome::New && line.sort != "column");
    let lines = lines.filter(|line| line.sort != "file");
    lines
        .map(|line| {
            let changes: Vec<_> = line
                .changes
                .iter()
                .map(|change| format!(" {}={}>{}", change.field, change.before, change.after))
                .collect();
            format!(
                "{} {} {} {}: {}{}",
                line.outcome.as_str(),
                line.sort,
                line.place.line,
                line.subject,
                line.message,
                changes.concat()
            )
        })
        .collect()
}

async fn events(test: &TestBackend) -> i64 {
    let count = sqlx::query_scalar!("select count(*) from events where verb like 'incident%'");
    count.fetch_one(test.pool()).await.unwrap().unwrap()
}

const SHEET: &str = "\
Incident ID;Title;Type;Sev;Affected services;Opened;Time to detect (min);Resolved;Post-mortem;Owner
A-1;\"Checkout; down\";Config Change;SEV1;\"Checkout, old shop\";03/11/2025 14:05;5;03/11/2025 15:05;https://wiki.example.com/1;Ada
A-2;Search slow;Sabotage;SEV3;departure search;13/11/2025 09:00;;2h;;Bob
";

#[tokio::test]
async fn a_sheet_becomes_incidents_and_a_second_import_changes_nothing() {
    let test = backend().await;
    let dry = import_bytes(&test, SHEET.as_bytes(), json!({}), true).await.unwrap();
    assert_eq!((dry.counts.of("new incident"), dry.refused()), (2, 0), "{:#?}", dry.lines);
    assert!(all(&test).await.is_empty() && events(&test).await == 0, "a dry run changes nothing");

    let report = import_bytes(&test, SHEET.as_bytes(), json!({ "zone": "Europe/Berlin" }), false).await.unwrap();
    assert_eq!(report.read_as, "CSV separated by semicolons, UTF-8");
    assert_eq!(report.columns[9], ("Owner".to_owned(), None));
    assert_eq!(
        said(&report),
        [
            "noted unknown service 2 old shop: No service is called so; it waits until somebody says which one is meant.",
            "noted unknown type 3 Sabotage: No type is called so; such incidents are of the type unknown.",
        ]
    );
    let found = all(&test).await;
    let first = get(&test, &Actor::operator(), found[0].id).await.unwrap();
    assert_eq!((first.title.as_str(), first.incident_type.slug.as_str()), ("Checkout; down", "config_change"));
    assert_eq!(first.started_at.to_string(), "2025-11-03T13:05:00Z", "day first, as the other row tells; in Berlin");
    assert_eq!(first.detected_at.unwrap().to_string(), "2025-11-03T13:10:00Z");
    assert_eq!(first.ended_at.unwrap().to_string(), "2025-11-03T14:05:00Z");
    assert_eq!((first.services[0].slug.as_str(), first.unknown_services[0].as_str()), ("checkout", "old shop"));
    assert_eq!(first.postmortem_url.as_deref(), Some("https://wiki.example.com/1"));
    let second = get(&test, &Actor::operator(), found[1].id).await.unwrap();
    assert_eq!((second.type_word.as_str(), second.severity.number()), ("Sabotage", 3));
    assert_eq!((second.detected_at, second.ended_at.unwrap().to_string()), (None, "2025-11-13T10:00:00Z".into()));

    let before = events(&test).await;
    assert_eq!(before, 3, "one an incident, one for the import");
    let again = import_bytes(&test, SHEET.as_bytes(), json!({ "zone": "Europe/Berlin" }), false).await.unwrap();
    assert_eq!((again.counts.of("unchanged incident"), said(&again).len()), (2, 0), "{:#?}", again.lines);
    assert_eq!((all(&test).await, events(&test).await), (found, before));
    // Nobody waits to be told of each of them.
    let waiting = sqlx::query_scalar!(
        "select count(*) from outbox where kind = 'event' and payload in
        (select to_jsonb(id) from events where verb like 'incident.%')"
    );
    assert_eq!(waiting.fetch_one(test.pool()).await.unwrap(), Some(0));

    let changed = SHEET.replace("SEV3", "SEV2").replace("Checkout; down", "Checkout; was down");
    let report = import_bytes(&test, changed.as_bytes(), json!({ "zone": "Europe/Berlin" }), false).await.unwrap();
    assert_eq!(said(&report)[0], "changed incident 2 A-1:  title=Checkout; down>Checkout; was down");
    assert_eq!(said(&report)[2], "changed incident 3 A-2:  severity=3>2");
}

#[tokio::test]
async fn rows_that_are_wrong_are_named_and_the_rest_goes_in() {
    let test = backend().await;
    let file = "\
id,title,severity,started,ended,url
1,good,2,2025-11-03 14:05,2025-11-03 15:05,
2,ends early,2,2025-11-03 14:05,2025-11-03 13:05,
3,no date,2,31/31/2025,,
4,no severity,,2025-11-03 14:05,,
5,,2,2025-11-03 14:05,,
6,grave,urgent,2025-11-03 14:05,,
7,link,2,2025-11-03 14:05,,javascript:alert(1)
8,more,2,2025-11-03 14:05,,,surplus
9,\"open,2,2025-11-03 14:05,,
1,again,2,2025-11-03 14:05,,
10,gap,2,2025-03-30 02:30,,
11,fold,2,2025-10-26 02:30,,
12,later,2,2027-01-01 00:00,,
13,good too,2,1762178700,90m,
";
    let report = import_bytes(&test, file.as_bytes(), json!({ "zone": "Europe/Berlin" }), false).await.unwrap();
    assert_eq!(
        said(&report),
        [
            "refused row 3 2: ended: An incident cannot end before it starts.",
            "refused row 4 3: started: “31/31/2025” is no date or time that can be read.",
            "refused row 5 4: severity: The severity is missing.",
            "refused row 6 5: title: The title is missing.",
            "refused row 7 6: severity: “urgent” is no severity; write 1 (critical), 2 (major), 3 (minor) or 4 (low).",
            "refused row 8 7: url: A link starts with https:// or http:// and has no spaces.",
            "refused row 9 8: This row has more columns than there are headings: “surplus” belongs to none.",
            "refused row 10 line 10: The quote that begins column 2 is never closed.",
            "refused row 11 1: The same incident stands further up in this file already.",
            "refused row 12 10: started: 2025-03-30T02:30:00 does not exist in Europe/Berlin: the clocks went forward.",
            "noted time 13 11: started: 2025-10-26T02:30:00 came twice in Europe/Berlin when the clocks went back; the first \
         one was taken.",
            "refused row 14 12: started: This lies in the future: are day and month mixed up?",
        ]
    );
    let titles: Vec<_> = all(&test).await.into_iter().map(|incident| incident.title).collect();
    assert_eq!(titles, ["good", "fold", "good too"]);
    let graver = import_bytes(&test, file.as_bytes(), json!({ "severity": "3" }), false).await.unwrap();
    assert_eq!(
        graver.counts.of("new incident"),
        2,
        "the default severity, and a zone without a gap: {:#?}",
        graver.lines
    );
}

#[tokio::test]
async fn severities_beyond_ours_are_read_and_said_once() {
    let test = backend().await;
    let file = "\
id,title,severity,start
1,a,SEV0,2025-11-03 14:05
2,b,SEV0,2025-11-03 14:05
3,c,P5,2025-11-03 14:05
4,d,4.0,2025-11-03 14:05
";
    let report = import_bytes(&test, file.as_bytes(), json!({}), false).await.unwrap();
    assert_eq!(
        said(&report),
        [
            "noted severity 2 1: “SEV0” is read as Severity 1 · critical.",
            "noted severity 4 3: “P5” is read as Severity 4 · low.",
        ]
    );
    let found: Vec<_> = all(&test).await.into_iter().map(|incident| incident.severity.number()).collect();
    assert_eq!(found, [1, 1, 4, 4]);
}

#[tokio::test]
async fn a_blank_of_what_was_never_said_leaves_what_people_wrote() {
    let test = backend().await;
    let short = b"id,title,severity,start\n1,a,2,2025-11-03 14:05\n";
    import_bytes(&test, short, json!({}), false).await.unwrap();
    let operator = Actor::operator();
    let id = all(&test).await[0].id;
    let wrote = IncidentChange {
        incident_type: Some("deploy".into()),
        services: Some(vec!["checkout".into()]),
        detected_at: Some(Some("2025-11-03T14:10:00Z".parse().unwrap())),
        summary: Some("Ours.".into()),
        postmortem: Some("Learned a lot.".into()),
        ..IncidentChange::default()
    };
    let before = change(&test, &operator, id, Expected::Existing, wrote).await.unwrap();
    let long = b"id,title,severity,start,type,services,detected,summary,postmortem\n1,a,2,2025-11-03 14:05,,,,,\n";
    let report = import_bytes(&test, long, json!({}), false).await.unwrap();
    assert!(report.columns.iter().all(|(_, field)| field.is_some()), "{:#?}", report.columns);
    assert_eq!((report.counts.of("unchanged incident"), said(&report).len()), (1, 0), "{:#?}", report.lines);
    assert_eq!(get(&test, &operator, id).await.unwrap(), before);
    // A blank where something was said is another matter.
    let told = b"id,title,severity,start,summary\n1,a,2,2025-11-03 14:05,Theirs.\n";
    import_bytes(&test, told, json!({}), false).await.unwrap();
    import_bytes(&test, long, json!({}), false).await.unwrap();
    assert_eq!(get(&test, &operator, id).await.unwrap().summary, "");
}

#[tokio::test]
async fn what_cannot_be_decided_refuses_the_whole_file() {
    let test = backend().await;
    let refused = async |file: &[u8], said: Value| match import_bytes(&test, file, said, false).await {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let file = b"id,title,sev,start\n1,a,1,03/11/2025 10:00\n2,b,1,04/05/2025 10:00\n";
    let why = refused(file, json!({})).await.message_for("dates").unwrap();
    assert!(why.contains("line 2") && why.contains("Say which it is"), "{why}");
    let report = import_bytes(&test, file, json!({ "dates": "month-first" }), false).await.unwrap();
    assert_eq!(report.counts.of("new incident"), 2);
    assert_eq!(all(&test).await[0].started_at.to_string(), "2025-03-11T10:00:00Z");
    let both = b"id,title,sev,start\n1,a,1,31/12/2025\n2,b,1,12/31/2025\n";
    assert!(refused(both, json!({})).await.message_for("dates").unwrap().contains("Line 2"));
    assert!(refused(b"", json!({})).await.message_for("file").is_some());
    assert!(refused(b"\n\n", json!({})).await.message_for("file").is_some());
    assert!(refused(b"a,b\n", json!({ "map": "c=title" })).await.message_for("map").is_some());
    for wrong in [
        json!({ "zone": "Mars/Base" }),
        json!({ "dates": "backwards" }),
        json!({ "severity": "9" }),
        json!({ "map": "x" }),
        json!({ "colour": "red" }),
    ] {
        assert!(Options::parse(&test, wrong.as_object().unwrap()).is_err(), "{wrong}");
    }
    let by_lead = person(&test, "Lee", Role::Lead, None).await;
    let options = options(&test, &json!({}));
    let refused = import_file(&test, &by_lead, File::Bytes(file), "a", &options, false, |_| true).await;
    assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal.status() == 403));
}

#[tokio::test]
async fn json_and_other_encodings_are_read() {
    let test = backend().await;
    let list = json!({ "incidents": [
        { "id": 1, "title": "Größe", "severity": 1, "services": ["checkout", { "name": "Departure Search" }],
          "timing": { "startedAt": "2025-11-03T14:05:00Z", "time_to_mitigate": "PT20M" } },
        { "id": "2", "title": "b", "severity": "low", "timing": { "startedAt": 1_762_178_700 }, "services": "search|x" },
    ] });
    let map = json!({ "timing.startedAt": "started_at", "timing.time_to_mitigate": "mitigated_at" });
    let report = import_bytes(&test, list.to_string().as_bytes(), json!({ "map": map }), false).await.unwrap();
    assert_eq!((report.read_as.as_str(), report.refused()), ("JSON, UTF-8", 0), "{:#?}", report.lines);
    let found = all(&test).await;
    assert_eq!((found[0].external_id.as_deref(), found[0].services.len()), (Some("1"), 2));
    assert_eq!(found[0].mitigated_at.unwrap().to_string(), "2025-11-03T14:25:00Z");
    assert_eq!((found[1].severity.number(), found[1].unknown_services[0].as_str()), (4, "x"));
    assert_eq!(found[1].started_at.to_string(), "2025-11-03T14:05:00Z");

    let issues = json!({ "total": 1, "issues": [{ "id": "9", "title": "c" }] });
    let report = import_bytes(&test, issues.to_string().as_bytes(), json!({}), false).await.unwrap();
    assert_eq!(report.refused(), 1);
    assert!(said(&report)[0].contains("a list called “issues”"), "{:#?}", report.lines);

    let windows = b"key\ttitle\tsev\tstart\nW-1\tGr\xf6\xdfe \x80\t2\t2025-11-03 14:05\n";
    let report = import_bytes(&test, windows, json!({}), false).await.unwrap();
    assert_eq!(report.read_as, "CSV separated by tabs, Windows-1252");
    let sheet = "id,title,severity,start\nU-1,Größe,2,2025-11-03 14:05\n";
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(sheet.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let report = import_bytes(&test, &utf16, json!({}), false).await.unwrap();
    assert_eq!((report.read_as.as_str(), report.refused()), ("CSV separated by commas, UTF-16LE", 0));
    let titles: Vec<_> = all(&test).await.into_iter().skip(2).map(|incident| incident.title).collect();
    assert_eq!(titles, ["Größe €", "Größe"]);
    // Without ids a row is known by its title and start.
    let nameless = b"title,severity,start\nonly this,2,2025-11-03 14:05\n";
    for (new, unchanged) in [(1, 0), (0, 1)] {
        let report = import_bytes(&test, nameless, json!({}), false).await.unwrap();
        assert_eq!((report.counts.of("new incident"), report.counts.of("unchanged incident")), (new, unchanged));
    }
}

async fn worked(test: &TestBackend) -> Import {
    let mut last = 0;
    for claimed in outbox::claim(test, outbox::Kind::Import, "test", 10).await.unwrap() {
        imports::work(test, &claimed.payload).await.unwrap();
        outbox::finish(test, &[claimed.id]).await.unwrap();
        last = claimed.payload["import"].as_i64().unwrap();
    }
    imports::get(test, &Actor::operator(), last).await.unwrap()
}

#[tokio::test]
async fn a_file_that_is_handed_in_is_compared_read_anew_and_applied() {
    let test = backend().await;
    let admin = person(&test, "Ada", Role::Admin, None).await;
    let sheet = SHEET.replace("13/11/2025", "12/11/2025").replace("Opened", "When it was");
    let new = NewImport { kind: Kind::Incidents, name: "sheet.csv".into(), options: Map::new() };
    imports::hand_in(&test, &admin, new, sheet.as_bytes()).await.unwrap();
    let import = worked(&test).await;
    assert_eq!(import.state, State::Failed);
    assert!(import.problem.contains("month first"), "{}", import.problem);
    let shown = preview(&test, &admin, import.id).await.unwrap();
    assert_eq!(shown.columns[5].0, "When it was");
    assert_eq!((shown.columns[5].1, shown.columns[5].2[0].as_str()), (None, "03/11/2025 14:05"));
    assert_eq!(shown.columns[0].1, Some(Field::ExternalId));

    let again = async |options: Value| {
        let options = options.as_object().unwrap().clone();
        imports::read_again(&test, &admin, import.id, options).await.unwrap();
        worked(&test).await
    };
    let startless = again(json!({ "dates": "day-first" })).await;
    assert_eq!((startless.state, startless.found.of("refused row")), (State::Ready, 2), "{startless:#?}");
    let ready = again(json!({ "map": "#6=started_at", "dates": "day-first" })).await;
    assert_eq!((ready.state, ready.found.of("new incident"), ready.problem.as_str()), (State::Ready, 2, ""));
    assert_eq!(ready.found.of("refused row"), 0, "what an earlier reading found is gone");
    assert!(all(&test).await.is_empty(), "nothing is changed yet");
    imports::apply(&test, &admin, ready.id).await.unwrap();
    let applied = worked(&test).await;
    assert_eq!((applied.state, applied.did.of("new incident")), (State::Applied, 2));
    let found = all(&test).await;
    assert_eq!(found.len(), 2);
    let recorder = get(&test, &admin, found[0].id).await.unwrap().recorded_by.unwrap();
    assert_eq!(recorder.email, "ada@example.com");
    let page = PageRequest::default();
    let lines = imports::lines(&test, &admin, applied.id, Phase::Apply, Some(Outcome::New), &page).await.unwrap();
    assert_eq!((lines.items[0].subject.as_str(), lines.items[0].place.line), ("A-1", 2));
    let refused = imports::read_again(&test, &admin, applied.id, Map::new()).await;
    assert!(matches!(refused, Err(Error::Refused(refusal)) if refusal.status() == 409));
}
