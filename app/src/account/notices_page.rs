//! `/account/notices`: what one is told, where, and when not.

use backend::notices::preferences::{self, Versioned};
use domain::notice::{Kind, Preferences, QuietHours};
use domain::{Actor, Role};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;

use super::api;
use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Button, Card, Checkbox, Choice, Crumb, Field, FieldKind, Form, FormActions, Hidden, PageHeader, Select, Variant,
};
use crate::urls;

async fn load() -> Result<(Versioned, Actor), AppError> {
    let (backend, actor) = signed_in()?;
    Ok((preferences::get(&backend, &actor).await?, actor))
}

/// What one is told.
#[component]
pub fn NoticesPage() -> impl IntoView {
    page(load(), |(Versioned { preferences, version }, actor)| {
        let quiet_from = preferences.quiet.map(QuietHours::from).unwrap_or_default();
        let quiet_until = preferences.quiet.map(QuietHours::until).unwrap_or_default();
        let digest = preferences.mail(Kind::Digest);
        let (zone, role) = (actor.time_zone, actor.role);
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Account", urls::account())];
        view! {
            <Title text="What I am told · Plumbline"/>
            <PageHeader title="What I am told" crumbs=crumbs/>
            <div class="narrow">
                <Form action=api::EditNotices::PATH class="stack">
                    <Hidden name="version" value=version.to_string()/>
                    <Card title="By kind">
                        <p class="muted small">
                            "You are never told what you did yourself. What is about the security of your account always comes, in the inbox and by mail."
                        </p>
                        <Kinds preferences=preferences role=role/>
                    </Card>
                    <Card title="Quiet hours">
                        <p class="muted small">
                            "In these hours, in your time zone (" {zone} "), no mail is sent; it comes when they end. They may lie across midnight."
                        </p>
                        <Field name="quiet_from" label="From" kind=FieldKind::Time optional=true
                            value=quiet_from/>
                        <Field name="quiet_until" label="Until" kind=FieldKind::Time optional=true
                            value=quiet_until
                            hint="Leave both empty to have none."/>
                    </Card>
                    <Card title="Weekly digest">
                        <Checkbox name="digest" label="Send it on Mondays at eight in the morning"
                            hint="What waits for you and what happened; nothing when there is nothing."
                            checked=digest/>
                    </Card>
                    <FormActions><Button variant=Variant::Primary>"Save"</Button></FormActions>
                </Form>
            </div>
        }
    })
}

/// One choice for each kind that can be turned off.
#[component]
fn Kinds(
    /// What is chosen.
    preferences: Preferences,
    /// Whose: only admins are told of webhooks.
    role: Role,
) -> impl IntoView {
    let told = |kind: &Kind| *kind != Kind::Webhook || role == Role::Admin;
    let kinds = Kind::ALL.into_iter().filter(|kind| kind.is_for_inbox() && !kind.is_fixed()).filter(told);
    let fields = kinds.map(|kind| {
        let chosen = match (preferences.inbox(kind), preferences.mail(kind)) {
            (true, true) => "both",
            (true, false) => "inbox",
            (false, true) => "mail",
            (false, false) => "none",
        };
        let options = vec![
            Choice::new("both", "Inbox and mail"),
            Choice::new("inbox", "Inbox only"),
            Choice::new("mail", "Mail only"),
            Choice::new("none", "Not at all"),
        ];
        view! {
            <Select name=format!("channels[{}]", kind.as_str()) label=kind.label() options=options value=chosen/>
        }
    });
    fields.collect_view()
}
