//! RFCs: review of Markdown documents with threads that survive every revision.

pub mod anchor;
#[cfg(feature = "rules")]
pub mod diff;
