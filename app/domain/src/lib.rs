//! Plumbline's words and rules.
//!
//! Everything here is plain data and pure functions: no framework, no database, no clock, no randomness, no I/O. Time
//! comes in as a parameter. The same code runs on the server and, without the feature `rules`, in the browser.
//!
//! | file | what it holds |
//! |---|---|
//! | [`policy`] | who may do what: THE authorization file |
//! | [`actor`] | who is asking: person, role, teams, token scopes |
//! | [`refusal`] | every way in which the product says no |
//! | [`text`] | bounded, checked values: names, slugs, addresses, bodies |
//! | [`limits`] | every limit, in one place |
//! | [`notice`] | notices: kinds, preferences, quiet hours, mentions |
//! | [`service`] | services and their tiers |
//! | [`incident`] | severities, types and repetitions of incidents |
//! | [`webhook`] | what goes out when something happens |
//! | [`follow_up`] | what somebody promised to do by a day, and when they are reminded |
//! | [`search`] | kinds of things that can be found, and the piece of a text that shows why |
//! | [`rfc`] | RFC kinds, statuses and transitions; anchors and diffs below it |

pub mod actor;
pub mod follow_up;
pub mod incident;
pub mod limits;
pub mod notice;
pub mod policy;
pub mod refusal;
pub mod rfc;
pub mod search;
pub mod service;
pub mod text;
pub mod webhook;

pub use actor::{Actor, PersonId, Role, Scopes, TeamId};
pub use refusal::{FieldError, Refusal};
