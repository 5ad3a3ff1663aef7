//! `/teams/{slug}`: one team, its people and its services.

use backend::accounts::teams::{self, Team};
use backend::events::activity::{self, About};
use backend::follow_ups::{self, Of};
use backend::incidents::Filter;
use backend::incidents::overview::overview;
use backend::services::may_edit_some;
use domain::{Role, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api::EditTeam;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Activity, Button, Card, Crumb, EmptyState, Field, FollowUpCounts, Form, FormActions, Glyph, Hidden,
    IncidentOverview, PageHeader, RoleBadge, Row, RowMeta, RowSide, Rows, Section, TextArea, TierBadge,
};
use crate::urls;

/// One team; admins also change it here.
#[component]
pub fn TeamPage() -> impl IntoView {
    let slug = use_params_map().read_untracked().get("slug").unwrap_or_default();
    let load = async move {
        let (backend, actor) = signed_in()?;
        let blocked = may_edit_some(&actor).err().map(|refusal| refusal.to_string()).unwrap_or_default();
        let team = teams::get(&backend, &actor, &slug).await?;
        let touched = Filter { team: Some(slug.clone()), ..Filter::default() };
        let incidents = overview(&backend, &actor, &touched).await?;
        let follow_ups = follow_ups::counts(&backend, &actor, Of::Team(&slug)).await?;
        let about = About::new("team", &*team.slug);
        let latest = activity::latest(&backend, &actor, &about).await?;
        Ok((team, incidents, follow_ups, actor.role == Role::Admin, blocked, (about, latest)))
    };
    page(load, |(team, incidents, follow_ups, admin, blocked, (about, latest))| {
        let promised = urls::follow_up_list(&[("team", &team.slug)]);
        let whose = ("team", team.slug.clone());
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Teams", urls::teams())];
        let edit = admin.then(|| view! { <ChangeTeam team=team.clone()/> });
        view! {
            <Title text=format!("{} · Plumbline", team.name)/>
            <PageHeader title=team.name.clone() crumbs=crumbs/>
            <div class="split">
                <div class="stack">
                    <Services team=team.clone() blocked=blocked/>
                    <div class="stack-close">
                        <IncidentOverview overview=incidents whose=whose/>
                        <FollowUpCounts counts=follow_ups href=promised of="of its people"/>
                    </div>
                    <Activity about=about latest=latest/>
                </div>
                <aside class="stack"><Members team=team/>{edit}</aside>
            </div>
        }
    })
}

/// What it owns.
#[component]
fn Services(
    /// Whose.
    team: Team,
    /// Why the reader may not describe a service; empty when they may.
    blocked: String,
) -> impl IntoView {
    let rows: Vec<_> = team
        .services
        .into_iter()
        .map(|service| {
            view! {
                <Row title=service.name href=urls::service(&service.slug)>
                    <RowSide><TierBadge tier=service.tier/></RowSide>
                </Row>
            }
        })
        .collect();
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let list = if rows.is_empty() {
        view! { <EmptyState title="No services yet" text="Name this team as the owner of a service." icon=Glyph::Server>
            <Button href=urls::new_service() disabled_reason=blocked>"Add a service"</Button>
        </EmptyState> }
        .into_any()
    } else {
        view! { <Rows label="Services">{rows}</Rows> }.into_any()
    };
    view! { <Section title="Services" count=count>{list}</Section> }
}

/// Who belongs to it.
#[component]
fn Members(
    /// Whose.
    team: Team,
) -> impl IntoView {
    let rows: Vec<_> = team
        .members
        .into_iter()
        .map(|member| {
            view! {
                <Row title=member.name href=urls::person(&member.email)>
                    <RowMeta>{member.email}</RowMeta>
                    <RowSide><RoleBadge role=member.role/></RowSide>
                </Row>
            }
        })
        .collect();
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let list = if rows.is_empty() {
        view! { <EmptyState title="Nobody yet" text="An admin adds people to teams." icon=Glyph::People/> }.into_any()
    } else {
        view! { <Rows label="Members">{rows}</Rows> }.into_any()
    };
    view! { <Section title="People" count=count>{list}</Section> }
}

/// Name and members, for admins.
#[component]
fn ChangeTeam(
    /// As it is.
    team: Team,
) -> impl IntoView {
    let members: Vec<_> = team.members.iter().map(|member| member.email.clone()).collect();
    view! {
        <Card title="Change the team">
            <Form action=EditTeam::PATH>
                <Hidden name="slug" value=team.slug/>
                <Hidden name="version" value=team.version.to_string()/>
                <Field name="name" label="Name" value=team.name required=true max_chars=limits::NAME_CHARS/>
                <TextArea name="members" label="Members" value=members.join("\n") rows=6 hint="One e-mail address a line." optional=true/>
                <FormActions><Button>"Save"</Button></FormActions>
            </Form>
        </Card>
    }
}
