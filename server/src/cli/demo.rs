//! `plumbline demo …` and `plumbline serve --demo`: a small organisation to try things on.

use std::io::Write as _;
use std::process::ExitCode;

use backend::{Backend, clock, demo};
use clap::Subcommand;
use jiff::SignedDuration;

use super::CliError;
use super::progress::Progress;
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
    /// Move the clock of a demo forward, for every process on its database: what comes due by then comes due at once
    Clock {
        /// By how much, for example 7d or 36h
        #[arg(long, value_parser = hours_or_days)]
        forward: SignedDuration,
    },
}

/// A number of days or hours: `7d`, `36h`.
fn hours_or_days(text: &str) -> Result<SignedDuration, String> {
    let (number, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => (days, 24),
        (_, Some(hours)) => (hours, 1),
        _ => return Err("write days or hours, as 7d or 36h".to_owned()),
    };
    let number: u32 = number.parse().map_err(|_| "write days or hours, as 7d or 36h".to_owned())?;
    Ok(SignedDuration::from_hours(i64::from(number) * hours))
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
    let (scale, force) = match command {
        DemoCommand::Seed { scale, force } => (scale, force),
        DemoCommand::Clock { forward } => return move_clock(config, forward).await,
    };
    if scale > 1 {
        return Err(CliError::Message("only --scale 1 can be made so far".to_owned()));
    }
    let done = super::with_backend(config, async |backend| {
        if !force && demo::has_own_people(&backend).await? {
            let message = "this database has people of its own; the demo's admin would have a password that everybody can \
                           read. `demo seed --force` adds the demo all the same";
            return Err(CliError::Message(message.to_owned()));
        }
        // Each of its facts is whole by itself, and a second run completes them: dropping it does no harm.
        let filled = Progress::spinning("entering the demo").drop_during(Box::pin(demo::fill(&backend))).await;
        Ok(filled.transpose()?.is_some())
    })
    .await?;
    if !done {
        writeln!(std::io::stdout(), "stopped: what was entered stays; run it again to enter the rest")?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn move_clock(config: &Config, forward: SignedDuration) -> Result<ExitCode, CliError> {
    super::with_backend(config, async |backend| {
        if demo::has_own_people(&backend).await? {
            let message = "this database has people of its own: its clock stays with the machine's";
            return Err(CliError::Message(message.to_owned()));
        }
        let ahead = clock::move_forward(&backend, forward).await?;
        writeln!(std::io::stdout(), "The clock is {ahead:#} ahead.")?;
        Ok(())
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}
