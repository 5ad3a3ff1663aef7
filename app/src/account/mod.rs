//! Own account: ways in (sign-in, invitation, first-run setup) and what one may change about oneself.

#[cfg(feature = "ssr")]
pub mod account_page;
pub mod api;
#[cfg(feature = "ssr")]
pub mod invitation_page;
#[cfg(feature = "ssr")]
pub mod setup_page;
#[cfg(feature = "ssr")]
pub mod sign_in_page;
