//! Aggregates, medians, months, repetitions.

use super::*;
use crate::incidents::aggregate::{By, Row, aggregate, by_month, repeated};

async fn rows(cast: &Cast, by: &str, filter: &Filter) -> Vec<Row> {
    aggregate(cast, &cast.reader, &By::parse(by).unwrap(), filter).await.unwrap().rows
}

/// `deploy core 2` and the like.
fn said(rows: &[Row]) -> Vec<String> {
    let say = |row: &Row| {
        let parts = [
            row.month.clone(),
            row.incident_type.as_ref().map(|found| found.slug.clone()),
            row.severity.map(|severity| severity.number().to_string()),
            row.team.as_ref().map(|team| team.slug.clone()),
            row.service.as_ref().map(|service| service.slug.clone()),
            Some(row.figures.count.to_string()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    rows.iter().map(say).collect()
}

#[tokio::test]
async fn an_incident_counts_once_in_every_group_it_belongs_to() {
    let cast = Cast::new().await;
    cast.incident("deploy", "2026-09-30T23:30:00Z", &["checkout", "search"]).await;
    cast.incident("deploy", "2026-10-01T10:00:00Z", &["checkout", "billing"]).await;
    cast.incident("data", "2026-10-05T00:00:00Z", &["orphan"]).await;
    cast.incident("data", "2026-10-06T00:00:00Z", &[]).await;
    let all = Filter::default();
    assert_eq!(said(&rows(&cast, "type", &all).await), ["deploy 2", "data 2"], "in the types' order");
    let by_team = rows(&cast, "type,team", &all).await;
    assert_eq!(said(&by_team), ["deploy core 2", "deploy money 1", "data 2"], "two services of one team count once");
    let by_service = rows(&cast, "service", &all).await;
    assert_eq!(said(&by_service), ["billing 1", "checkout 2", "orphan 1", "search 1", "1"]);
    assert_eq!(said(&rows(&cast, "month,severity", &all).await), ["2026-09 2 1", "2026-10 2 3"]);
    let both = aggregate(&cast, &cast.reader, &[By::Service], &all).await.unwrap();
    assert_eq!(both.total.count, 4, "each once");
    let berlin = cast.test.backend.clone().with_time_zone(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let there = aggregate(&berlin, &cast.reader, &[By::Month], &all).await.unwrap();
    assert_eq!(said(&there.rows), ["2026-10 4"], "months are the organisation's");
    let core = Filter { team: Some("core".into()), ..Filter::default() };
    assert_eq!(said(&rows(&cast, "type", &core).await), ["deploy 2"]);
    let october = Filter { from: Some("2026-10-01".into()), ..Filter::default() };
    assert_eq!(said(&rows(&cast, "type", &october).await), ["deploy 1", "data 2"]);
    assert!(By::parse("type,colour").unwrap_err().message_for("by").is_some());
    let empty = Filter { from: Some("2030-01-01".into()), ..Filter::default() };
    let none = aggregate(&cast, &cast.reader, &By::ALL, &empty).await.unwrap();
    assert!(none.rows.is_empty() && none.total.count == 0 && none.total.median_seconds_to_detect.is_none());
}

#[tokio::test]
async fn medians_are_of_what_is_known() {
    let cast = Cast::new().await;
    for (minutes, mitigated) in [(Some(1), None), (Some(3), Some(60)), (Some(10), Some(20)), (None, None)] {
        let start = at("2026-10-01T10:00:00Z");
        let after = |minutes: i64| start.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
        let said = IncidentInput {
            detected_at: minutes.map(after),
            mitigated_at: mitigated.map(after),
            ..input("deploy", "2026-10-01T10:00:00Z", &["checkout", "search"])
        };
        record(&cast, &cast.sre, said).await.unwrap();
    }
    let found = aggregate(&cast, &cast.reader, &[By::Team], &Filter::default()).await.unwrap();
    let figures = found.rows[0].figures;
    assert_eq!(figures.count, 4);
    assert_eq!(figures.median_seconds_to_detect, Some(180.0));
    assert_eq!(figures.median_seconds_to_mitigate, Some(2400.0), "between twenty minutes and an hour");
    assert_eq!(found.total, figures);
}

#[tokio::test]
async fn the_third_of_its_type_within_ninety_days_is_said_to_be() {
    let cast = Cast::new().await;
    let mut ids = Vec::new();
    for (started, services) in [
        ("2026-06-01T00:00:00Z", &["checkout", "search"][..]),
        // Ninety days to the second: just outside the window that ends with it.
        ("2026-08-30T00:00:00Z", &["checkout"]),
        ("2026-09-10T00:00:00Z", &["checkout", "billing"]),
        ("2026-09-10T00:00:00Z", &["checkout"]),
    ] {
        ids.push(cast.incident("config_change", started, services).await);
    }
    cast.incident("deploy", "2026-09-10T00:00:00Z", &["checkout"]).await;
    let unknown = cast.incident("unknown", "2026-09-11T00:00:00Z", &["checkout"]).await;
    let again = cast.incident("unknown", "2026-09-12T00:00:00Z", &["checkout"]).await;
    let nth = async |id: i64| {
        let repeats = get(&cast, &cast.reader, id).await.unwrap().repeats;
        repeats.into_iter().map(|repeat| format!("{} {}", repeat.service.slug, repeat.nth)).collect::<Vec<_>>()
    };
    assert!(nth(ids[0]).await.is_empty() && nth(ids[1]).await.is_empty());
    assert_eq!(nth(ids[2]).await, ["checkout 2"]);
    assert_eq!(nth(ids[3]).await, ["checkout 3"], "of two that began together the later recorded one");
    assert!(nth(unknown).await.is_empty() && nth(again).await.is_empty(), "nobody knows that it is the same");
    let listed = list(&cast, &cast.reader, &Filter::default(), &PageRequest::default()).await.unwrap();
    let third = listed.items.iter().find(|incident| incident.id == ids[3]).unwrap();
    assert_eq!(third.repeats[0].nth, 3);
    void(&cast, &cast.sre, ids[2], "Twice.").await.unwrap();
    assert_eq!(nth(ids[3]).await, ["checkout 2"]);
    assert!(nth(ids[2]).await.is_empty());

    let found =
        repeated(&cast, &cast.reader, &Filter { team: Some("core".into()), ..Filter::default() }).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.service.slug.as_str(), found.incident_type.slug.as_str(), found.count))
        .collect();
    assert_eq!(found, [("checkout", "config_change", 2)]);
}

#[tokio::test]
async fn a_chart_has_every_month() {
    let cast = Cast::new().await;
    cast.incident("deploy", "2026-11-01T00:00:00Z", &["checkout"]).await;
    cast.incident("config_change", "2026-09-01T00:00:00Z", &["checkout"]).await;
    cast.incident("deploy", "2026-08-31T23:59:59Z", &["checkout"]).await;
    cast.incident("deploy", "2026-10-01T00:00:00Z", &["billing"]).await;
    let filter = Filter { service: Some("checkout".into()), ..Filter::default() };
    let chart = by_month(&cast, &cast.reader, &filter, 3).await.unwrap();
    assert_eq!(chart.months, ["2026-09", "2026-10", "2026-11"]);
    let types: Vec<_> = chart.types.iter().map(|(found, counts)| (found.slug.as_str(), counts.as_slice())).collect();
    assert_eq!(types, [("config_change", &[1, 0, 0][..]), ("deploy", &[0, 0, 1][..])]);
    assert_eq!(chart.total.count, 2);
}
