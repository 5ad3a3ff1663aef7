//! People and teams: who is here, who belongs where; for admins: invite, change a role, disable, edit a team.

pub mod api;
#[cfg(feature = "ssr")]
mod invitations;
#[cfg(feature = "ssr")]
pub mod people_page;
#[cfg(feature = "ssr")]
pub mod person_page;
#[cfg(feature = "ssr")]
pub mod team_page;
#[cfg(feature = "ssr")]
pub mod teams_page;
