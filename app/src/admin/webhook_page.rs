//! `/admin/webhooks/{id}`: one webhook, how its calls went, and what can be done about it.

use backend::deliveries::{self, Delivery, Filter};
use backend::outbox::Kind;
use backend::webhooks::{self, Webhook};
use backend::{Page, PageRequest};
use domain::webhook::Format;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::api;
use super::deliveries::DeliveryRows;
use super::webhook_fields::{WebhookFields, events_in_words};
use super::webhooks_page::{ActiveBadge, host};
use crate::error::AppError;
use crate::page::page;
use crate::session::{self, signed_in};
use crate::ui::{
    Actions, Button, Card, Confirm, Copyable, Crumb, Disclosure, EmptyState, Fact, Facts, Form, FormActions, Glyph,
    Hidden, Notice, PageHeader, Section, Time, Tone, Variant, is_refused,
};
use crate::urls;

/// What the page shows.
struct Shown {
    webhook: Webhook,
    deliveries: Page<Delivery>,
    /// The secret that was just made.
    secret: Option<String>,
}

async fn load(id: String) -> Result<Shown, AppError> {
    let (backend, actor) = signed_in()?;
    let webhook = webhooks::get(&backend, &actor, &id).await?;
    let filter = Filter { kind: Some(Kind::Webhook), webhook: Some(id.clone()), state: None };
    let newest = PageRequest { limit: Some(20), cursor: None };
    let deliveries = deliveries::list(&backend, &actor, &filter, &newest).await?;
    let secret = session::shown_once(&session::new_webhook_secret(&id)).await?;
    Ok(Shown { webhook, deliveries, secret })
}

/// One webhook.
#[component]
pub fn WebhookPage() -> impl IntoView {
    let id = use_params_map().read_untracked().get("id").unwrap_or_default();
    page(load(id), |Shown { webhook, deliveries, secret }| {
        let crumbs = vec![
            Crumb::new("Home", urls::home()),
            Crumb::new("Admin", urls::admin()),
            Crumb::new("Webhooks", urls::webhooks()),
        ];
        let no_test = if webhook.active { "" } else { "Enable the webhook before you test it." };
        let all = urls::outbox_list(&[("kind", Kind::Webhook.as_str()), ("webhook", &webhook.id)]);
        let more = deliveries.next_cursor.is_some();
        let tested = webhook.id.clone();
        let list = if deliveries.items.is_empty() {
            view! {
                <EmptyState
                    title="It was not called yet"
                    text="It will be when something happens that it is about; a test does it now."
                    icon=Glyph::Clock
                />
            }
            .into_any()
        } else {
            view! { <DeliveryRows deliveries=deliveries.items label="Calls"/> }.into_any()
        };
        view! {
            <Title text=format!("{} · Webhooks · Plumbline", webhook.name)/>
            <PageHeader title=webhook.name.clone() crumbs=crumbs>
                <Actions>
                    <Form action=api::TestWebhook::PATH class="form-inline">
                        <Hidden name="webhook" value=tested/>
                        <Button variant=Variant::Primary disabled_reason=no_test>"Send a test"</Button>
                    </Form>
                </Actions>
            </PageHeader>
            {secret.map(|secret| view! {
                <Notice tone=Tone::Good title="Its new secret">
                    <p>"Copy it now: it is not shown again. The receiver verifies calls with it."</p>
                    <Copyable value=secret label="The secret"/>
                </Notice>
            })}
            <Disabled webhook=webhook.clone()/>
            <div class="split">
                <div class="stack">
                    <Section title="Calls">
                        {list}
                        {more.then(|| view! { <p><a href=all>"All its calls"</a></p> })}
                    </Section>
                    <Change webhook=webhook.clone()/>
                </div>
                <aside class="stack"><About webhook=webhook/></aside>
            </div>
        }
    })
}

#[component]
fn Disabled(webhook: Webhook) -> impl IntoView {
    webhook.disabled_at.map(|at| {
        view! {
            <Notice tone=Tone::Warn title="Disabled">
                <p>"Not called since " <Time at=at/> ". " {webhook.disabled_reason}</p>
            </Notice>
        }
    })
}

#[component]
fn Change(webhook: Webhook) -> impl IntoView {
    view! {
        <Disclosure summary="Change it" open=is_refused(api::EditWebhook::PATH, "")>
            <Card>
                <Form action=api::EditWebhook::PATH>
                    <Hidden name="webhook" value=webhook.id.clone()/>
                    <Hidden name="version" value=webhook.version.to_string()/>
                    {webhook.active.then(|| view! { <Hidden name="active" value="true"/> })}
                    <WebhookFields webhook=Some(webhook)/>
                    <FormActions><Button variant=Variant::Primary>"Save"</Button></FormActions>
                </Form>
            </Card>
        </Disclosure>
    }
}

#[component]
fn About(webhook: Webhook) -> impl IntoView {
    let signed = match (webhook.format, webhook.previous_secret_until) {
        (Format::Slack, _) => "Not signed".into_any(),
        (Format::Standard, None) => "Signed".into_any(),
        (Format::Standard, Some(at)) => {
            view! { "Signed with two secrets until " <Time at=at absolute=true/> }.into_any()
        }
    };
    let switch = if webhook.active { "Disable" } else { "Enable" };
    let (id, version) = (webhook.id.clone(), webhook.version.to_string());
    let (rotated, switched) = (id.clone(), id.clone());
    view! {
        <Facts narrow=true>
            <Fact label="State"><ActiveBadge active=webhook.active/></Fact>
            <Fact label="Calls">{host(&webhook.url)}</Fact>
            <Fact label="Format">{webhook.format.label()}</Fact>
            <Fact label="About">{events_in_words(&webhook.events)}</Fact>
            <Fact label="Signature">{signed}</Fact>
            <Fact label="Changed"><Time at=webhook.updated_at/></Fact>
        </Facts>
        {(webhook.format == Format::Standard).then(|| view! {
            <Confirm label="New secret" title="Make a new secret?" variant=Variant::Secondary action=api::RotateWebhook::PATH
                text="For 24 hours calls are signed with both, so that the receiver can change over." confirm="Make a new secret">
                <Hidden name="webhook" value=rotated/>
            </Confirm>
        })}
        <Form action=api::SwitchWebhook::PATH class="form-inline">
            <Hidden name="webhook" value=switched/>
            <Hidden name="active" value=(!webhook.active).to_string()/>
            <Button>{switch}</Button>
        </Form>
        <Confirm label="Delete" title="Delete this webhook?" action=api::DeleteWebhook::PATH confirm="Delete the webhook"
            text="The calls that wait for it are deleted, too. This cannot be undone.">
            <Hidden name="webhook" value=id/>
            <Hidden name="version" value=version/>
        </Confirm>
    }
}
