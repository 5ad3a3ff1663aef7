//! What only admins see: where things are and how this installation runs, webhooks and hooks, the outbox.

pub mod api;

#[cfg(feature = "ssr")]
pub mod admin_page;
#[cfg(feature = "ssr")]
pub mod audit_page;
#[cfg(feature = "ssr")]
mod deliveries;
#[cfg(feature = "ssr")]
pub mod delivery_page;
#[cfg(feature = "ssr")]
mod hooks;
#[cfg(feature = "ssr")]
pub mod new_webhook_page;
#[cfg(feature = "ssr")]
pub mod outbox_page;
#[cfg(feature = "ssr")]
mod webhook_fields;
#[cfg(feature = "ssr")]
pub mod webhook_page;
#[cfg(feature = "ssr")]
pub mod webhooks_page;
