//! The command line: `plumbline serve`, `migrate`, `doctor`, `admin …`, `import …`, `demo …`.
//!
//! Each command is one function in the file of its name. All of them find the database as `serve` does.

pub mod admin;
pub mod demo;
pub mod doctor;
pub mod import;
pub mod migrate;
pub mod progress;
pub mod serve;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use backend::{Backend, MovableClock, SystemEntropy};
use clap::{Parser, Subcommand};

use crate::config::{Config, variables};
use crate::database::{self, Database};
use crate::embedded_postgres::Purpose;
use crate::embedded_postgres::shim::{self, ShimArgs};
use crate::logging;
use serve::BuildRouter;

/// Reviews reliability: RFCs, services, maturity, office hours and embeds in one place.
#[derive(Debug, Parser)]
#[command(name = "plumbline", version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Migrate, then serve until SIGTERM; prints `ready http://ADDRESS` once it answers
    #[command(after_help = variables::help())]
    Serve(serve::ServeArgs),
    /// Bring the database to the schema of this version
    Migrate,
    /// Look at this installation and explain each problem and its mend
    Doctor,
    /// People, tokens and sessions
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Read documents into Plumbline
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Realistic data to try things on
    #[command(subcommand)]
    Demo(demo::DemoCommand),
    /// A step of starting Postgres; see `embedded_postgres/shim.rs`
    #[command(name = shim::SUBCOMMAND, hide = true)]
    InternalRun(ShimArgs),
}

/// Why a command failed, worded for the person who ran it.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Something to mend on the machine.
    #[error(transparent)]
    Problem(#[from] crate::problem::Problem),
    /// The use case said no, or failed.
    #[error(transparent)]
    Backend(#[from] backend::Error),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Anything else, already worded.
    #[error("{0}")]
    Message(String),
}

/// Runs the command given on the command line. `build_router` makes the product's routes once the database is there.
pub fn run(cli: Cli, build_router: BuildRouter) -> ExitCode {
    if let Command::InternalRun(args) = &cli.command {
        return fail(&shim::run(args));
    }
    let config = match Config::from_environment() {
        Ok(config) => config,
        Err(errors) => return fail(&errors),
    };
    let serving = matches!(cli.command, Command::Serve(_));
    logging::init(config.log, config.log_filter.as_deref(), serving);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(config, args, build_router).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Doctor => doctor::run(&config).await,
            Command::Admin(command) => admin::run(&config, command).await,
            Command::Import(command) => import::run(&config, command).await,
            Command::Demo(command) => demo::run(&config, command).await,
            Command::InternalRun(_) => Ok(ExitCode::FAILURE),
        }
    });
    match result {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// Opens and migrates the database for one command, runs it, and stops what was started for it.
async fn with_backend<T>(
    config: &Config,
    work: impl AsyncFnOnce(Backend) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let database = Database::open(config, Purpose::Command).await?;
    let result = match database.migrate().await {
        Ok(()) => {
            let clock = Arc::new(MovableClock::default());
            clock.read(database.pool()).await?;
            let backend = Backend::new(database.pool().clone(), clock, Arc::new(SystemEntropy));
            work(backend.with_time_zone(config.time_zone.clone())).await
        }
        Err(error) => Err(database::explain(&error).into()),
    };
    database.close().await;
    result
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    // Nothing is left to do when standard error is closed.
    let _ = writeln!(std::io::stderr(), "plumbline: {error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_commands_of_the_contract_are_understood() {
        for line in [
            "plumbline serve",
            "plumbline serve --demo",
            "plumbline migrate",
            "plumbline doctor",
            "plumbline admin create-person --email a@b.example --name A --role sre --team core --password-stdin",
            "plumbline admin create-token --email a@b.example --name ci --scopes read,write --days 30",
            "plumbline admin disable-person --email a@b.example",
            "plumbline admin end-sessions --email a@b.example",
            "plumbline admin reset-password --email a@b.example --password-stdin",
            "plumbline import rfcs docs --as a@b.example --status accepted",
            "plumbline import catalog a.yaml b.yml --tier 2 --dry-run",
            "plumbline demo seed --scale 10",
            "plumbline demo clock --forward 7d",
        ] {
            if let Err(error) = Cli::try_parse_from(line.split(' ')) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn help_of_serve_shows_the_environment() {
        let error = Cli::try_parse_from(["plumbline", "serve", "--help"]).unwrap_err();
        assert!(error.to_string().contains("PLUMBLINE_TRUSTED_PROXIES"));
    }
}
