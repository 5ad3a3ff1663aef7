//! Server functions about webhooks, hooks and the outbox.

#![expect(missing_docs, reason = "the macro makes a struct of the parameters, whose names say what they are")]

use leptos::prelude::*;

use crate::error::AppError;

#[cfg(feature = "ssr")]
use {
    crate::session::{self, NEW_HOOK_SECRET},
    crate::ui::Done,
    crate::urls,
    backend::deliveries::{self, Filter},
    backend::hooks,
    backend::version::Expected,
    backend::webhooks::{self, WebhookInput},
    domain::webhook::Format,
};

/// Makes a webhook; its page then shows the secret once.
#[server(prefix = "/do", endpoint = "admin/create-webhook")]
pub async fn create_webhook(
    name: String,
    url: String,
    format: String,
    #[server(default)] nouns: Vec<String>,
    events: Option<String>,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let made = webhooks::create(&backend, &actor, input(name, url, format, nouns, events, true)).await?;
    let id = made.webhook.id;
    if made.webhook.format == Format::Standard {
        session::show_once(&session::new_webhook_secret(&id), &made.secret.expose()).await?;
    }
    session::done(&urls::webhook(&id), Done::Created);
    Ok(())
}

/// Changes a webhook. `version` is the one the form was made from. One that is signed from now on gets a secret that its
/// page shows once: nobody has seen the one that it was made with.
#[server(prefix = "/do", endpoint = "admin/edit-webhook")]
pub async fn edit_webhook(
    webhook: String,
    version: i64,
    name: String,
    url: String,
    format: String,
    #[server(default)] nouns: Vec<String>,
    events: Option<String>,
    #[server(default)] active: bool,
) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let input = input(name, url, format, nouns, events, active);
    let before = webhooks::get(&backend, &actor, &webhook).await?;
    let changed = webhooks::change(&backend, &actor, &webhook, Expected::Version(version), input).await?;
    if (before.format, changed.format) == (Format::Slack, Format::Standard) {
        let made = webhooks::rotate(&backend.next_step(), &actor, &webhook).await?;
        session::show_once(&session::new_webhook_secret(&webhook), &made.secret.expose()).await?;
    }
    session::done(&urls::webhook(&webhook), Done::Saved);
    Ok(())
}

/// Switches a webhook on or off.
#[server(prefix = "/do", endpoint = "admin/switch-webhook")]
pub async fn switch_webhook(webhook: String, active: bool) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    webhooks::switch(&backend, &actor, &webhook, active).await?;
    session::done(&urls::webhook(&webhook), if active { Done::SwitchedOn } else { Done::SwitchedOff });
    Ok(())
}

/// Deletes a webhook.
#[server(prefix = "/do", endpoint = "admin/delete-webhook")]
pub async fn delete_webhook(webhook: String, version: i64) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    webhooks::delete(&backend, &actor, &webhook, Expected::Version(version)).await?;
    session::done(&urls::webhooks(), Done::WebhookDeleted);
    Ok(())
}

/// Gives a webhook a new secret; its page then shows it once.
#[server(prefix = "/do", endpoint = "admin/rotate-webhook")]
pub async fn rotate_webhook(webhook: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let made = webhooks::rotate(&backend, &actor, &webhook).await?;
    session::show_once(&session::new_webhook_secret(&webhook), &made.secret.expose()).await?;
    session::redirect(&urls::webhook(&webhook));
    Ok(())
}

/// Calls a webhook to see whether it answers.
#[server(prefix = "/do", endpoint = "admin/test-webhook")]
pub async fn test_webhook(webhook: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    webhooks::test(&backend, &actor, &webhook).await?;
    session::done(&urls::webhook(&webhook), Done::WebhookTested);
    Ok(())
}

/// Makes a hook; the page then shows its secret once.
#[server(prefix = "/do", endpoint = "admin/create-hook")]
pub async fn create_hook(name: String, purpose: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let made = hooks::create(&backend, &actor, &name, &purpose).await?;
    session::show_once(NEW_HOOK_SECRET, &format!("{} {}", made.hook.id, made.secret.expose())).await?;
    session::redirect(&urls::hooks());
    Ok(())
}

/// Gives a hook a new secret; the page then shows it once.
#[server(prefix = "/do", endpoint = "admin/rotate-hook")]
pub async fn rotate_hook(hook: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let made = hooks::rotate(&backend, &actor, &hook).await?;
    session::show_once(NEW_HOOK_SECRET, &format!("{hook} {}", made.secret.expose())).await?;
    session::redirect(&urls::hooks());
    Ok(())
}

/// Revokes a hook.
#[server(prefix = "/do", endpoint = "admin/revoke-hook")]
pub async fn revoke_hook(hook: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    hooks::revoke(&backend, &actor, &hook).await?;
    session::done(&urls::hooks(), Done::HookRevoked);
    Ok(())
}

/// Sends again what was given up, or does not wait for the next try.
#[server(prefix = "/do", endpoint = "admin/retry-delivery")]
pub async fn retry_delivery(delivery: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    deliveries::retry(&backend, &actor, &delivery).await?;
    session::done(&urls::delivery(&delivery), Done::SentAgain);
    Ok(())
}

/// Lets go what was given up: it is not sent any more.
#[server(prefix = "/do", endpoint = "admin/let-go-delivery")]
pub async fn let_go_delivery(delivery: String) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    deliveries::let_go(&backend, &actor, &delivery).await?;
    session::done(&urls::delivery(&delivery), Done::LetGo);
    Ok(())
}

/// Sends again everything that was given up, of one kind and to one webhook; of all when these are empty. `back` is the
/// list that then shows it.
#[server(prefix = "/do", endpoint = "admin/retry-dead")]
pub async fn retry_dead(kind: Option<String>, webhook: Option<String>, back: Option<String>) -> Result<(), AppError> {
    let (backend, actor) = session::signed_in()?;
    let given = |word: Option<String>| word.filter(|word| !word.is_empty());
    let filter = Filter::read(None, given(kind).as_deref(), given(webhook).as_deref())?;
    deliveries::retry_dead(&backend, &actor, &filter).await?;
    session::done(&back.unwrap_or_else(urls::outbox), Done::SentAgain);
    Ok(())
}

/// What the form says, as the use case wants it: ticked nouns, and verbs apart by commas or spaces.
#[cfg(feature = "ssr")]
fn input(
    name: String,
    url: String,
    format: String,
    nouns: Vec<String>,
    events: Option<String>,
    active: bool,
) -> WebhookInput {
    let verbs = events.unwrap_or_default();
    let verbs = verbs.split([',', ' ', '\n']).map(str::trim).filter(|verb| !verb.is_empty()).map(str::to_owned);
    WebhookInput { name, url, format, events: nouns.into_iter().chain(verbs).collect(), active }
}
