//! `/follow-ups`: mine, everybody's, a team's; what is overdue first.

use backend::accounts::teams;
use backend::follow_ups::{self, Counts, Filter, FollowUp, Of};
use backend::{Error, Page, PageRequest};
use domain::follow_up::{Age, SourceKind, State};
use domain::policy::{Action, allows};
use domain::{Refusal, Role};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Button, Choice, Crumb, EmptyState, Field, FieldKind, Filters, FollowUpRow, Glyph, Hidden, Meta,
    PageHeader, Pagination, Rows, Section, Select, Tab, Tabs, Variant, numbered,
};
use crate::urls;

/// What is looked for; all of it is in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Wanted {
    /// `me` or `all`; empty: what the reader most likely wants.
    who: String,
    team: String,
    /// Slug of a service whose incidents they come from.
    service: String,
    q: String,
    /// A word of [`State`], or `all`; empty: open.
    state: String,
    source: String,
    /// `overdue` or `needs_owner`.
    only: String,
    cursor: String,
}

impl Wanted {
    fn address(&self) -> String {
        let Self { who, team, service, q, state, source, only, cursor } = self;
        urls::follow_up_list(&[
            ("who", who),
            ("team", team),
            ("service", service),
            ("q", q),
            ("state", state),
            ("source", source),
            ("only", only),
            ("cursor", cursor),
        ])
    }

    /// The same from this row on; nothing: from the first.
    fn from(&self, cursor: &str) -> String {
        Self { cursor: cursor.to_owned(), ..self.clone() }.address()
    }

    /// The same people's, without filters.
    fn unfiltered(&self) -> Self {
        Self { who: self.who.clone(), team: self.team.clone(), ..Self::default() }
    }

    fn filter(&self, me: &str) -> Filter {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Filter {
            q: filled(&self.q),
            state: match self.state.as_str() {
                "" => Some(State::Open.as_str().to_owned()),
                "all" => None,
                state => Some(state.to_owned()),
            },
            owner: (self.who == "me").then(|| me.to_owned()),
            team: filled(&self.team),
            service: filled(&self.service),
            source_kind: filled(&self.source),
            source_key: None,
            overdue: self.only == "overdue",
            needs_owner: self.only == "needs_owner",
        }
    }
}

/// What the page shows.
struct Shown {
    follow_ups: Page<FollowUp>,
    counts: Counts,
    /// The name of the team whose they are.
    team: Option<String>,
    wanted: Wanted,
    /// Why the reader may not make one; empty when they may.
    blocked: String,
}

async fn load(mut wanted: Wanted) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    if wanted.team.is_empty() && !["me", "all"].contains(&wanted.who.as_str()) {
        // Who only reads owns none.
        let who = if actor.role == Role::Reader { "all" } else { "me" };
        who.clone_into(&mut wanted.who);
    }
    let blocked = allows(&actor, Action::WriteFollowUp).err().map(|refusal| refusal.to_string()).unwrap_or_default();
    let cursor = (!wanted.cursor.is_empty()).then(|| wanted.cursor.clone());
    let request = PageRequest { limit: None, cursor };
    let follow_ups = follow_ups::list(&backend, &actor, wanted.filter(&actor.email), &request).await?;
    let of = match (wanted.who.as_str(), wanted.team.as_str()) {
        (_, team) if !team.is_empty() => Of::Team(team),
        ("me", _) => Of::Owner(&actor.email),
        _ => Of::All,
    };
    let counts = follow_ups::counts(&backend, &actor, of).await?;
    let team = match wanted.team.as_str() {
        "" => None,
        slug => match teams::get(&backend, &actor, slug).await {
            Ok(team) => Some(team.name),
            // Nobody is in it, so the list is empty: no reason to show none.
            Err(Error::Refused(Refusal::NotFound { .. })) => Some(slug.to_owned()),
            Err(error) => return Err(error.into()),
        },
    };
    Ok(Shown { follow_ups, counts, team, wanted, blocked })
}

/// The list, with filters in the address.
#[component]
pub fn FollowUpsPage() -> impl IntoView {
    let query = use_query_map().read_untracked().clone();
    let get = |name: &str| query.get(name).unwrap_or_default();
    let wanted = Wanted {
        who: get("who"),
        team: get("team"),
        service: get("service"),
        q: get("q"),
        state: get("state"),
        source: get("source"),
        only: get("only"),
        cursor: get("cursor"),
    };
    page(load(wanted), |Shown { follow_ups, counts, team, wanted, blocked }| {
        let summary = match counts {
            Counts { open: 0, .. } => "None open".to_owned(),
            Counts { open, overdue: 0 } => format!("{open} open, none overdue"),
            Counts { open, overdue } => format!("{open} open, {overdue} overdue"),
        };
        let filtered = wanted != Wanted { cursor: wanted.cursor.clone(), ..wanted.unfiltered() };
        let unfiltered = wanted.unfiltered().address();
        let reset = if filtered { unfiltered.clone() } else { String::new() };
        let next = follow_ups.next_cursor.as_deref().map(|cursor| wanted.from(cursor)).unwrap_or_default();
        let first = if wanted.cursor.is_empty() { String::new() } else { wanted.from("") };
        let (back, mine) = (wanted.address(), wanted.who == "me");
        view! {
            <Title text="Follow-ups · Plumbline"/>
            <PageHeader title="Follow-ups" crumbs=vec![Crumb::new("Home", urls::home())]>
                <Meta>{summary}</Meta>
                <Actions>
                    <Button href=urls::new_follow_up("") variant=Variant::Primary icon=Glyph::Plus disabled_reason=blocked>
                        "New follow-up"
                    </Button>
                </Actions>
            </PageHeader>
            <Tabs label="Whose" items=tabs(&wanted, team)/>
            <div class="stack">
                <Search wanted=wanted reset=reset/>
                <Groups follow_ups=follow_ups.items filtered=filtered mine=mine back=back unfiltered=unfiltered/>
                <Pagination first=first next=next/>
            </div>
        }
    })
}

/// Mine, everybody's, and the team's that is chosen.
fn tabs(wanted: &Wanted, team: Option<String>) -> Vec<Tab> {
    let tab = |label: &str, who: &str, team: &str| {
        let there = Wanted { who: who.to_owned(), team: team.to_owned(), cursor: String::new(), ..wanted.clone() };
        Tab::new(label, there.address()).current(wanted.team == team && (wanted.who == who || !team.is_empty()))
    };
    let team = team.map(|name| tab(&name, "", &wanted.team));
    [tab("Mine", "me", ""), tab("All", "all", "")].into_iter().chain(team).collect()
}

#[component]
fn Search(wanted: Wanted, reset: String) -> impl IntoView {
    let states = vec![
        Choice::new("", "Open"),
        Choice::new(State::Done.as_str(), State::Done.label()),
        Choice::new(State::Dropped.as_str(), State::Dropped.label()),
        Choice::new("all", "Any state"),
    ];
    let sources = std::iter::once(Choice::new("", "From anything"))
        .chain(SourceKind::ALL.into_iter().map(|kind| Choice::new(kind.as_str(), format!("From an {}", kind.as_str()))))
        .collect();
    let only = vec![
        Choice::new("", "Any day"),
        Choice::new("overdue", "Overdue"),
        Choice::new("needs_owner", "Needs a new owner"),
    ];
    view! {
        <Filters action=urls::follow_ups() reset=reset>
            <Field name="q" label="Words in the title" kind=FieldKind::Search value=wanted.q hide_label=true placeholder="Words in the title"/>
            <Select name="state" label="State" options=states value=wanted.state hide_label=true/>
            <Select name="only" label="Due" options=only value=wanted.only hide_label=true/>
            <Select name="source" label="Where it comes from" options=sources value=wanted.source hide_label=true/>
            <Hidden name="who" value=wanted.who/>
            <Hidden name="team" value=wanted.team/>
            {(!wanted.service.is_empty()).then(|| view! { <Hidden name="service" value=wanted.service/> })}
        </Filters>
    }
}

/// A section for each age of the open ones, then the done and the dropped.
#[component]
fn Groups(
    follow_ups: Vec<FollowUp>,
    filtered: bool,
    mine: bool,
    back: String,
    /// The same people's, without filters.
    unfiltered: String,
) -> impl IntoView {
    if follow_ups.is_empty() && filtered {
        return view! {
            <EmptyState title="No follow-up matches" text="Try other words, or take a filter away." icon=Glyph::Search>
                <Button href=unfiltered>"Show open ones"</Button>
            </EmptyState>
        }
        .into_any();
    }
    if follow_ups.is_empty() && mine {
        return view! {
            <EmptyState title="You have no open follow-up" text="What you promise after an incident shows up here until it is done." icon=Glyph::CheckCircle>
                <Button href=urls::follow_up_list(&[("who", "all")])>"Everybody's follow-ups"</Button>
            </EmptyState>
        }
        .into_any();
    }
    if follow_ups.is_empty() {
        return view! {
            <EmptyState title="No open follow-up" text="Make one on the page of an incident, or here: somebody does something by a day, and is reminded until it is done." icon=Glyph::CheckCircle>
                <Button href=urls::incidents()>"Incidents"</Button>
            </EmptyState>
        }
        .into_any();
    }
    let open = Age::ALL.map(|age| (age.label(), Some(age)));
    let closed = [State::Done, State::Dropped].map(|state| (state.label(), state));
    let (mut groups, mut rest) = (Vec::new(), follow_ups);
    for (label, age) in open {
        let (group, others) =
            rest.into_iter().partition(|item: &FollowUp| item.state == State::Open && Some(item.age()) == age);
        groups.push((label, group));
        rest = others;
    }
    for (label, state) in closed {
        let (group, others) = rest.into_iter().partition(|item: &FollowUp| item.state == state);
        groups.push((label, group));
        rest = others;
    }
    groups
        .into_iter()
        .filter(|(_, group)| !group.is_empty())
        .map(|(label, group): (&str, Vec<FollowUp>)| {
            let said = numbered(i64::try_from(group.len()).unwrap_or(i64::MAX), "follow-up", "follow-ups");
            let rows = group.into_iter().map(|item| view! { <FollowUpRow follow_up=item back=back.clone()/> });
            let rows = rows.collect_view();
            view! { <Section title=label><Rows label=format!("{label}: {said}")>{rows}</Rows></Section> }
        })
        .collect_view()
        .into_any()
}
