//! `/setup/{secret}`: the first admin of a new installation, through the link that the log printed.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use backend::accounts::invitations;

use super::api;
use super::invitation_page::NewAccountFields;
use crate::page::page;
use crate::session::visit;
use crate::ui::{Button, Card, Field, FieldKind, Form, FormActions, Hidden, Variant};

/// Makes the first admin.
#[component]
pub fn SetupPage() -> impl IntoView {
    let secret = use_params_map().read_untracked().get("secret").unwrap_or_default();
    let backend = visit().backend;
    let load = async move {
        invitations::open(&backend, &secret).await?;
        Ok(secret)
    };
    page(load, |secret| {
        view! {
            <Title text="Set up Plumbline"/>
            <div class="auth">
                <h1>"Set up Plumbline"</h1>
                <p class="muted">"You are the first one here. This account becomes the admin, who invites everybody else."</p>
                <Card>
                    <Form action=api::SetUp::PATH>
                        <Hidden name="secret" value=secret/>
                        <Field name="email" label="Your e-mail address" kind=FieldKind::Email autocomplete="username" required=true/>
                        <NewAccountFields/>
                        <FormActions>
                            <Button variant=Variant::Primary>"Create the admin account"</Button>
                        </FormActions>
                    </Form>
                </Card>
            </div>
        }
    })
}
