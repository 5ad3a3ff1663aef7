//! `plumbline import …`: documents from files.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use backend::accounts;
use backend::rfcs::import::{self, Progress};
use clap::Subcommand;
use domain::rfc::Status;

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

/// Runs one of them; fails when something was refused, after importing the rest.
pub async fn run(config: &Config, command: ImportCommand) -> Result<ExitCode, CliError> {
    let ImportCommand::Rfcs { dir, author, status } = command;
    let status = Status::parse("status", &status).map_err(backend::Error::from)?;
    if !dir.is_dir() {
        return Err(CliError::Message(format!("{} is not a folder", dir.display())));
    }
    let summary = super::with_backend(config, async |backend| {
        let actor = accounts::actor_by_email(&backend, &author).await?;
        Ok(import::import(&backend, &actor, &dir, status, show_progress).await?)
    })
    .await?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{} new, {} with new revisions, {} unchanged, {} revisions added, {} refused",
        summary.created,
        summary.revised,
        summary.unchanged,
        summary.revisions,
        summary.refused.len()
    )?;
    for refused in &summary.refused {
        writeln!(out, "refused {}: {}", refused.path, refused.reason)?;
    }
    Ok(if summary.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One line that moves, where a person is watching.
fn show_progress(progress: Progress<'_>) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        // Progress that cannot be shown is no reason to stop.
        let _ = write!(terminal, "\r\x1b[K{} of {}: {}", progress.done, progress.of, progress.slug);
        if progress.done == progress.of {
            let _ = writeln!(terminal);
        }
    }
}
