//! People and teams.

pub mod api;
#[cfg(feature = "ssr")]
pub mod people_page;
#[cfg(feature = "ssr")]
pub mod person_page;
#[cfg(feature = "ssr")]
pub mod team_page;
#[cfg(feature = "ssr")]
pub mod teams_page;
