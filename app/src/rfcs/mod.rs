//! RFCs: list, read with threads beside the text, write.
//!
//! | file | what it holds |
//! |---|---|
//! | [`api`] | server functions: what the forms post to |
//! | `index_page`, `read_page`, `new_page`, `edit_page` | pages |
//! | `reading` | what a reader asked the read page for: revision, open form, history |
//! | `header`, `document`, `thread`, `composer` | parts of the read page: its head, the text with its threads, one thread, the forms that open one |
//! | `editor` | what the pages for writing share |
//! | `kept` | texts that the browser keeps until they are saved: their names, and when they are done with |
//! | [`select_island`], [`editor_island`], [`news_island`] | the interactive parts: comment by selecting; live preview and safekeeping; what others say meanwhile |
//! | [`selection`] | from a selection in rendered text to bytes of the source, and back |
//! | `select_browser`, `news_browser`, `marks` | the islands' work on the page, in the browser only |

pub mod api;
pub mod editor_island;
mod kept;
pub mod news_island;
pub mod select_island;
pub mod selection;

#[cfg(feature = "hydrate")]
mod marks;
#[cfg(feature = "hydrate")]
mod news_browser;
#[cfg(feature = "hydrate")]
mod select_browser;

#[cfg(feature = "ssr")]
mod composer;
#[cfg(feature = "ssr")]
mod document;
#[cfg(feature = "ssr")]
pub mod edit_page;
#[cfg(feature = "ssr")]
mod editor;
#[cfg(feature = "ssr")]
mod header;
#[cfg(feature = "ssr")]
pub mod index_page;
#[cfg(feature = "ssr")]
pub mod new_page;
#[cfg(feature = "ssr")]
pub mod read_page;
#[cfg(feature = "ssr")]
mod reading;
#[cfg(feature = "ssr")]
mod thread;
