//! `plumbline admin …`: people, tokens and sessions from the machine itself, before and without signing in.

use std::io::Write as _;
use std::process::ExitCode;

use backend::accounts::people::{self, NewPerson};
use backend::accounts::teams::{self, TeamInput};
use backend::accounts::tokens::{self, NewToken};
use backend::accounts::{passwords, sessions};
use backend::{Backend, Error, Expected};
use clap::Subcommand;
use domain::{Actor, Refusal, Role};

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

/// Runs one of them, in the name of the operator.
pub async fn run(config: &Config, command: AdminCommand) -> Result<ExitCode, CliError> {
    super::with_backend(config, async |backend| match command {
        AdminCommand::CreatePerson { email, name, role, team, password_stdin: _ } => {
            let role = Role::parse(&role)
                .ok_or_else(|| CliError::Message("the role is reader, member, sre, lead or admin".to_owned()))?;
            let password = Some(read_password()?);
            let team = match team {
                Some(slug) => Some(existing_team(&backend, slug).await?),
                None => None,
            };
            let person = NewPerson { email, name, role, team, password, time_zone: None };
            say(&people::create(&backend, &Actor::operator(), person).await?)
        }
        AdminCommand::CreateToken { email, name, scopes, days } => {
            let token = NewToken { name, scopes, days: days.map(i64::from) };
            say(&tokens::create(&backend, &Actor::operator(), &email, token).await?)
        }
        AdminCommand::DisablePerson { email } => Ok(people::disable(&backend, &Actor::operator(), &email).await?),
        AdminCommand::EndSessions { email } => Ok(sessions::end_all_of(&backend, &Actor::operator(), &email).await?),
        AdminCommand::ResetPassword { email, password_stdin: _ } => {
            let password = read_password()?;
            Ok(passwords::reset(&backend, &Actor::operator(), &email, &password).await?)
        }
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// The team with this slug, made when it is missing.
async fn existing_team(backend: &Backend, slug: String) -> Result<String, CliError> {
    let input = TeamInput { name: slug.clone(), members: None };
    match teams::put(backend, &Actor::operator(), &slug, Expected::Absent, input).await {
        Ok(_) | Err(Error::Refused(Refusal::Conflict { .. })) => Ok(slug),
        Err(error) => Err(error.into()),
    }
}

/// The first line of standard input.
fn read_password() -> Result<String, CliError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(CliError::Message("standard input holds no password".to_owned()));
    }
    Ok(password.to_owned())
}

/// The command's only output.
fn say(answer: &dyn std::fmt::Display) -> Result<(), CliError> {
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}
