//! The inbox: what one was told of, by object, and how far one is with it.
//!
//! | file | what it holds |
//! |---|---|
//! | [`api`] | server functions: what the forms post to |
//! | `inbox_page` | the page, and the address that opens an item |
//! | [`keys_island`] | the keyboard |
//!
//! What comes, and when, is chosen under *Account*.

pub mod api;
pub mod keys_island;

#[cfg(feature = "ssr")]
pub mod inbox_page;
