//! `/services/new`: describe a service.

use backend::services;
use domain::limits;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;

use super::api::Create;
use super::fields::ServiceFields;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{Button, Card, Crumb, Field, Form, FormActions, PageHeader, Variant};
use crate::urls;

/// The form for a new service.
#[component]
pub fn NewServicePage() -> impl IntoView {
    let load = async move {
        let (backend, actor) = signed_in()?;
        services::may_edit_some(&actor)?;
        Ok(services::options(&backend, &actor).await?)
    };
    page(load, |options| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Services", urls::services())];
        view! {
            <Title text="New service · Plumbline"/>
            <PageHeader title="New service" crumbs=crumbs/>
            <div class="narrow">
                <Card>
                    <Form action=Create::PATH>
                        <ServiceFields service=None options=options/>
                        <Field name="slug" label="Short name" optional=true max_chars=limits::SLUG_CHARS
                            hint="Stands in its address: small letters, digits and hyphens. Empty: made from the name."/>
                        <FormActions>
                            <Button variant=Variant::Primary>"Add the service"</Button>
                            <Button href=urls::services()>"Cancel"</Button>
                        </FormActions>
                    </Form>
                </Card>
            </div>
        }
    })
}
