//! `/incidents`: what went wrong, by month and type, and the list.

use backend::accounts::teams;
use backend::incidents::aggregate::{self, Aggregate, By, Monthly, Repeated};
use backend::incidents::types::{self, IncidentType};
use backend::incidents::{self, Filter, Listed, names};
use backend::services;
use backend::{Backend, Page, PageRequest};
use domain::Actor;
use domain::incident::Severity;
use domain::policy::{Action, allows};
use jiff::ToSpan as _;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::chart::Bar;
use crate::ui::{
    Actions, Button, Choice, Crumb, EmptyState, Field, FieldKind, Filters, Glyph, IncidentChart, IncidentRow, Meta,
    NoIncidents, PageHeader, Pagination, RepeatedRows, Rows, Section, Select, Table, Variant, median, numbered,
};
use crate::urls;

/// The periods to choose from: word, words, days back; no days: ever.
const PERIODS: [(&str, &str, Option<i32>); 4] = [
    ("30d", "Last 30 days", Some(30)),
    ("90d", "Last 90 days", Some(90)),
    ("", "Last 12 months", Some(365)),
    ("all", "Ever", None),
];

/// The months of the chart.
const MONTHS: i32 = 12;

/// What is looked for; all of it is in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    q: String,
    incident_type: String,
    severity: String,
    service: String,
    team: String,
    /// A word of [`PERIODS`].
    period: String,
    voided: String,
    cursor: String,
}

impl Wanted {
    /// The same from this row on; nothing: from the first.
    fn from(&self, cursor: &str) -> String {
        let mut query = self.query();
        query.push(("cursor", cursor.to_owned()));
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        urls::incident_list(&query)
    }

    /// Everything but the type and the place, for links to lists of one type.
    fn but_type(&self) -> Vec<(&'static str, String)> {
        self.query().into_iter().filter(|(name, _)| *name != "type").collect()
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        [
            ("q", &self.q),
            ("type", &self.incident_type),
            ("severity", &self.severity),
            ("service", &self.service),
            ("team", &self.team),
            ("period", &self.period),
            ("voided", &self.voided),
        ]
        .map(|(name, value)| (name, value.clone()))
        .to_vec()
    }

    fn is_filtered(&self) -> bool {
        self.query().iter().any(|(_, value)| !value.is_empty())
    }

    fn filter(&self, backend: &Backend) -> Filter {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let today = backend.now().to_zoned(backend.time_zone().clone()).date();
        let days = PERIODS.iter().find(|(word, ..)| *word == self.period).map_or(Some(365), |(.., days)| *days);
        let from = days.and_then(|days| today.checked_sub(days.days()).ok()).map(|date| date.to_string());
        Filter {
            q: filled(&self.q),
            incident_type: filled(&self.incident_type),
            severity: self.severity.parse().ok().filter(|number| Severity::parse(*number).is_ok()),
            service: filled(&self.service),
            team: filled(&self.team),
            from,
            to: None,
            voided: self.voided == "true",
        }
    }
}

/// What the page shows.
struct Shown {
    incidents: Page<Listed>,
    /// Nothing when words are looked for: the list is the answer.
    figures: Option<Figures>,
    types: Vec<IncidentType>,
    services: Vec<Choice>,
    teams: Vec<Choice>,
    /// Names of services that wait to be said the meaning of.
    unknown: bool,
    wanted: Wanted,
    /// Why the reader may not record an incident; empty when they may.
    blocked: String,
}

/// The numbers above the list.
struct Figures {
    monthly: Monthly,
    by_type: Aggregate,
    repeated: Vec<Repeated>,
}

async fn load(wanted: Wanted) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let blocked = allows(&actor, Action::RecordIncident).err().map(|refusal| refusal.to_string()).unwrap_or_default();
    let filter = wanted.filter(&backend);
    let cursor = (!wanted.cursor.is_empty()).then(|| wanted.cursor.clone());
    let incidents = incidents::list(&backend, &actor, &filter, &PageRequest { limit: None, cursor }).await?;
    let figures = if wanted.q.is_empty() { Some(figures(&backend, &actor, &filter).await?) } else { None };
    let services = services::options(&backend, &actor).await?.services;
    let services = services.into_iter().map(|service| (service.slug, service.name));
    let services = choices("Any service", services, &wanted.service);
    let teams = teams::all(&backend, &actor).await?;
    let teams = choices("Any team", teams.into_iter().map(|team| (team.slug, team.name)), &wanted.team);
    let one = PageRequest { limit: Some(1), cursor: None };
    let unknown = !names::list(&backend, &actor, names::State::Waiting, &one).await?.items.is_empty();
    let types = types::list(&backend, &actor, true).await?;
    Ok(Shown { incidents, figures, types, services, teams, unknown, wanted, blocked })
}

/// What to choose from, by slug and name. What is chosen stays: an archived service has incidents too.
fn choices(any: &str, found: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    let mut found: Vec<_> = found.collect();
    if !chosen.is_empty() && found.iter().all(|(slug, _)| slug != chosen) {
        found.push((chosen.to_owned(), chosen.to_owned()));
    }
    std::iter::once((String::new(), any.to_owned())).chain(found).map(|(slug, name)| Choice::new(slug, name)).collect()
}

async fn figures(backend: &Backend, actor: &Actor, filter: &Filter) -> Result<Figures, AppError> {
    let mut repeated = aggregate::repeated(backend, actor, filter).await?;
    repeated.truncate(5);
    Ok(Figures {
        monthly: aggregate::by_month(backend, actor, filter, MONTHS).await?,
        by_type: aggregate::aggregate(backend, actor, &[By::Type], filter).await?,
        repeated,
    })
}

/// The list, with filters in the address.
#[component]
pub fn IncidentsPage() -> impl IntoView {
    let query = use_query_map().read_untracked().clone();
    let get = |name: &str| query.get(name).unwrap_or_default();
    let wanted = Wanted {
        q: get("q"),
        incident_type: get("type"),
        severity: get("severity"),
        service: get("service"),
        team: get("team"),
        period: get("period"),
        voided: get("voided"),
        cursor: get("cursor"),
    };
    page(load(wanted), |Shown { incidents, figures, types, services, teams, unknown, wanted, blocked }| {
        let next = incidents.next_cursor.as_deref().map(|cursor| wanted.from(cursor)).unwrap_or_default();
        let first = if wanted.cursor.is_empty() { String::new() } else { wanted.from("") };
        let reset = if wanted.is_filtered() { urls::incidents() } else { String::new() };
        let (but_type, filtered) = (wanted.but_type(), wanted.is_filtered());
        let period =
            PERIODS.iter().find(|(word, ..)| *word == wanted.period).map_or("Last 12 months", |(_, words, _)| *words);
        // On later pages of the list the numbers have been seen.
        let figures = figures
            .filter(|figures| wanted.cursor.is_empty() && figures.by_type.total.count > 0)
            .map(|figures| view! { <Numbers figures=figures filter=but_type period=period/> });
        let unknown = unknown.then(|| {
            view! { <Button href=urls::unknown_services() icon=Glyph::Question>"Unknown services"</Button> }
        });
        let no_new = blocked.clone();
        view! {
            <Title text="Incidents · Plumbline"/>
            <PageHeader title="Incidents" crumbs=vec![Crumb::new("Home", urls::home())]>
                <Meta><a href=urls::incident_types()>"Types"</a></Meta>
                <Actions>
                    {unknown}
                    <Button href=urls::follow_up_list(&[("who", "all")]) icon=Glyph::CheckCircle>"Follow-ups"</Button>
                    <Button href=urls::new_incident() variant=Variant::Primary icon=Glyph::Plus disabled_reason=no_new>
                        "Record an incident"
                    </Button>
                </Actions>
            </PageHeader>
            <div class="stack">
                <Search wanted=wanted types=types services=services teams=teams reset=reset/>
                {figures}
                <List incidents=incidents.items filtered=filtered blocked=blocked/>
                <Pagination first=first next=next/>
            </div>
        }
    })
}

#[component]
fn Search(
    wanted: Wanted,
    types: Vec<IncidentType>,
    services: Vec<Choice>,
    teams: Vec<Choice>,
    reset: String,
) -> impl IntoView {
    let types = std::iter::once(Choice::new("", "Any type"))
        .chain(types.into_iter().map(|found| Choice::new(found.slug, found.name)))
        .collect();
    let severities = std::iter::once(Choice::new("", "Any severity"))
        .chain(Severity::ALL.into_iter().map(|severity| Choice::new(severity.number().to_string(), severity.label())))
        .collect();
    let periods = PERIODS.iter().map(|(word, words, _)| Choice::new(*word, *words)).collect();
    let voided = vec![Choice::new("", "Those that count"), Choice::new("true", "Voided ones")];
    view! {
        <Filters action=urls::incidents() reset=reset>
            <Field name="q" label="Words" kind=FieldKind::Search value=wanted.q hide_label=true placeholder="Words in title or summary"/>
            <Select name="type" label="Type" options=types value=wanted.incident_type hide_label=true/>
            <Select name="severity" label="Severity" options=severities value=wanted.severity hide_label=true/>
            <Select name="service" label="Service" options=services value=wanted.service hide_label=true/>
            <Select name="team" label="Team" options=teams value=wanted.team hide_label=true/>
            <Select name="period" label="Period" options=periods value=wanted.period hide_label=true/>
            <Select name="voided" label="Which" options=voided value=wanted.voided hide_label=true/>
        </Filters>
    }
}

/// Chart, table by type, what came back.
#[component]
fn Numbers(figures: Figures, filter: Vec<(&'static str, String)>, period: &'static str) -> impl IntoView {
    let Figures { monthly, by_type, repeated } = figures;
    let repeated = (!repeated.is_empty())
        .then(|| view! { <Section title="Came back within 90 days"><RepeatedRows repeated=repeated/></Section> });
    let links = filter.clone();
    // The chart shows months whole, whatever the period of the list is.
    let chart = (monthly.total.count > 0).then(|| {
        let filter = filter.into_iter().filter(|(name, _)| *name != "period").collect();
        view! {
            <Section title="By month and type" id="by-month">
                <IncidentChart id="months" monthly=monthly filter=filter/>
            </Section>
        }
    });
    view! {
        {chart}
        <Section title="By type" id="by-type"><ByType counted=by_type filter=links period=period/></Section>
        {repeated}
    }
}

#[component]
fn ByType(counted: Aggregate, filter: Vec<(&'static str, String)>, period: &'static str) -> impl IntoView {
    let total = counted.total;
    let mut rows: Vec<_> = counted.rows.into_iter().filter_map(|row| Some((row.incident_type?, row.figures))).collect();
    rows.sort_by_key(|(_, figures)| std::cmp::Reverse(figures.count));
    let max = rows.first().map(|(_, figures)| figures.count).unwrap_or_default();
    let rows = rows.into_iter().map(|(found, figures)| {
        let mut query: Vec<(&str, &str)> = filter.iter().map(|(name, value)| (*name, value.as_str())).collect();
        query.push(("type", &found.slug));
        let href = urls::incident_list(&query);
        view! {
            <tr>
                <th scope="row"><a href=href>{found.name}</a></th>
                <td class="bar-cell"><Bar value=figures.count max=max/></td>
                <td class="num">{figures.count}</td>
                <td class="num nowrap">{median(figures.median_seconds_to_detect)}</td>
                <td class="num nowrap">{median(figures.median_seconds_to_mitigate)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Table caption=format!("Incidents by type. {period}") show_caption=true>
            <thead>
                <tr>
                    <th scope="col" colspan="2">"Type"</th>
                    <th scope="col" class="num">"Incidents"</th>
                    <th scope="col" class="num">"Median to detect"</th>
                    <th scope="col" class="num">"Median to mitigate"</th>
                </tr>
            </thead>
            <tbody>
                {rows}
                <tr>
                    <th scope="row" colspan="2">"All"</th>
                    <td class="num"><b>{total.count}</b></td>
                    <td class="num nowrap">{median(total.median_seconds_to_detect)}</td>
                    <td class="num nowrap">{median(total.median_seconds_to_mitigate)}</td>
                </tr>
            </tbody>
        </Table>
    }
}

#[component]
fn List(incidents: Vec<Listed>, filtered: bool, blocked: String) -> impl IntoView {
    if incidents.is_empty() && filtered {
        return view! {
            <EmptyState title="No incident matches" text="Try other words or a longer period, or take a filter away." icon=Glyph::Search>
                <Button href=urls::incident_list(&[("period", "all")])>"Show all incidents"</Button>
            </EmptyState>
        }
        .into_any();
    }
    if incidents.is_empty() {
        return view! {
            <NoIncidents>
                <Button href=urls::new_incident() disabled_reason=blocked>"Record an incident"</Button>
                <Button href=urls::incident_list(&[("period", "all")]) variant=Variant::Quiet>"Look further back"</Button>
            </NoIncidents>
        }
        .into_any();
    }
    let label = numbered(i64::try_from(incidents.len()).unwrap_or(i64::MAX), "incident", "incidents");
    let rows = incidents.into_iter().map(|incident| view! { <IncidentRow incident=incident/> }).collect_view();
    view! { <Section title="Incidents, the latest first"><Rows label=label>{rows}</Rows></Section> }.into_any()
}
