//! Follow-ups: what people promised to do by a day, whatever it came from. The list, one of them, and a new one; their
//! row and the fields of a new one are in `ui/follow_up.rs`, because other slices show them, too.

pub mod api;
#[cfg(feature = "ssr")]
pub mod follow_up_page;
#[cfg(feature = "ssr")]
pub mod index_page;
#[cfg(feature = "ssr")]
pub mod new_page;
