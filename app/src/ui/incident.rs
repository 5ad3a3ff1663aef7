//! Incidents on every page that shows them: the row, how grave, how long, and what a service or a team had of them.

use backend::incidents::aggregate::{Figures, Monthly, Repeated};
use backend::incidents::overview::Overview;
use backend::incidents::{Listed, Repeat};
use domain::incident::{REPEAT_DAYS, Severity, repetition};
use jiff::Timestamp;
use jiff::civil::Date;
use leptos::prelude::*;

use super::chart::{Column, Series, StackedBars};
use super::{Badge, EmptyState, Glyph, Icon, Row, RowMeta, RowSide, Rows, Section, Time, Tone, numbered};
use crate::urls;

/// How grave an incident was.
#[component]
pub fn IncidentSeverity(
    /// The severity.
    severity: Severity,
) -> impl IntoView {
    let tone = match severity {
        Severity::Critical => Tone::Bad,
        Severity::Major => Tone::Warn,
        Severity::Minor | Severity::Low => Tone::Neutral,
    };
    view! { <Badge tone=tone>{severity.label()}</Badge> }
}

/// A time span as a person says it: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
pub fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, large_unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        small => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match seconds {
        ..60 => format!("{} s", seconds.max(0)),
        60..3600 => format!("{minutes} min"),
        3600..86_400 => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

/// The time from one moment to another.
pub fn between(from: Timestamp, to: Timestamp) -> String {
    duration(to.as_second() - from.as_second())
}

/// A median in seconds; a dash when there is none.
#[expect(clippy::cast_possible_truncation, reason = "a span of the calendar fits")]
pub fn median(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| duration(seconds.round() as i64))
}

/// That it is not the first of its type, in a badge each.
#[component]
pub fn Repeats(
    /// Where it repeats others.
    repeats: Vec<Repeat>,
    /// The name of its type.
    #[prop(into)]
    type_name: String,
    /// Says the service, too.
    #[prop(optional)]
    with_service: bool,
) -> impl IntoView {
    let badges = repeats.into_iter().map(|repeat| {
        let mut words = repetition(repeat.nth, &type_name);
        if with_service {
            words = format!("{words} on {}", repeat.service.name);
        }
        view! { <Badge tone=Tone::Warn icon=Glyph::Reopen>{words}</Badge> }
    });
    badges.collect_view()
}

/// An incident in a list.
#[component]
pub fn IncidentRow(
    /// Which.
    incident: Listed,
) -> impl IntoView {
    let services: Vec<_> = incident
        .services
        .iter()
        .map(|service| service.name.clone())
        .chain(incident.unknown_services.iter().map(|name| format!("“{name}”")))
        .collect();
    let lasted = match incident.ended_at {
        Some(ended) => format!("lasted {}", between(incident.started_at, ended)),
        None if incident.mitigated_at.is_some() => "mitigated, not over".to_owned(),
        None => "not over".to_owned(),
    };
    let over = incident.ended_at.is_some();
    // The most striking one; its page has all.
    let repeat: Vec<_> = incident.repeats.iter().max_by_key(|repeat| repeat.nth).cloned().into_iter().collect();
    let type_name = incident.incident_type.name.clone();
    let services = (!services.is_empty()).then(|| view! { <span>{services.join(", ")}</span> });
    let (href, number) = (urls::incident(incident.id), format!("#{}", incident.id));
    view! {
        <Row title=incident.title href=href number=number>
            <RowMeta>
                <span>{incident.incident_type.name}</span>
                {services}
                <span><Time at=incident.started_at/></span>
                <span class=(!over).then_some("why")>{lasted}</span>
            </RowMeta>
            <RowSide><Repeats repeats=repeat type_name=type_name/> <IncidentSeverity severity=incident.severity/></RowSide>
        </Row>
    }
}

/// Incidents by month and type as a chart. `list` makes the address of the list of one type.
#[component]
pub fn IncidentChart(
    /// Begins the ids in it; unique in the page.
    #[prop(into)]
    id: String,
    /// The counts.
    monthly: Monthly,
    /// The filters of the list that the names of the types lead to.
    filter: Vec<(&'static str, String)>,
    /// Lower.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    let columns: Vec<_> = monthly.months.iter().enumerate().map(|(place, month)| column(place, month)).collect();
    let series = monthly.types.into_iter().map(|(found, counts)| {
        let mut query: Vec<(&str, &str)> = filter.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.push(("type", &found.slug));
        let href = urls::incident_list(&query);
        Series::new(found.name, counts).href(href)
    });
    let series = series.collect();
    let title = format!("Incidents by month and type, last {} months", columns.len());
    view! { <StackedBars id=id title=title head="Month" columns=columns series=series others="Other types" small=small/> }
}

/// A month written `2026-11`; the year stands under the first one and under each January. A December that is the first
/// leaves it to the January beside it: on a phone both years would touch.
fn column(place: usize, month: &str) -> Column {
    let Ok(first) = format!("{month}-01").parse::<Date>() else { return Column::new(month, month) };
    let column = Column::new(first.strftime("%B %Y").to_string(), first.strftime("%b").to_string());
    if first.month() == 1 || (place == 0 && first.month() < 12) {
        column.under(first.strftime("%Y").to_string())
    } else {
        column
    }
}

/// What came back within the last 90 days.
#[component]
pub fn RepeatedRows(
    /// What, the most frequent first.
    repeated: Vec<Repeated>,
) -> impl IntoView {
    let rows = repeated.into_iter().map(|repeated| {
        let title = format!("{} on {}", repeated.incident_type.name, repeated.service.name);
        let href = urls::incident_list(&[
            ("service", &repeated.service.slug),
            ("type", &repeated.incident_type.slug),
            ("period", "90d"),
        ]);
        let times = format!("{} times in {REPEAT_DAYS} days", repeated.count);
        view! {
            <Row title=title href=href icon=Glyph::Reopen tone=Tone::Warn>
                <RowMeta>"last " <Time at=repeated.latest_at/></RowMeta>
                <RowSide><Badge tone=Tone::Warn>{times}</Badge></RowSide>
            </Row>
        }
    });
    view! { <Rows label="Types that came back">{rows.collect_view()}</Rows> }
}

/// "11 in 12 months, median 4 min to detect and 35 min to mitigate".
fn sentence(figures: &Figures, recent: i64) -> String {
    let all = numbered(figures.count, "incident", "incidents");
    let medians = match (figures.median_seconds_to_detect, figures.median_seconds_to_mitigate) {
        (None, None) => String::new(),
        (Some(detect), None) => format!("; median {} to detect", median(Some(detect))),
        (None, Some(mitigate)) => format!("; median {} to mitigate", median(Some(mitigate))),
        (detect, mitigate) => format!("; median {} to detect, {} to mitigate", median(detect), median(mitigate)),
    };
    format!("{recent} in 90 days, {all} in 12 months{medians}.")
}

/// What a service or a team had of incidents: a small chart, what came back, the latest.
#[component]
pub fn IncidentOverview(
    /// The facts.
    overview: Overview,
    /// Whose, as the filter of the list: `("service", "ledger")`.
    whose: (&'static str, String),
) -> impl IntoView {
    let all = urls::incident_list(&[(whose.0, &whose.1), ("period", "all")]);
    if overview.monthly.total.count == 0 && overview.latest.is_empty() {
        return view! {
            <Section title="Incidents" id="incidents">
                <p class="today-none"><Icon glyph=Glyph::CheckCircle/> "No incident is recorded here."</p>
            </Section>
        }
        .into_any();
    }
    let said = sentence(&overview.monthly.total, overview.recent);
    let chart = (overview.monthly.total.count > 0).then(|| {
        let filter = vec![(whose.0, whose.1.clone())];
        view! { <IncidentChart id="incident-chart" monthly=overview.monthly filter=filter small=true/> }
    });
    let repeated = (!overview.repeated.is_empty()).then(|| {
        view! { <div class="stack-close"><h3>"Came back"</h3> <RepeatedRows repeated=overview.repeated/></div> }
    });
    let rows = overview.latest.into_iter().map(|incident| view! { <IncidentRow incident=incident/> }).collect_view();
    view! {
        <Section title="Incidents" id="incidents">
            <div class="stack-close">
                <p>{said}</p>
                {chart}
                {repeated}
                <h3>"Latest"</h3>
                <Rows label="Latest incidents">{rows}</Rows>
                <p><a href=all>"All its incidents"</a></p>
            </div>
        </Section>
    }
    .into_any()
}

/// Before there is any incident at all.
#[component]
pub fn NoIncidents(
    /// The next step.
    children: Children,
) -> impl IntoView {
    view! {
        <EmptyState
            title="No incident is recorded yet"
            text="Record one, import a file with plumbline import incidents, or let your incident tool send them: then types, repeats and times show up here and on the pages of services and teams."
            icon=Glyph::Alert
        >
            {children()}
        </EmptyState>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_a_person_says_them() {
        for (seconds, said) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (11_100, "3 h 5 min"),
            (86_400, "1 d"),
            (187_200, "2 d 4 h"),
        ] {
            assert_eq!(duration(seconds), said);
        }
        assert_eq!((median(None), median(Some(89.6))), ("–".to_owned(), "1 min".to_owned()));
    }

    #[test]
    fn a_service_is_summed_up_in_a_sentence() {
        let figures =
            Figures { count: 11, median_seconds_to_detect: Some(240.0), median_seconds_to_mitigate: Some(2100.0) };
        assert_eq!(
            sentence(&figures, 3),
            "3 in 90 days, 11 incidents in 12 months; median 4 min to detect, 35 min to mitigate."
        );
        let figures = Figures { count: 1, ..Figures::default() };
        assert_eq!(sentence(&figures, 0), "0 in 90 days, 1 incident in 12 months.");
    }

    #[test]
    fn the_year_stands_where_it_begins() {
        assert_eq!(column(3, "2026-12"), Column::new("December 2026", "Dec"));
        assert_eq!(column(4, "2027-01"), Column::new("January 2027", "Jan").under("2027"));
        assert_eq!(column(0, "2026-02"), Column::new("February 2026", "Feb").under("2026"));
        assert_eq!(column(0, "2026-12"), Column::new("December 2026", "Dec"));
    }
}
