//! `/incidents/{id}`: one incident: what happened when, on which services, what was learnt, what is still to be done.

use backend::events::activity;
use backend::follow_ups::{self, Filter, FollowUp};
use backend::incidents::{self, Incident, read};
use backend::rfcs::PersonRef;
use backend::{Page, PageRequest};
use domain::follow_up::SourceKind;
use domain::policy::{Action, allows};
use jiff::Timestamp;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Activity, Button, CREATE_FOLLOW_UP, Crumb, Disclosure, Fact, Facts, FollowUpFields, FollowUpRow, Form,
    FormActions, Glyph, Hidden, Icon, IncidentSeverity, Notice, PageHeader, PeopleList, Repeats, Row, RowSide, Rows,
    Section, TierBadge, Time, Tone, Variant, between, is_refused,
};
use crate::urls;

/// Follow-ups of one incident on its page at most.
const FOLLOW_UPS: i64 = 100;

/// What the page shows.
struct Shown {
    incident: Incident,
    follow_ups: Vec<FollowUp>,
    people: Vec<PersonRef>,
    me: String,
    /// Why the reader may not change the incident; empty when they may.
    blocked: String,
    /// Why the reader may not make a follow-up; empty when they may.
    no_follow_up: String,
    about: activity::About,
    latest: Page<activity::Entry>,
}

async fn load(id: String) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let incident = incidents::get(&backend, &actor, read::id(&id)?).await?;
    let filter = Filter {
        source_kind: Some(SourceKind::Incident.as_str().to_owned()),
        source_key: Some(id),
        ..Filter::default()
    };
    let all = PageRequest { limit: Some(FOLLOW_UPS), cursor: None };
    let follow_ups = follow_ups::list(&backend, &actor, filter, &all).await?.items;
    let blocked = if incident.may_edit {
        String::new()
    } else {
        "Only who recorded it, the teams of its services, an SRE, lead or admin may change it.".to_owned()
    };
    let no_follow_up = allows(&actor, Action::WriteFollowUp).err().map(|refusal| refusal.to_string());
    let people = if no_follow_up.is_none() { follow_ups::owners(&backend, &actor).await? } else { Vec::new() };
    let no_follow_up = no_follow_up.unwrap_or_default();
    let about = activity::About::new("incident", incident.id.to_string());
    let latest = activity::latest(&backend, &actor, &about).await?;
    Ok(Shown { incident, follow_ups, people, me: actor.email, blocked, no_follow_up, about, latest })
}

/// One incident.
#[component]
pub fn IncidentPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    page(load(id), |Shown { incident, follow_ups, people, me, blocked, no_follow_up, about, latest }| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Incidents", urls::incidents())];
        let voided = incident.voided_at.map(|at| {
            let reason = incident.voided_reason.clone();
            view! {
                <Notice tone=Tone::Warn title="Voided">
                    <p>"It counts nowhere since " <Time at=at/> ": " {reason}</p>
                </Notice>
            }
        });
        let id = incident.id;
        let (timeline, services, texts) = (incident.clone(), incident.clone(), incident.clone());
        view! {
            <Title text=format!("{} · Incident #{id} · Plumbline", incident.title)/>
            <PageHeader title=incident.title.clone() number=format!("#{id}") crumbs=crumbs>
                <Actions><Button href=urls::edit_incident(id) icon=Glyph::Pencil disabled_reason=blocked>"Change"</Button></Actions>
            </PageHeader>
            {voided}
            <div class="split">
                <div class="stack">
                    <Timeline incident=timeline/>
                    <Texts incident=texts/>
                    <FollowUps id=id follow_ups=follow_ups people=people me=me blocked=no_follow_up/>
                    <Activity about=about latest=latest/>
                </div>
                <aside class="stack"><About incident=incident/> <Services incident=services/></aside>
            </div>
        }
    })
}

#[component]
fn About(incident: Incident) -> impl IntoView {
    let type_name = incident.incident_type.name.clone();
    let word = (!incident.type_word.is_empty())
        .then(|| view! { <span class="muted">" (came as “" {incident.type_word.clone()} "”)"</span> });
    let repeats = (!incident.repeats.is_empty()).then(|| {
        let repeats = incident.repeats.clone();
        view! { <Fact label="Again"><span class="cluster"><Repeats repeats=repeats type_name=type_name with_service=true/></span></Fact> }
    });
    let recorded_by = match incident.recorded_by.clone() {
        Some(person) => view! { <a href=urls::person(&person.email)>{person.name}</a> }.into_any(),
        None => view! { <span class="muted">"An import or a hook"</span> }.into_any(),
    };
    let elsewhere = incident.external_id.clone().map(|name| {
        let source = incident.source.clone();
        let of = (!source.is_empty()).then(|| format!(" in {source}"));
        view! { <Fact label="Known as"><code>{name}</code>{of}</Fact> }
    });
    let href = urls::incident_list(&[("type", &incident.incident_type.slug)]);
    view! {
        <Facts narrow=true>
            <Fact label="Severity"><IncidentSeverity severity=incident.severity/></Fact>
            <Fact label="Type"><a href=href>{incident.incident_type.name}</a>{word}</Fact>
            {repeats}
            {elsewhere}
            <Fact label="Recorded by">{recorded_by} ", " <Time at=incident.created_at/></Fact>
        </Facts>
    }
}

/// What happened when, and how long after the start.
#[component]
fn Timeline(incident: Incident) -> impl IntoView {
    let started = incident.started_at;
    let mut moments: Vec<(&str, Timestamp)> = [
        Some(("Started", started)),
        incident.detected_at.map(|at| ("Detected", at)),
        incident.mitigated_at.map(|at| ("Mitigated", at)),
        incident.ended_at.map(|at| ("Ended", at)),
    ]
    .into_iter()
    .flatten()
    .collect();
    // What was detected only after it was mitigated stands there. Equal instants keep their order.
    moments.sort_by_key(|(_, at)| *at);
    let last = moments.last().map(|(_, at)| *at);
    let items = moments.into_iter().map(|(name, at)| {
        let after = (at > started).then(|| format!("{} after the start", between(started, at)));
        view! {
            <li class="moment">
                <b>{name}</b>
                <Time at=at absolute=true/>
                <span class="muted">{after}</span>
            </li>
        }
    });
    let items = items.collect_view();
    let missing: Vec<_> = [
        ("when it was detected", incident.detected_at),
        ("when it was mitigated", incident.mitigated_at),
        ("when it ended", incident.ended_at),
    ]
    .into_iter()
    .filter_map(|(what, at)| at.is_none().then_some(what))
    .collect();
    let missing =
        (!missing.is_empty()).then(|| view! { <p class="muted small">"Nobody said yet " {missing.join(", ")} "."</p> });
    let lasted = incident.ended_at.and(last).map(|last| format!("Lasted {}", between(started, last)));
    view! {
        <Section title="Timeline">
            {lasted.map(|lasted| view! { <p>{lasted}</p> })}
            <ol class="moments">{items}</ol>
            {missing}
        </Section>
    }
}

/// Summary and postmortem.
#[component]
fn Texts(incident: Incident) -> impl IntoView {
    let summary = if incident.summary_html.is_empty() {
        view! { <p class="muted">"Nobody has written a summary yet."</p> }.into_any()
    } else {
        view! { <div class="prose small" dir="auto" inner_html=incident.summary_html></div> }.into_any()
    };
    let link = incident.postmortem_url.map(|url| {
        let shown = url.clone();
        view! { <p><a href=url rel="noopener noreferrer">{shown} <Icon glyph=Glyph::External/></a></p> }
    });
    let text = (!incident.postmortem_html.is_empty())
        .then(|| view! { <div class="prose small" dir="auto" inner_html=incident.postmortem_html></div> });
    let none = (link.is_none() && text.is_none())
        .then(|| view! { <p class="muted">"There is none yet. Link it or write it under “Change”."</p> });
    view! {
        <Section title="Summary">{summary}</Section>
        <Section title="Postmortem"><div class="stack-close">{link} {text} {none}</div></Section>
    }
}

#[component]
fn Services(incident: Incident) -> impl IntoView {
    let count = i64::try_from(incident.services.len() + incident.unknown_services.len()).unwrap_or(i64::MAX);
    let rows = incident.services.into_iter().map(|service| {
        view! {
            <Row title=service.name href=urls::service(&service.slug)>
                <RowSide><TierBadge tier=service.tier/></RowSide>
            </Row>
        }
    });
    let rows = rows.collect_view();
    let unknown = incident.unknown_services;
    let unknown = (!unknown.is_empty()).then(|| {
        view! {
            <p class="muted small">
                "Not in the catalogue: " {unknown.join(", ")} ". "
                <a href=urls::unknown_services()>"Say what they stand for"</a>
            </p>
        }
    });
    let list = if count == 0 {
        view! { <p class="muted">"No service is named."</p> }.into_any()
    } else {
        view! { <Rows label="Services">{rows}</Rows> {unknown} }.into_any()
    };
    view! { <Section title="Services" count=count>{list}</Section> }
}

/// What is still to be done because of it, and what was.
#[component]
fn FollowUps(id: i64, follow_ups: Vec<FollowUp>, people: Vec<PersonRef>, me: String, blocked: String) -> impl IntoView {
    let back = urls::incident_part(id, "follow-ups");
    let count = i64::try_from(follow_ups.len()).unwrap_or(i64::MAX);
    let open = is_refused(CREATE_FOLLOW_UP, "");
    let to = back.clone();
    let rows = follow_ups
        .into_iter()
        .map(|item| view! { <FollowUpRow follow_up=item back=to.clone() without_source=true/> })
        .collect_view();
    let list = if count == 0 {
        view! { <p class="muted">"Nobody has promised anything yet. What must change so that this does not come back?"</p> }
            .into_any()
    } else {
        view! { <Rows label="Follow-ups">{rows}</Rows> }.into_any()
    };
    let add = if blocked.is_empty() {
        view! {
            <PeopleList people=people/>
            <Disclosure summary="Add a follow-up" open=open>
                <Form action=CREATE_FOLLOW_UP>
                    <FollowUpFields owner=me/>
                    <Hidden name="incident" value=id.to_string()/>
                    <Hidden name="back" value=back/>
                    <FormActions><Button variant=Variant::Primary>"Add the follow-up"</Button></FormActions>
                </Form>
            </Disclosure>
        }
        .into_any()
    } else {
        view! { <p class="muted small">{blocked}</p> }.into_any()
    };
    view! { <Section title="Follow-ups" id="follow-ups" count=count><div class="stack-close">{list} {add}</div></Section> }
}
