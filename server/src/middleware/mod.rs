//! Layers around every request. Each is an axum middleware in a file of its own.
//!
//! Order, from the outside in: [`request_id::assign`], [`crate::logging::log_request`], [`security_headers::set`],
//! [`panic::catch`], [`client_address::find`], [`timeouts::limit_time`], [`timeouts::limit_body`], [`cross_site::layer`];
//! then, around the pages and server functions only, [`form_errors::wrap`].

pub mod answer;
pub mod client_address;
pub mod cross_site;
pub mod form_errors;
pub mod panic;
pub mod request_id;
pub mod security_headers;
pub mod timeouts;
