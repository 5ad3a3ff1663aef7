//! `/services/{slug}/edit`: change, rename or archive a service.

use backend::services::{self, Found, Options, Service};
use domain::limits;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api;
use super::fields::ServiceFields;
use crate::error::AppError;
use crate::page::page;
use crate::session::{self, signed_in};
use crate::ui::{Button, Card, Confirm, Crumb, Field, Form, FormActions, Hidden, PageHeader, Variant};
use crate::urls;

async fn load(slug: String) -> Result<Option<(Service, Options)>, AppError> {
    let (backend, actor) = signed_in()?;
    match services::get(&backend, &actor, &slug).await? {
        Found::Here(service) => {
            services::check_edit(&backend, &actor, &service.slug).await?;
            Ok(Some((*service, services::options(&backend, &actor).await?)))
        }
        Found::Moved { to } => {
            session::redirect(&urls::edit_service(&to));
            Ok(None)
        }
    }
}

/// The form for a change.
#[component]
pub fn EditServicePage() -> impl IntoView {
    let slug = use_params_map().read_untracked().get("slug").unwrap_or_default();
    page(load(slug), |found| found.map(|(service, options)| view! { <Edit service=service options=options/> }))
}

#[component]
fn Edit(service: Service, options: Options) -> impl IntoView {
    let crumbs = vec![
        Crumb::new("Home", urls::home()),
        Crumb::new("Services", urls::services()),
        Crumb::new(service.name.clone(), urls::service(&service.slug)),
    ];
    let (slug, back) = (service.slug.clone(), urls::service(&service.slug));
    let (renamed, also, archived) = (service.slug.clone(), service.slug.clone(), service.archived_at.is_some());
    view! {
        <Title text=format!("Change {} · Plumbline", service.name)/>
        <PageHeader title=format!("Change {}", service.name) crumbs=crumbs/>
        <div class="narrow stack">
            <Card>
                <Form action=api::Edit::PATH>
                    <Hidden name="slug" value=slug.clone()/>
                    <Hidden name="version" value=service.version.to_string()/>
                    <ServiceFields service=Some(service) options=options/>
                    <FormActions>
                        <Button variant=Variant::Primary>"Save"</Button>
                        <Button href=back>"Cancel"</Button>
                    </FormActions>
                </Form>
            </Card>
            <Card title="Short name">
                <Form action=api::Rename::PATH>
                    <Hidden name="slug" value=renamed.clone()/>
                    <Field name="new_slug" label="New short name" value=renamed.clone() required=true max_chars=limits::SLUG_CHARS
                        hint="Stands in its address: small letters, digits and hyphens. The old address leads here from then on."/>
                    <FormActions><Button>"Rename"</Button></FormActions>
                </Form>
            </Card>
            <Archive slug=also archived=archived/>
        </div>
    }
}

#[component]
fn Archive(slug: String, archived: bool) -> impl IntoView {
    if archived {
        return view! {
            <Card title="Archived">
                <Form action=api::Unarchive::PATH>
                    <Hidden name="slug" value=slug/>
                    <FormActions><Button>"Bring it back"</Button></FormActions>
                </Form>
            </Card>
        }
        .into_any();
    }
    view! {
        <Card title="Archive">
            <Confirm label="Archive the service" title="Archive it?" action=api::Archive::PATH confirm="Archive"
                text="It leaves the lists; its page, RFCs and history stay, and it can be brought back.">
                <Hidden name="slug" value=slug/>
            </Confirm>
        </Card>
    }
    .into_any()
}
