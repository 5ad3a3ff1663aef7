//! Files that are handed in: the list, a new one, one with its differences, its progress and its report. Admins only.

pub mod api;
#[cfg(feature = "ssr")]
pub mod import_page;
#[cfg(feature = "ssr")]
pub mod index_page;
#[cfg(feature = "ssr")]
pub mod new_page;
#[cfg(feature = "ssr")]
mod words;
