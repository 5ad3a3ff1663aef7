//! `plumbline import …`: documents from files.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::CliError;
use crate::config::Config;

/// What can be imported.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// RFCs from a directory of Markdown files
    Rfcs {
        /// A directory of `.md` files; a folder `<slug>/0001.md …` becomes one RFC with that many revisions
        dir: PathBuf,
        /// E-mail address of the person who becomes the author
        #[arg(long = "as", value_name = "EMAIL")]
        author: String,
        /// Status of new RFCs
        #[arg(long, default_value = "in_review")]
        status: String,
    },
}

/// Runs one of them.
#[expect(clippy::unused_async, reason = "its body is still to come")]
pub async fn run(_config: &Config, command: ImportCommand) -> Result<ExitCode, CliError> {
    Err(CliError::Message(format!("not built yet: {command:?}")))
}
