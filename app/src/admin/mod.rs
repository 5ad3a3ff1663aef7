//! What only admins see: where things are, and how this installation runs.

#[cfg(feature = "ssr")]
pub mod admin_page;
#[cfg(feature = "ssr")]
pub mod audit_page;
