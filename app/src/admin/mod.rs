//! What only admins see: invitations and settings.

#[cfg(feature = "ssr")]
pub mod admin_page;
pub mod api;
