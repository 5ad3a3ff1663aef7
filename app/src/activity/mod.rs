//! What happened: the whole feed of one thing, or of everything. The rows are [`crate::ui::Activity`]'s, which also stands
//! on the page of each thing.

#[cfg(feature = "ssr")]
pub mod activity_page;
