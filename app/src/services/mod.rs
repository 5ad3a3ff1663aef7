//! Services: list, one service, create, edit, rename, archive.

pub mod api;
#[cfg(feature = "ssr")]
pub mod edit_page;
#[cfg(feature = "ssr")]
mod fields;
#[cfg(feature = "ssr")]
pub mod index_page;
#[cfg(feature = "ssr")]
pub mod new_page;
#[cfg(feature = "ssr")]
pub mod service_page;
