//! `/people`: everybody who has an account.

use backend::accounts::people::{self, Filter, Person};
use backend::accounts::teams;
use backend::{Page, PageRequest};
use domain::{Actor, Role};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::invitations::{Invitations, load_invitations};
use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Badge, Button, Choice, Crumb, EmptyState, Field, FieldKind, Filters, Glyph, Meta, PageHeader, Pagination,
    RoleBadge, Row, RowMeta, RowSide, Rows, Select, Tab, Tabs, Tone,
};
use crate::urls;

/// What is looked for.
#[derive(Debug, Clone, Default)]
struct Wanted {
    q: String,
    role: String,
    team: String,
    cursor: Option<String>,
}

impl Wanted {
    /// The address of the list with these filters, from this row on; nothing: from its first.
    fn from(&self, cursor: &str) -> String {
        urls::people_list(&[("q", &self.q), ("role", &self.role), ("team", &self.team), ("cursor", cursor)])
    }

    fn is_filtered(&self) -> bool {
        self.from("") != urls::people()
    }
}

async fn load(wanted: Wanted) -> Result<(Actor, Page<Person>, Vec<Choice>, Wanted), AppError> {
    let (backend, actor) = signed_in()?;
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let filter =
        Filter { q: filled(&wanted.q), role: Role::parse(&wanted.role), team: filled(&wanted.team), disabled: None };
    let request = PageRequest { limit: None, cursor: wanted.cursor.clone() };
    let people = people::list(&backend, &actor, &filter, &request).await?;
    let teams = teams::all(&backend, &actor).await?;
    let teams = std::iter::once(Choice::new("", "Any team"))
        .chain(teams.into_iter().map(|team| Choice::new(team.slug, team.name)))
        .collect();
    Ok((actor, people, teams, wanted))
}

/// The list, with filters in the address.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let query = use_query_map().read_untracked().clone();
    let get = |name: &str| query.get(name).unwrap_or_default();
    let wanted = Wanted { q: get("q"), role: get("role"), team: get("team"), cursor: query.get("cursor") };
    let load = async move {
        let (actor, people, teams, wanted) = load(wanted).await?;
        let invitations = if actor.role == Role::Admin { Some(load_invitations().await?) } else { None };
        Ok((people, teams, wanted, invitations))
    };
    page(load, |(people, teams, wanted, invitations)| {
        let roles = std::iter::once(Choice::new("", "Any role"))
            .chain(Role::ALL.into_iter().map(|role| Choice::new(role.as_str(), role.label())))
            .collect();
        let first = if wanted.cursor.is_some() { wanted.from("") } else { String::new() };
        let next = people.next_cursor.as_deref().map(|cursor| wanted.from(cursor)).unwrap_or_default();
        let reset = if wanted.is_filtered() { urls::people() } else { String::new() };
        view! {
            <Title text="People · Plumbline"/>
            <PageHeader title="People" crumbs=vec![Crumb::new("Home", urls::home())]>
                <Meta>"Everybody who has an account"</Meta>
            </PageHeader>
            <PeopleTabs teams=false/>
            <div class="stack">
                <Filters action=urls::people() reset=reset>
                    <Field name="q" label="Name or address" kind=FieldKind::Search value=wanted.q hide_label=true placeholder="Name or address"/>
                    <Select name="role" label="Role" options=roles value=wanted.role hide_label=true/>
                    <Select name="team" label="Team" options=teams value=wanted.team hide_label=true/>
                </Filters>
                <PeopleRows people=people.items/>
                <Pagination first=first next=next/>
                {invitations.map(|invitations| view! { <Invitations invitations=invitations/> })}
            </div>
        }
    })
}

/// People or teams.
#[component]
pub(super) fn PeopleTabs(
    /// Teams are shown now.
    teams: bool,
) -> impl IntoView {
    let items =
        vec![Tab::new("People", urls::people()).current(!teams), Tab::new("Teams", urls::teams()).current(teams)];
    view! { <Tabs label="People and teams" items=items/> }
}

/// One row a person.
#[component]
fn PeopleRows(
    /// Whom to show.
    people: Vec<Person>,
) -> impl IntoView {
    if people.is_empty() {
        return view! {
            <EmptyState title="Nobody matches" text="Try other words, or take a filter away." icon=Glyph::Search>
                <Button href=urls::people()>"Show everybody"</Button>
            </EmptyState>
        }
        .into_any();
    }
    let rows = people.into_iter().map(|person| {
        let teams: Vec<_> = person.teams.iter().map(|team| team.name.clone()).collect();
        let teams = if teams.is_empty() { String::new() } else { format!(" · {}", teams.join(", ")) };
        view! {
            <Row title=person.name href=urls::person(&person.email)>
                <RowMeta>{person.email} {teams}</RowMeta>
                <RowSide>
                    {person.disabled.then(|| view! { <Badge tone=Tone::Bad>"Disabled"</Badge> })}
                    <RoleBadge role=person.role/>
                </RowSide>
            </Row>
        }
    });
    view! { <Rows label="People">{rows.collect_view()}</Rows> }.into_any()
}
