//! Own account: the ways in (sign-in, first-run setup, invitation) and what people may change about themselves: name,
//! time zone, colours, password, sessions, tokens, and what they are told.
//!
//! A secret that is shown once (a new token) travels from the form to the page in the session, never in an address.

#[cfg(feature = "ssr")]
pub mod account_page;
pub mod api;
#[cfg(feature = "ssr")]
pub mod invitation_page;
#[cfg(feature = "ssr")]
pub mod notices_page;
#[cfg(feature = "ssr")]
pub mod setup_page;
#[cfg(feature = "ssr")]
pub mod sign_in_page;
#[cfg(feature = "ssr")]
pub mod unsubscribe_page;
