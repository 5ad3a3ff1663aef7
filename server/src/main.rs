//! The `plumbline` program: reads the command line and hands over to [`server::cli`].

use clap::Parser as _;
use server::cli::{self, Cli};

fn main() -> std::process::ExitCode {
    cli::run(Cli::parse(), server::router::build)
}
