//! House components: every page is made of these, so that pages look and behave alike.
//!
//! Rendered on the server only; each has a style sheet of the same name in `style/components`. Text props take `&str` or
//! `String`, and an empty text means that there is none. Nothing here knows a slice: what two slices share comes here.

mod avatar;
mod badge;
mod breadcrumbs;
mod button;
mod card;
mod copyable;
mod disclosure;
mod empty_state;
mod error_page;
mod facts;
mod field;
mod filters;
mod flash;
mod form;
mod icon;
mod notice;
mod page_header;
mod pagination;
mod rows;
mod table;
mod tabs;
mod time;

pub use avatar::{Avatar, Person};
pub use badge::{AnchorNote, Badge, Count, RoleBadge, SeverityBadge, StatusBadge, TierBadge, Tone};
pub use breadcrumbs::{Breadcrumbs, Crumb};
pub use button::{Button, Variant};
pub use card::{Card, Section};
pub use copyable::{Copyable, Kbd};
pub use disclosure::{Confirm, Disclosure, Menu};
pub use empty_state::EmptyState;
pub use error_page::ErrorPage;
pub use facts::{Fact, Facts};
pub use field::{Checkbox, Choice, Field, FieldKind, FileField, Hidden, Radios, Select, TextArea};
pub use filters::Filters;
pub use flash::{Done, Flash};
pub use form::{Form, FormActions, FormFallback, is_refused};
pub use icon::{Glyph, Icon};
pub use notice::Notice;
pub use page_header::{Actions, Meta, PageHeader};
pub use pagination::Pagination;
pub use rows::{Row, RowMeta, RowSide, Rows, Stat, counted, numbered};
pub use table::Table;
pub use tabs::{Tab, Tabs};
pub use time::Time;

/// An empty text prop means that the attribute is absent.
fn present(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
