//! `/sign-in`.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api;
use crate::session::{self, visit};
use crate::ui::{Button, Card, Field, FieldKind, Form, FormActions, Hidden, RoleBadge, Variant};
use crate::urls;

/// The one way in for people who have an account; the demo also offers its people.
#[component]
pub fn SignInPage() -> impl IntoView {
    let visit = visit();
    let next = use_query_map().read_untracked().get("next").filter(|next| session::is_own_path(next));
    if visit.actor.is_some() {
        session::redirect(&next.clone().unwrap_or_else(urls::home));
    }
    let next = next.unwrap_or_default();
    let demo = visit.demo.then(|| view! { <DemoPeople next=next.clone()/> });
    view! {
        <Title text="Sign in · Plumbline"/>
        <div class="auth">
            <h1>"Sign in to Plumbline"</h1>
            <Card>
                <Form action=api::SignIn::PATH>
                    <Hidden name="next" value=next/>
                    <Field name="email" label="E-mail address" kind=FieldKind::Email autocomplete="username" required=true autofocus=true/>
                    <Field name="password" label="Password" kind=FieldKind::Password autocomplete="current-password" required=true/>
                    <FormActions>
                        <Button variant=Variant::Primary>"Sign in"</Button>
                    </FormActions>
                </Form>
            </Card>
            {demo}
            <p class="muted small">"No account yet? An admin of your organisation can send you an invitation."</p>
        </div>
    }
}

/// One button for each of the demo's people.
#[component]
fn DemoPeople(
    /// Where to go on to.
    next: String,
) -> impl IntoView {
    let people = backend::demo::sign_ins().into_iter().map(move |person| {
        let next = next.clone();
        view! {
            <Form action=api::SignIn::PATH key=person.email class="form-close">
                <Hidden name="email" value=person.email/>
                <Hidden name="password" value=backend::demo::PASSWORD/>
                <Hidden name="next" value=next/>
                <Button>{person.name} <RoleBadge role=person.role/></Button>
            </Form>
        }
    });
    view! {
        <Card title="Demo: sign in as">
            <div class="auth-demo">{people.collect_view()}</div>
        </Card>
    }
}
