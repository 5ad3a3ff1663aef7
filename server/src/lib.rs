//! The server: HTTP, the command line, the embedded Postgres. Pages live in `app`, use cases and SQL in `backend`.

pub mod api;
pub mod assets;
pub mod cli;
pub mod config;
pub mod database;
pub mod embedded_postgres;
pub mod health;
pub mod jobs;
pub mod listener;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod problem;
pub mod render_context;
pub mod router;
pub mod session_store;
pub mod uploads;
