//! `/people/{email}`: one person.

use backend::accounts::people::{self, Person};
use backend::events::activity::{self, About};
use domain::{Actor, Role};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Activity, Badge, Button, Card, Choice, Confirm, Crumb, Fact, Facts, Form, FormActions, Hidden, PageHeader,
    RoleBadge, Select, Tone,
};
use crate::urls;

/// One person; admins also change them here.
#[component]
pub fn PersonPage() -> impl IntoView {
    let email = use_params_map().read_untracked().get("email").unwrap_or_default();
    let load = async move {
        let (backend, actor) = signed_in()?;
        let person = people::get(&backend, &actor, &email).await?;
        let about = About::new("person", &*person.email);
        let latest = activity::latest(&backend, &actor, &about).await?;
        Ok((actor, person, about, latest))
    };
    page(load, |(actor, person, about, latest)| {
        let teams = person
            .teams
            .iter()
            .map(|team| view! { <a href=urls::team(&team.slug)>{team.name.clone()}</a> " " })
            .collect_view();
        let own = actor.email == person.email;
        // Who may change the role sees it in the form for that.
        let role = (actor.role != Role::Admin).then_some(person.role);
        let manage = (actor.role == Role::Admin).then(|| view! { <Manage actor=actor person=person.clone()/> });
        let mail = format!("mailto:{}", person.email);
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("People", urls::people())];
        view! {
            <Title text=format!("{} · Plumbline", person.name)/>
            <PageHeader title=person.name crumbs=crumbs>
                <Actions>{own.then(|| view! { <Button href=urls::account()>"Your account"</Button> })}</Actions>
            </PageHeader>
            <div class="narrow stack">
                <Facts>
                    <Fact label="Address"><a href=mail>{person.email}</a></Fact>
                    {role.map(|role| view! { <Fact label="Role"><RoleBadge role=role/></Fact> })}
                    <Fact label="Teams">{if person.teams.is_empty() { "None".into_any() } else { teams.into_any() }}</Fact>
                    <Fact label="Time zone">{person.time_zone}</Fact>
                    {person.disabled.then(|| view! { <Fact label="Account"><Badge tone=Tone::Bad>"Disabled"</Badge></Fact> })}
                </Facts>
                {manage}
                <Activity about=about latest=latest/>
            </div>
        }
    })
}

/// What an admin may change.
#[component]
fn Manage(
    /// The admin.
    actor: Actor,
    /// Whom.
    person: Person,
) -> impl IntoView {
    let roles = Role::ALL.into_iter().map(|role| Choice::new(role.as_str(), role.label())).collect();
    let email = person.email.clone();
    let whom = person.email.clone();
    let access = if person.disabled {
        view! {
            <Form action=api::Enable::PATH>
                <Hidden name="email" value=whom/>
                <FormActions><Button>"Enable the account again"</Button></FormActions>
            </Form>
        }
        .into_any()
    } else if person.email == actor.email {
        view! { <p class="muted">"Another admin may disable this account."</p> }.into_any()
    } else {
        view! {
            <Confirm label="Disable the account" title=format!("Disable {}?", person.name)
                text="Every session and API token ends at once. What they wrote stays." action=api::Disable::PATH confirm="Disable">
                <Hidden name="email" value=whom/>
            </Confirm>
        }
        .into_any()
    };
    let also = email.clone();
    view! {
        <Card title="Role">
            <Form action=api::ChangeRole::PATH>
                <Hidden name="email" value=email.clone()/>
                <Select name="role" label="Role" hide_label=true options=roles value=person.role.as_str()/>
                <FormActions><Button>"Change the role"</Button></FormActions>
            </Form>
        </Card>
        <Card title="Access">
            <div class="stack-close">
                <Confirm label="Sign out everywhere" title=format!("Sign {} out everywhere?", person.name)
                    text=format!("Every session and API token of {} ends at once.", person.name)
                    action=api::EndSessions::PATH confirm="Sign out everywhere">
                    <Hidden name="email" value=also/>
                </Confirm>
                {access}
            </div>
        </Card>
    }
}
