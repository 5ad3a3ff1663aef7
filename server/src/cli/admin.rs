//! `plumbline admin …`: people, tokens and sessions from the machine itself, before and without signing in.

use std::process::ExitCode;

use clap::Subcommand;

use super::CliError;
use crate::config::Config;

/// What an operator can do to people.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Create a person; prints the id
    CreatePerson {
        /// E-mail address, the person's name in the API
        #[arg(long)]
        email: String,
        /// Name as people say it
        #[arg(long)]
        name: String,
        /// reader, member, sre, lead or admin
        #[arg(long)]
        role: String,
        /// Slug of a team to join; created when missing
        #[arg(long)]
        team: Option<String>,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Create an API token; prints the token alone, once
    CreateToken {
        /// Whose token
        #[arg(long)]
        email: String,
        /// What it is for
        #[arg(long)]
        name: String,
        /// read, write, admin
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// Days until it expires
        #[arg(long)]
        days: Option<u16>,
    },
    /// Disable a person; ends sessions and tokens at once
    DisablePerson {
        /// Who
        #[arg(long)]
        email: String,
    },
    /// End a person's sessions and tokens at once
    EndSessions {
        /// Whose
        #[arg(long)]
        email: String,
    },
    /// Set a new password; ends sessions and tokens at once
    ResetPassword {
        /// Whose
        #[arg(long)]
        email: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

/// Runs one of them.
#[expect(clippy::unused_async, reason = "its body is still to come")]
pub async fn run(_config: &Config, command: AdminCommand) -> Result<ExitCode, CliError> {
    Err(CliError::Message(format!("not built yet: {command:?}")))
}
