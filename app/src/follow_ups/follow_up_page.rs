//! `/follow-ups/{id}`: one follow-up, and everything that can be done with it.

use backend::events::activity;
use backend::follow_ups::{self, FollowUp};
use backend::rfcs::PersonRef;
use domain::follow_up::{SourceKind, State};
use domain::limits;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api::{Abandon, Amend, HandOn, MoveDay, Reopen};
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Activity, Button, Card, Confirm, Crumb, DueBadge, FINISH_FOLLOW_UP, Fact, Facts, Field, FieldKind, Form,
    FormActions, Hidden, Notice, PageHeader, PeopleList, TextArea, Time, Tone, Variant, counted,
};
use crate::urls;

/// One follow-up.
#[component]
pub fn FollowUpPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    let load = async move {
        let (backend, actor) = signed_in()?;
        let follow_up = follow_ups::get(&backend, &actor, &id).await?;
        let about = activity::About::new("follow_up", follow_up.id.to_string());
        let latest = activity::latest(&backend, &actor, &about).await?;
        Ok((follow_up, follow_ups::owners(&backend, &actor).await?, about, latest))
    };
    page(load, |(follow_up, people, about, latest)| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Follow-ups", urls::follow_ups())];
        let owner = follow_up.owner.name.clone();
        let needs_owner = follow_up.needs_owner.then(|| {
            view! {
                <Notice tone=Tone::Warn title="Needs a new owner">
                    <p>{owner} " cannot do it any more; the SRE leads are reminded instead. Hand it on to somebody else."</p>
                </Notice>
            }
        });
        let open = follow_up.state == State::Open;
        let (changed, ended) = (follow_up.clone(), follow_up.clone());
        let forms = (open && follow_up.may_change).then(|| view! { <Forms follow_up=changed people=people/> });
        view! {
            <Title text=format!("{} · Follow-ups · Plumbline", follow_up.title)/>
            <PageHeader title=follow_up.title.clone() crumbs=crumbs>
                <Actions><Endings follow_up=ended/></Actions>
            </PageHeader>
            {needs_owner}
            <div class="split">
                <div class="stack"><About follow_up=follow_up/> <Activity about=about latest=latest/></div>
                <aside class="stack">{forms}</aside>
            </div>
        }
    })
}

/// What ends it, or begins it again.
#[component]
fn Endings(follow_up: FollowUp) -> impl IntoView {
    let id = follow_up.id.to_string();
    let blocked = if follow_up.may_change {
        ""
    } else {
        "Only its owner, who made it, an SRE, lead or admin may change a follow-up."
    };
    if follow_up.state != State::Open {
        return view! {
            <Form action=Reopen::PATH class="form-inline">
                <Hidden name="follow_up" value=id/>
                <Button disabled_reason=blocked>"Open it again"</Button>
            </Form>
        }
        .into_any();
    }
    if !follow_up.may_change {
        return view! { <Button disabled_reason=blocked>"Done"</Button> }.into_any();
    }
    let dropped = id.clone();
    view! {
        <Confirm label="Done" title="Is it done?" action=FINISH_FOLLOW_UP confirm="It is done" variant=Variant::Primary>
            <Hidden name="follow_up" value=id/>
            <TextArea name="note" label="What was done" rows=3 optional=true/>
        </Confirm>
        <Confirm label="Drop" title="Drop it?" action=Abandon::PATH confirm="Drop it"
            text="It is not to be done any more, and nobody is reminded of it. It can be opened again.">
            <Hidden name="follow_up" value=dropped/>
            <TextArea name="note" label="Why" rows=3 required=true/>
        </Confirm>
    }
    .into_any()
}

#[component]
fn About(follow_up: FollowUp) -> impl IntoView {
    let full = |date: jiff::civil::Date| date.strftime("%A, %-d %B %Y").to_string();
    let days = |number: i32| format!("{number} {}", counted(number.into(), "day", "days"));
    let first = (follow_up.moves > 0).then(|| {
        let times = if follow_up.moves == 1 { "once".to_owned() } else { format!("{} times", follow_up.moves) };
        view! { <Fact label="Due at first">{full(follow_up.first_due_on)} <span class="muted">", moved " {times}</span></Fact> }
    });
    let source = match &follow_up.source {
        Some(source) => {
            let label = format!("{} {}", source.kind.label(), source.key);
            view! { <a href=urls::source(source.kind, &source.key)>{label}</a> }.into_any()
        }
        None => view! { <span class="muted">"Nothing in particular"</span> }.into_any(),
    };
    let made_by = match follow_up.made_by.clone() {
        Some(person) => view! { <a href=urls::person(&person.email)>{person.name}</a> }.into_any(),
        None => view! { <span class="muted">"An import"</span> }.into_any(),
    };
    let closed = follow_up.closed_at.map(|at| {
        let by = follow_up.closed_by.clone().map(|person| person.name);
        let label = if follow_up.state == State::Done { "Done" } else { "Dropped" };
        view! { <Fact label=label><Time at=at absolute=true/> {by.map(|by| format!(" by {by}"))}</Fact> }
    });
    let (said, state) = (follow_up.note.clone(), follow_up.state);
    let note = (!said.is_empty()).then(|| {
        let label = if state == State::Done { "What was done" } else { "Why" };
        view! { <Fact label=label><span class="kept-lines" dir="auto">{said}</span></Fact> }
    });
    let age = match follow_up.state {
        State::Open => format!("Open for {}", days(follow_up.age_days)),
        State::Done => format!("Took {}", days(follow_up.age_days)),
        State::Dropped => format!("Was open for {}", days(follow_up.age_days)),
    };
    let reminders = match follow_up.reminders {
        0 => "No reminder yet".to_owned(),
        1 => "Reminded once".to_owned(),
        many => format!("Reminded {many} times"),
    };
    let (owner, due, made_at) = (follow_up.owner.clone(), full(follow_up.due_on), follow_up.created_at);
    view! {
        <Facts>
            <Fact label="State"><DueBadge follow_up=follow_up/></Fact>
            <Fact label="Owner"><a href=urls::person(&owner.email)>{owner.name}</a></Fact>
            <Fact label="Due">{due}</Fact>
            {first}
            <Fact label="Comes from">{source}</Fact>
            <Fact label="Made by">{made_by} ", " <Time at=made_at/></Fact>
            <Fact label="Age">{age} <span class="muted">" · " {reminders}</span></Fact>
            {closed}
            {note}
        </Facts>
    }
}

/// Hand it on, move the day, say anew what it is.
#[component]
fn Forms(follow_up: FollowUp, people: Vec<PersonRef>) -> impl IntoView {
    let (id, version) = (follow_up.id.to_string(), follow_up.version.to_string());
    let (also, again) = ((id.clone(), version.clone()), (id.clone(), version.clone()));
    let incident = follow_up.source.filter(|source| source.kind == SourceKind::Incident).map(|source| source.key);
    view! {
        <PeopleList people=people/>
        <Card title="Move the day">
            <Form action=MoveDay::PATH>
                <Hidden name="follow_up" value=id.clone()/>
                <Hidden name="version" value=version.clone()/>
                <Field name="due" label="Due" kind=FieldKind::Date value=follow_up.due_on.to_string() required=true
                    hint="The first day stays in sight."/>
                <FormActions><Button>"Move"</Button></FormActions>
            </Form>
        </Card>
        <Card title="Hand it on">
            <Form action=HandOn::PATH>
                <Hidden name="follow_up" value=also.0/>
                <Hidden name="version" value=also.1/>
                <Field name="owner" label="New owner" kind=FieldKind::Email required=true list="people"
                    hint="By e-mail address; they are told."/>
                <FormActions><Button>"Hand on"</Button></FormActions>
            </Form>
        </Card>
        <Card title="Change">
            <Form action=Amend::PATH>
                <Hidden name="follow_up" value=again.0/>
                <Hidden name="version" value=again.1/>
                <Field name="title" label="What is to be done" value=follow_up.title required=true
                    max_chars=limits::FOLLOW_UP_TITLE_CHARS/>
                <Field name="incident" label="Incident" value=incident.unwrap_or_default() optional=true
                    hint="The number of the incident it comes from."/>
                <FormActions><Button>"Save"</Button></FormActions>
            </Form>
        </Card>
    }
}
