//! Search over everything that exists, as far as the reader may see it.

#[cfg(feature = "ssr")]
pub mod search_page;
