//! Layers around every request that know nothing of the product. Each is an axum middleware in a file of its own.

pub mod request_id;
