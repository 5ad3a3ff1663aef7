//! `plumbline demo …` and `plumbline serve --demo`: a small organisation to try things on.

use std::process::ExitCode;

use backend::{Backend, demo};
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
        /// Also into a database with people of your own: its admin then has a password that everybody can read
        #[arg(long)]
        force: bool,
    },
}

/// For `serve --demo`: fills a database without people, completes a demo that was begun, leaves any other alone. Whether
/// it is a demo now.
pub async fn fill_when_empty(backend: &Backend) -> Result<bool, CliError> {
    let demo = demo::may_fill(backend).await?;
    if demo {
        demo::fill(backend).await?;
    } else {
        tracing::warn!("this database is somebody's own: --demo adds nothing to it and offers no sign-in");
    }
    Ok(demo)
}

/// Runs one of them.
pub async fn run(config: &Config, command: DemoCommand) -> Result<ExitCode, CliError> {
    let DemoCommand::Seed { scale, force } = command;
    if scale > 1 {
        return Err(CliError::Message("only --scale 1 can be made so far".to_owned()));
    }
    super::with_backend(config, async |backend| {
        if !force && demo::has_own_people(&backend).await? {
            let message = "this database has people of its own; the demo's admin would have a password that everybody can \
                           read. `demo seed --force` adds the demo all the same";
            return Err(CliError::Message(message.to_owned()));
        }
        Ok(demo::fill(&backend).await?)
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
