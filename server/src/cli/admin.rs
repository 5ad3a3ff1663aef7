//! `plumbline admin …`: people, tokens and sessions from the machine itself, before and without signing in.

use std::io::Write as _;
use std::process::ExitCode;

use backend::accounts::people::{self, NewPerson};
use backend::accounts::teams::{self, TeamInput};
use backend::accounts::tokens::{self, NewToken};
use backend::accounts::{passwords, sessions};
use backend::{Backend, Error, Expected};
use clap::Subcommand;
use domain::{Actor, PersonId, Refusal, Role, text};

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
            let person = NewPerson { email, name, role, team, password, time_zone: None };
            say(&create_person(&backend, person).await?)
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

/// Creates a person, and the team they join when it is missing. The team comes second: when the person is refused, none
/// is left behind.
async fn create_person(backend: &Backend, mut person: NewPerson) -> Result<PersonId, Error> {
    let operator = Actor::operator();
    let mut missing_team = None;
    if let Some(slug) = &person.team {
        let slug = text::slug("team", "The team", slug)?;
        match teams::get(backend, &operator, &slug).await {
            Ok(_) => {}
            Err(Error::Refused(Refusal::NotFound { .. })) => missing_team = person.team.take(),
            Err(error) => return Err(error),
        }
    }
    let email = person.email.clone();
    let id = people::create(backend, &operator, person).await?;
    if let Some(slug) = missing_team {
        let input = TeamInput { name: slug.clone(), members: Some(vec![email]) };
        teams::put(backend, &operator, &slug, Expected::Absent, input).await?;
    }
    Ok(id)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn person(email: &str, team: &str) -> NewPerson {
        NewPerson {
            email: email.into(),
            name: "Ada".into(),
            role: Role::Sre,
            team: Some(team.into()),
            password: Some("correct horse battery staple 9".into()),
            time_zone: None,
        }
    }

    #[tokio::test]
    async fn a_team_is_made_by_its_first_member_and_joined_by_the_next() {
        let test = backend::testing::backend().await;
        for email in ["ada@example.com", "bea@example.com", "cyd@example.com"] {
            create_person(&test, person(email, "core")).await.unwrap();
        }
        let core = teams::get(&test, &Actor::operator(), "core").await.unwrap();
        let members: Vec<_> = core.members.iter().map(|member| member.email.as_str()).collect();
        assert_eq!(members, ["ada@example.com", "bea@example.com", "cyd@example.com"]);
    }

    #[tokio::test]
    async fn a_person_who_is_refused_leaves_no_team() {
        let test = backend::testing::backend().await;
        let weak = NewPerson { password: Some("short".into()), ..person("ada@example.com", "core") };
        for (refused, field) in
            [(weak, "password"), (person("nobody", "core"), "email"), (person("ada@example.com", "Core!"), "team")]
        {
            let Err(Error::Refused(refusal)) = create_person(&test, refused).await else { panic!("{field}") };
            assert!(refusal.message_for(field).is_some(), "{refusal}");
        }
        assert!(teams::get(&test, &Actor::operator(), "core").await.is_err());
        assert!(people::get(&test, &Actor::operator(), "ada@example.com").await.is_err());
    }
}
