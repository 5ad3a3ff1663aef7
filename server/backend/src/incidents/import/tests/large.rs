//! Ten thousand incidents: how quick, and whether the numbers are those of the file. What the numbers should be is computed
//! here from the raw rows, with nothing of the product's.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::*;
use crate::incidents::aggregate::{By, aggregate};

const ROWS: u64 = 10_000;

/// One row's plain numbers.
struct Raw {
    kind: &'static str,
    /// Seconds since 1970.
    start: i64,
    detect: Option<i64>,
    mitigate: Option<i64>,
}

const KINDS: [(&str, &str); 5] = [
    ("config_change", "Config change"),
    ("capacity", "capacity"),
    ("deploy", "Deploy"),
    ("data", "DATA"),
    ("unknown", "weather"),
];

/// A sequence that looks random and is the same every time.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn generate() -> (String, Vec<Raw>) {
    let mut state = 7;
    let mut file = "id,title,type,severity,services,started_at,ttd (s),ttm (s),summary\n".to_owned();
    let mut raw = Vec::new();
    for number in 0..ROWS {
        let mut pick = |below: u64| i64::try_from(next(&mut state) % below).unwrap();
        let (kind, word) = KINDS[usize::try_from(pick(5)).unwrap()];
        // Somewhere in 2024 and 2025.
        let start = 1_704_067_200 + pick(63_072_000);
        let detect = Some(pick(7200)).filter(|_| number % 7 != 0);
        let mitigate = Some(pick(50_000)).filter(|_| number % 5 != 0);
        let services = ["checkout", "search", "checkout;search", "nobody knows"][usize::try_from(pick(4)).unwrap()];
        let cell = |seconds: Option<i64>| seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        let severity = 1 + pick(4);
        writeln!(
            file,
            "X-{number},\"Incident \"\"{number}\"\", again\",{word},SEV{severity},{services},{},{},{},\"Line one\nline two\"",
            Timestamp::from_second(start).unwrap(),
            cell(detect),
            cell(mitigate),
        )
        .unwrap();
        raw.push(Raw { kind, start, detect, mitigate });
    }
    (file, raw)
}

/// The month of an instant by hand: 2024 has 366 days.
fn month(start: i64) -> String {
    let mut day = (start - 1_704_067_200) / 86_400;
    for year in [2024, 2025] {
        let february = if year == 2024 { 29 } else { 28 };
        for (number, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            if day < days {
                return format!("{year}-{number:02}");
            }
            day -= days;
        }
    }
    panic!("not in 2024 or 2025");
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a day")]
fn median(mut seconds: Vec<i64>) -> Option<f64> {
    seconds.sort_unstable();
    let half = seconds.len() / 2;
    match seconds.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(seconds[half] as f64),
        _ => Some((seconds[half - 1] + seconds[half]) as f64 / 2.0),
    }
}

#[tokio::test]
async fn ten_thousand_rows_are_imported_once_and_counted_as_they_are_in_the_file() {
    let test = backend().await;
    let (file, raw) = generate();
    let path = std::env::temp_dir().join(format!("plumbline-incidents-{}.csv", std::process::id()));
    std::fs::File::create(&path).unwrap().write_all(file.as_bytes()).unwrap();
    let options = options(&test, &json!({}));
    let operator = Actor::operator();
    let mut steps = 0;
    let began = Instant::now();
    let first = import(&test, &operator, &path, &options, false, |progress| {
        steps += 1;
        assert_eq!(progress.of, i64::try_from(ROWS).unwrap());
        true
    });
    let first = first.await.unwrap();
    let took = began.elapsed();
    assert_eq!((first.counts.of("new incident"), first.refused(), steps), (10_000, 0, 20), "{:#?}", first.counts);
    let again = Instant::now();
    let second = import(&test, &operator, &path, &options, false, |_| true).await.unwrap();
    println!("10,000 incidents: {took:?}, a second time {:?}", again.elapsed());
    std::fs::remove_file(&path).unwrap();
    assert!(took < Duration::from_secs(40), "10 s is the bar for a release build alone on a machine: {took:?}");
    assert_eq!(second.counts.of("unchanged incident"), 10_000, "{:#?}", second.counts);
    assert_eq!(events(&test).await, 10_001, "one an incident, one for the import");

    let mut groups: BTreeMap<(String, &str), Vec<&Raw>> = BTreeMap::new();
    for row in &raw {
        groups.entry((month(row.start), row.kind)).or_default().push(row);
    }
    let found = aggregate(&test, &operator, &[By::Type, By::Month], &Filter::default()).await.unwrap();
    let figures = |rows: &[&Raw]| {
        let all = |of: fn(&Raw) -> Option<i64>| median(rows.iter().filter_map(|row| of(row)).collect());
        (i64::try_from(rows.len()).unwrap(), all(|row| row.detect), all(|row| row.mitigate))
    };
    assert_eq!(found.rows.len(), groups.len());
    for row in found.rows {
        let name = (row.month.unwrap(), row.incident_type.unwrap().slug);
        let wanted = figures(&groups[&(name.0.clone(), name.1.as_str())]);
        let counted = row.figures;
        let counted = (counted.count, counted.median_seconds_to_detect, counted.median_seconds_to_mitigate);
        assert_eq!(counted, wanted, "{name:?}");
    }
    let all: Vec<&Raw> = raw.iter().collect();
    let total = (found.total.count, found.total.median_seconds_to_detect, found.total.median_seconds_to_mitigate);
    assert_eq!(total, figures(&all));
}

#[tokio::test]
async fn an_import_that_is_stopped_is_completed_by_the_next() {
    let test = backend().await;
    let mut file = "id,title,severity,start\n".to_owned();
    for number in 0..1_200 {
        writeln!(file, "{number},T,3,2025-01-01 00:00").unwrap();
    }
    let options = options(&test, &json!({}));
    let operator = Actor::operator();
    let stopped = import_file(&test, &operator, File::Bytes(file.as_bytes()), "a", &options, false, |progress| {
        progress.done < 1_000
    });
    let stopped = stopped.await.unwrap();
    assert_eq!((stopped.interrupted, stopped.counts.of("new incident")), (true, 1_000));
    let rest = import_bytes(&test, file.as_bytes(), json!({}), false).await.unwrap();
    assert_eq!((rest.counts.of("unchanged incident"), rest.counts.of("new incident")), (1_000, 200));

    // One that was handed in and whose process died after a batch goes on behind it.
    let admin = person(&test, "Ada", Role::Admin, None).await;
    let more = file.replace(",T,", ",U,");
    let new = NewImport { kind: Kind::Incidents, name: "a.csv".into(), options: Map::new() };
    imports::hand_in(&test, &admin, new, more.as_bytes()).await.unwrap();
    let ready = worked(&test).await;
    assert_eq!((ready.found.of("changed incident"), ready.total), (1_200, Some(1_200)));
    imports::apply(&test, &admin, ready.id).await.unwrap();
    // As if a process had written the first batch.
    sqlx::query!("update imports set done = 500, total = 1200 where id = $1", ready.id)
        .execute(test.pool())
        .await
        .unwrap();
    let applied = worked(&test).await;
    assert_eq!((applied.state, applied.did.of("changed incident")), (State::Applied, 700));
}
