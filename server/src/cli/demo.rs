//! `plumbline demo …` and `plumbline serve --demo`: a small organisation to try things on.

use std::process::ExitCode;

use backend::Backend;
use clap::Subcommand;

use super::CliError;
use crate::config::Config;

/// What can be done with demo data.
#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Fill the database with realistic data
    Seed {
        /// 1 is small, 10 is a large organisation
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
        scale: u32,
    },
}

/// For `serve --demo`: fills a database without people, leaves any other alone.
#[expect(clippy::unused_async, reason = "its body is still to come")]
pub async fn fill_when_empty(_backend: &Backend) -> Result<(), CliError> {
    tracing::warn!("demo data is not built yet: starting with what the database holds");
    Ok(())
}

/// Runs one of them.
#[expect(clippy::unused_async, reason = "its body is still to come")]
pub async fn run(_config: &Config, command: DemoCommand) -> Result<ExitCode, CliError> {
    Err(CliError::Message(format!("not built yet: {command:?}")))
}
