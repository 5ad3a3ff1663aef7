//! `/incidents/new`: record an incident.

use backend::incidents::types;
use backend::services;
use domain::policy::{Action, allows};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::Record;
use super::fields::IncidentFields;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{Button, Card, Crumb, Form, FormActions, PageHeader, Variant};
use crate::urls;

/// The form; `?service=` fills one in.
#[component]
pub fn NewIncidentPage() -> impl IntoView {
    let touched = use_query_map().read_untracked().get("service").unwrap_or_default();
    let load = async move {
        let (backend, actor) = signed_in()?;
        allows(&actor, Action::RecordIncident)?;
        let services = services::options(&backend, &actor).await?.services;
        let services: Vec<_> = services.into_iter().map(|service| service.slug).collect();
        Ok((types::list(&backend, &actor, false).await?, services, touched, actor.time_zone))
    };
    page(load, |(types, services, touched, zone)| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Incidents", urls::incidents())];
        view! {
            <Title text="Record an incident · Plumbline"/>
            <PageHeader title="Record an incident" crumbs=crumbs/>
            <div class="narrow">
                <Card>
                    <Form action=Record::PATH>
                        <IncidentFields action=Record::PATH incident=None types=types services=services touched=touched zone=zone/>
                        <FormActions>
                            <Button variant=Variant::Primary>"Record the incident"</Button>
                            <Button href=urls::incidents()>"Cancel"</Button>
                        </FormActions>
                    </Form>
                </Card>
            </div>
        }
    })
}
