//! `/incidents/{id}/edit`: change an incident, or take it out of the counts.

use backend::incidents::types::{self, IncidentType};
use backend::incidents::{self, Incident, read, record};
use backend::services;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api::{Change, Restore, Void};
use super::fields::IncidentFields;
use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{Button, Card, Confirm, Crumb, Form, FormActions, Hidden, PageHeader, TextArea, Variant};
use crate::urls;

/// What the page shows.
struct Shown {
    incident: Incident,
    types: Vec<IncidentType>,
    services: Vec<String>,
    zone: String,
}

async fn load(id: String) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let id = read::id(&id)?;
    record::check_edit(&backend, &actor, id).await?;
    let incident = incidents::get(&backend, &actor, id).await?;
    let services = services::options(&backend, &actor).await?.services;
    let mut types = types::list(&backend, &actor, true).await?;
    // The incident's own type can be kept, whatever became of it.
    types.retain(|found| found.archived_at.is_none() || found.slug == incident.incident_type.slug);
    let services = services.into_iter().map(|service| service.slug).collect();
    Ok(Shown { incident, types, services, zone: actor.time_zone })
}

/// The form for a change.
#[component]
pub fn EditIncidentPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    page(load(id), |Shown { incident, types, services, zone }| {
        let back = urls::incident(incident.id);
        let crumbs = vec![
            Crumb::new("Home", urls::home()),
            Crumb::new("Incidents", urls::incidents()),
            Crumb::new(format!("#{}", incident.id), back.clone()),
        ];
        let (id, version, voided) =
            (incident.id.to_string(), incident.version.to_string(), incident.voided_at.is_some());
        let also = id.clone();
        let form = (!voided).then(|| {
            view! {
                <Card>
                    <Form action=Change::PATH>
                        <Hidden name="id" value=id/>
                        <Hidden name="version" value=version/>
                        <IncidentFields action=Change::PATH incident=Some(incident) types=types services=services touched="" zone=zone/>
                        <FormActions>
                            <Button variant=Variant::Primary>"Save"</Button>
                            <Button href=back>"Cancel"</Button>
                        </FormActions>
                    </Form>
                </Card>
            }
        });
        view! {
            <Title text=format!("Change incident #{also} · Plumbline")/>
            <PageHeader title=format!("Change incident #{also}") crumbs=crumbs/>
            <div class="narrow stack">{form} <Voiding id=also voided=voided/></div>
        }
    })
}

#[component]
fn Voiding(id: String, voided: bool) -> impl IntoView {
    if voided {
        return view! {
            <Card title="Voided">
                <Form action=Restore::PATH>
                    <Hidden name="id" value=id/>
                    <p>"It counts nowhere. Restored, it counts again and can be changed."</p>
                    <FormActions><Button>"Restore it"</Button></FormActions>
                </Form>
            </Card>
        }
        .into_any();
    }
    view! {
        <Card title="Void">
            <Confirm label="Void the incident" title="Take it out of every count?" action=Void::PATH confirm="Void it"
                text="For what was recorded by mistake, or twice. It stays readable, and can be restored.">
                <Hidden name="id" value=id/>
                <TextArea name="reason" label="Why" rows=2 required=true/>
            </Confirm>
        </Card>
    }
    .into_any()
}
