//! `plumbline doctor`: looks at an installation and explains each problem and its mend.

use std::process::ExitCode;

use super::CliError;
use crate::config::Config;

/// Runs it. The exit code is 1 when something must be mended.
pub async fn run(_config: &Config) -> Result<ExitCode, CliError> {
    Err(CliError::Message("not built yet".into()))
}
