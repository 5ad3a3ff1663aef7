//! `/invitations/{secret}`: make the account that an invitation is for.

use backend::accounts::invitations;
use domain::limits;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api;
use crate::page::page;
use crate::session::visit;
use crate::ui::{Button, Card, Fact, Facts, Field, FieldKind, Form, FormActions, Hidden, RoleBadge, Variant};

/// Accepts an invitation.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let secret = use_params_map().read_untracked().get("secret").unwrap_or_default();
    let backend = visit().backend;
    let load = async move { Ok((invitations::open(&backend, &secret).await?, secret)) };
    page(load, |(invitation, secret)| {
        let invited_by = invitation.invited_by.map(|name| view! { <Fact label="Invited by">{name}</Fact> });
        let team = invitation.team.map(|team| view! { <Fact label="Team">{team.name}</Fact> });
        view! {
            <Title text="Your invitation · Plumbline"/>
            <div class="auth">
                <h1>"Welcome to Plumbline"</h1>
                <Card>
                    <Facts>
                        <Fact label="Role"><RoleBadge role=invitation.role/></Fact>
                        {team}
                        {invited_by}
                    </Facts>
                    <Form action=api::AcceptInvitation::PATH>
                        <Hidden name="secret" value=secret/>
                        // Not to be changed; here so that the browser keeps the password under it.
                        <Field name="email" label="E-mail address" kind=FieldKind::Email autocomplete="username"
                            value=invitation.email.unwrap_or_default() readonly=true/>
                        <NewAccountFields/>
                        <FormActions>
                            <Button variant=Variant::Primary>"Create my account"</Button>
                        </FormActions>
                    </Form>
                </Card>
            </div>
        }
    })
}

/// What everybody says about themselves at first.
#[component]
pub fn NewAccountFields() -> impl IntoView {
    let hint = format!(
        "{} to {} characters; a few unrelated words are easiest to remember and hard to guess.",
        limits::PASSWORD_MIN_CHARS,
        limits::PASSWORD_MAX_CHARS
    );
    view! {
        <Field name="name" label="Your name" autocomplete="name" required=true max_chars=limits::NAME_CHARS/>
        <Field name="password" label="Password" kind=FieldKind::Password autocomplete="new-password" hint=hint required=true/>
        <Field name="time_zone" label="Time zone" value="UTC" hint="An IANA name such as Europe/Berlin; every time is shown in it." required=true/>
    }
}
