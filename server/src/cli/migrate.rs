//! `plumbline migrate`: brings the schema up to date and exits. `serve` does the same before it serves.

use std::process::ExitCode;

use super::CliError;
use crate::config::Config;
use crate::database::{self, Database};
use crate::embedded_postgres::Purpose;

/// Runs it.
pub async fn run(config: &Config) -> Result<ExitCode, CliError> {
    let database = Database::open(config, Purpose::Command).await?;
    let result = database.migrate().await;
    database.close().await;
    result.map_err(|error| database::explain(&error))?;
    Ok(ExitCode::SUCCESS)
}
