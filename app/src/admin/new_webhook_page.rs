//! `/admin/webhooks/new`: make a webhook.

use domain::policy::{Action, allows};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;

use super::api;
use super::webhook_fields::WebhookFields;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{Button, Card, Crumb, Form, FormActions, PageHeader, Variant};
use crate::urls;

/// The form for a new webhook.
#[component]
pub fn NewWebhookPage() -> impl IntoView {
    let load = async {
        let (_, actor) = signed_in()?;
        Ok(allows(&actor, Action::Administer)?)
    };
    page(load, |()| {
        let crumbs = vec![
            Crumb::new("Home", urls::home()),
            Crumb::new("Admin", urls::admin()),
            Crumb::new("Webhooks", urls::webhooks()),
        ];
        view! {
            <Title text="New webhook · Plumbline"/>
            <PageHeader title="New webhook" crumbs=crumbs/>
            <div class="narrow">
                <Card>
                    <Form action=api::CreateWebhook::PATH>
                        <WebhookFields webhook=None/>
                        <FormActions>
                            <Button variant=Variant::Primary>"Make the webhook"</Button>
                            <Button href=urls::webhooks()>"Cancel"</Button>
                        </FormActions>
                    </Form>
                </Card>
            </div>
        }
    })
}
