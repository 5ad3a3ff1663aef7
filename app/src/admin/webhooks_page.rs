//! `/admin/webhooks`: who is called when something happens, and who reports something here.

use backend::webhooks::{self, Webhook};
use leptos::prelude::*;
use leptos_meta::Title;

use super::hooks::{Hooks, Receiving, load_hooks};
use super::webhook_fields::events_in_words;
use crate::error::AppError;
use crate::page::page;
use crate::session::signed_in;
use crate::ui::{
    Actions, Badge, Button, Crumb, EmptyState, Glyph, PageHeader, Row, RowMeta, RowSide, Rows, Section, Tone, Variant,
};
use crate::urls;

async fn load() -> Result<(Vec<Webhook>, Receiving), AppError> {
    let (backend, actor) = signed_in()?;
    Ok((webhooks::list(&backend, &actor).await?, load_hooks(&backend, &actor).await?))
}

/// Webhooks and hooks.
#[component]
pub fn WebhooksPage() -> impl IntoView {
    page(load(), |(webhooks, receiving)| {
        let crumbs = vec![Crumb::new("Home", urls::home()), Crumb::new("Admin", urls::admin())];
        view! {
            <Title text="Webhooks · Plumbline"/>
            <PageHeader title="Webhooks" crumbs=crumbs>
                <Actions>
                    <Button href=urls::new_webhook() variant=Variant::Primary icon=Glyph::Plus>"New webhook"</Button>
                </Actions>
            </PageHeader>
            <div class="stack">
                <Section title="Calls to others" id="webhooks"><WebhookRows webhooks=webhooks/></Section>
                <Hooks receiving=receiving/>
            </div>
        }
    })
}

#[component]
fn WebhookRows(webhooks: Vec<Webhook>) -> impl IntoView {
    if webhooks.is_empty() {
        return view! {
            <EmptyState
                title="Nobody is called"
                text="A webhook tells another program, or a chat room, when something happens here."
                icon=Glyph::Link
            >
                <Button href=urls::new_webhook()>"New webhook"</Button>
            </EmptyState>
        }
        .into_any();
    }
    let rows = webhooks.into_iter().map(|webhook| {
        let about = events_in_words(&webhook.events);
        view! {
            <Row title=webhook.name href=urls::webhook(&webhook.id)>
                <RowMeta>{host(&webhook.url)} " · " {webhook.format.label()} " · about " {about}</RowMeta>
                <RowSide><ActiveBadge active=webhook.active/></RowSide>
            </Row>
        }
    });
    view! { <Rows label="Webhooks">{rows.collect_view()}</Rows> }.into_any()
}

/// Whether a webhook is called.
#[component]
pub(super) fn ActiveBadge(
    /// Whether it is.
    active: bool,
) -> impl IntoView {
    if active {
        view! { <Badge tone=Tone::Good>"Active"</Badge> }.into_any()
    } else {
        view! { <Badge tone=Tone::Bad>"Disabled"</Badge> }.into_any()
    }
}

/// Whom an address belongs to; the rest of it may be a secret.
pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn an_address_is_shown_as_its_host() {
        assert_eq!(host("https://hooks.slack.example/services/T0/B0/secret"), "hooks.slack.example");
        assert_eq!(host("http://[::1]:8080?token=x"), "[::1]:8080");
    }
}
