//! Incidents: the list with its chart and counts, one incident, recording and changing it, the types, and the names of
//! services that the catalogue does not know. What services' and teams' pages show of them is in `ui/incident.rs`.

pub mod api;
#[cfg(feature = "ssr")]
pub mod edit_page;
#[cfg(feature = "ssr")]
mod fields;
#[cfg(feature = "ssr")]
pub mod incident_page;
#[cfg(feature = "ssr")]
pub mod index_page;
#[cfg(feature = "ssr")]
pub mod new_page;
#[cfg(feature = "ssr")]
pub mod types_page;
#[cfg(feature = "ssr")]
pub mod unknown_services_page;
