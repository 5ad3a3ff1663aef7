//! `/teams`: all teams.

use backend::PageRequest;
use backend::accounts::teams;
use domain::{Role, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;

use super::api::CreateTeam;
use super::people_page::PeopleTabs;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Button, Card, Crumb, EmptyState, Field, Form, FormActions, Glyph, PageHeader, Row, RowMeta, Rows, numbered,
};
use crate::urls;

/// The list; admins add teams here.
#[component]
pub fn TeamsPage() -> impl IntoView {
    let load = async move {
        let (backend, actor) = signed_in()?;
        let all = PageRequest { limit: Some(limits::PAGE_ROWS_MAX), cursor: None };
        Ok((teams::list(&backend, &actor, None, &all).await?.items, actor.role == Role::Admin))
    };
    page(load, |(teams, admin)| {
        let rows: Vec<_> = teams
            .into_iter()
            .map(|team| {
                let meta = format!(
                    "{} · {}",
                    numbered(team.members, "person", "people"),
                    numbered(team.services, "service", "services")
                );
                view! { <Row title=team.name href=urls::team(&team.slug)><RowMeta>{meta}</RowMeta></Row> }
            })
            .collect();
        let list = if rows.is_empty() {
            let text = if admin { "Add the first one below." } else { "An admin adds teams." };
            view! { <EmptyState title="No teams yet" text=text icon=Glyph::People/> }.into_any()
        } else {
            view! { <Rows label="Teams">{rows}</Rows> }.into_any()
        };
        view! {
            <Title text="Teams · Plumbline"/>
            <PageHeader title="Teams" crumbs=vec![Crumb::new("Home", urls::home())]/>
            <PeopleTabs teams=true/>
            <div class="stack">
                {list}
                {admin.then(|| view! {
                    <Card title="Add a team">
                        <Form action=CreateTeam::PATH>
                            <Field name="name" label="Name" required=true max_chars=limits::NAME_CHARS/>
                            <Field name="slug" label="Short name" optional=true max_chars=limits::SLUG_CHARS
                                hint="Stands in its address: small letters, digits and hyphens. Empty: made from the name."/>
                            <FormActions><Button>"Add the team"</Button></FormActions>
                        </Form>
                    </Card>
                })}
            </div>
        }
    })
}
