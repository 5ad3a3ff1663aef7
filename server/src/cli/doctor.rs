//! `plumbline doctor`: looks at an installation and explains each problem and its mend.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use backend::{Clock as _, SystemClock, application_role, events};
use sqlx::PgConnection;

use super::CliError;
use crate::config::{Config, Database as Where};
use crate::database::{self, Database};
use crate::embedded_postgres::{self, OLDEST_MAJOR, Purpose};
use crate::problem::Problem;

/// Less free space than this beside the database is a problem.
const LEAST_FREE_MIB: u64 = 1024;
/// Sessions, tokens and deadlines are compared with times the application writes.
const LARGEST_SKEW_SECONDS: f64 = 2.0;
/// Connections Postgres keeps for superusers, other commands and monitoring.
const SPARE_CONNECTIONS: i64 = 10;
/// What the schema uses.
const EXTENSIONS: [&str; 4] = ["btree_gist", "citext", "pg_trgm", "unaccent"];
const PATIENCE: Duration = Duration::from_secs(5);

/// One thing looked at.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// As it should be.
    Good(String),
    /// Works, but not as it should in production.
    Warning(Problem),
    /// Must be mended.
    Bad(Problem),
}

/// Runs it. The exit code is 1 when something must be mended.
pub async fn run(config: &Config) -> Result<ExitCode, CliError> {
    let mut findings = vec![check_base_url(config), check_mail(config)];
    let mut usable = true;
    if let Where::Embedded { data_dir } = &config.database {
        findings.extend(check_machine(config, data_dir));
        usable = !findings.iter().any(|finding| matches!(finding, Finding::Bad(_)));
    }
    if usable {
        findings.extend(check_database(config).await);
    }
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        match finding {
            Finding::Good(text) => writeln!(out, "ok       {text}")?,
            Finding::Warning(problem) => writeln!(out, "warning  {problem}")?,
            Finding::Bad(problem) => writeln!(out, "PROBLEM  {problem}")?,
        }
    }
    let bad = findings.iter().filter(|finding| matches!(finding, Finding::Bad(_))).count();
    writeln!(out, "{}", if bad == 0 { "Plumbline can run here.".into() } else { format!("{bad} to mend.") })?;
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_base_url(config: &Config) -> Finding {
    let base_url = config.base_url(config.listen);
    if base_url.is_https() {
        return Finding::Good(format!("people reach it under {base_url}; cookies are __Host- and Secure"));
    }
    Finding::Warning(Problem::new(
        format!("the base URL is {base_url}: over http the session cookie is neither Secure nor __Host-"),
        "fine on your own machine; otherwise put a TLS proxy in front and set PLUMBLINE_BASE_URL=https://…",
    ))
}

fn check_mail(config: &Config) -> Finding {
    match &config.mail {
        Some(server) => Finding::Good(format!("mail is sent by {}", server.from)),
        None => Finding::Warning(Problem::new(
            "no mail is sent: it can be read under Admin → Outbox",
            "set PLUMBLINE_SMTP_URL and PLUMBLINE_MAIL_FROM, if people shall get it",
        )),
    }
}

/// The private Postgres, before it is started.
fn check_machine(config: &Config, data_dir: &Path) -> Vec<Finding> {
    let inspection = embedded_postgres::inspect(data_dir, &config.search_path);
    let dir = data_dir.display();
    let mut findings = vec![match inspection.binaries {
        Ok(binaries) => Finding::Good(format!("Postgres {} in {}", binaries.major, binaries.dir.display())),
        Err(problem) => Finding::Bad(problem),
    }];
    findings.push(match inspection.account {
        Ok(None) => Finding::Good("Postgres runs as you".into()),
        Ok(Some(account)) => Finding::Good(format!("Postgres runs as user {}, not as root", account.name)),
        Err(problem) => Finding::Bad(problem),
    });
    let used = if inspection.owned { "in use by a running plumbline" } else { "not in use" };
    findings.push(match inspection.data_dir {
        Ok(()) => Finding::Good(format!("data directory {dir}, {used}")),
        Err(problem) => Finding::Bad(problem),
    });
    findings.extend(check_disk(data_dir));
    findings
}

fn check_disk(data_dir: &Path) -> Option<Finding> {
    let existing = data_dir.ancestors().find(|dir| dir.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize) / (1024 * 1024);
    Some(if free >= LEAST_FREE_MIB {
        Finding::Good(format!("{free} MiB free on the disk of the database"))
    } else {
        Finding::Bad(Problem::new(
            format!("only {free} MiB are free on the disk of {}", data_dir.display()),
            "free some space: a full disk stops Postgres, though it loses nothing",
        ))
    })
}

async fn check_database(config: &Config) -> Vec<Finding> {
    let database = match Database::open(config, Purpose::Command).await {
        Ok(database) => database,
        Err(problem) => return vec![Finding::Bad(problem)],
    };
    let looked = match tokio::time::timeout(PATIENCE, database.pool().acquire()).await {
        Ok(Ok(mut connection)) => look_inside(&mut connection, config.db_pool).await,
        Ok(Err(error)) => Err(error),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    };
    database.close().await;
    looked.unwrap_or_else(|error| {
        vec![Finding::Bad(Problem::new(
            format!("the database does not answer: {error}"),
            "check DATABASE_URL, that Postgres runs, and that its pg_hba.conf lets this machine in",
        ))]
    })
}

async fn look_inside(connection: &mut PgConnection, pool: u32) -> Result<Vec<Finding>, sqlx::Error> {
    let facts = backend::database_facts::read(connection, SystemClock.now()).await?;

    let oldest = i32::try_from(OLDEST_MAJOR * 10_000).unwrap_or(i32::MAX);
    let mut findings = vec![if facts.version_number >= oldest {
        Finding::Good(format!("the database is Postgres {}", facts.version))
    } else {
        Finding::Bad(Problem::new(
            format!("the database is Postgres {}, Plumbline needs {OLDEST_MAJOR} or newer", facts.version),
            "upgrade it with pg_upgrade, or dump and restore into a newer one",
        ))
    }];
    let missing: Vec<_> =
        EXTENSIONS.into_iter().filter(|name| facts.extensions.iter().all(|have| have != name)).collect();
    if !missing.is_empty() {
        findings.push(Finding::Bad(Problem::new(
            format!("Postgres lacks the extensions {}", missing.join(", ")),
            "install its contrib package (Debian: part of postgresql; Red Hat: postgresql-contrib)",
        )));
    }
    if facts.encoding != "UTF8" {
        findings.push(Finding::Bad(Problem::new(
            format!("the database's encoding is {}", facts.encoding),
            "create it with encoding 'UTF8' template template0",
        )));
    }
    findings.push(check_durability(&facts.fsync));
    findings.push(check_clock(facts.skew_seconds));
    findings.push(check_pool(i64::from(pool), facts.max_connections));
    let missing = database::missing_migration(connection).await;
    if matches!(missing, Ok(None)) {
        findings.push(check_role(&facts.role, &facts.user));
        if events::came_from_elsewhere(connection).await.unwrap_or(false) {
            findings.push(Finding::Bad(Problem::new(
                "the events were restored from another Postgres, which numbered its transactions otherwise: live pages \
                 and readers of /api/v1/events miss some",
                "as the owner: begin; alter table events disable trigger events_append_only; update events set \
                 position = '0'; alter table events enable trigger events_append_only; commit",
            )));
        }
    }
    findings.push(match missing {
        Ok(None) => Finding::Good("the schema is this version's".into()),
        // `serve` and `migrate` create what is missing, from nothing too.
        Ok(Some(_)) | Err(_) => Finding::Warning(Problem::new(
            "the schema is not this version's yet",
            "run plumbline migrate; plumbline serve does the same",
        )),
    });
    Ok(findings)
}

fn check_role(role: &str, user: &str) -> Finding {
    let wanted = application_role::NAME;
    if role == wanted {
        return Finding::Good(format!("what happened cannot be changed: the application works as {wanted}"));
    }
    Finding::Warning(Problem::new(
        format!("the application owns the record of what happened and could change it: {user} may not become {wanted}"),
        format!(
            "as a superuser: create role {wanted} nologin (if there is none); grant {wanted} to \"{user}\"; then run \
             plumbline migrate and restart"
        ),
    ))
}

fn check_durability(fsync: &str) -> Finding {
    if fsync == "on" {
        return Finding::Good("what is saved survives a power failure (fsync is on)".into());
    }
    Finding::Bad(Problem::new(
        "Postgres runs with fsync off: a power failure destroys the database",
        "alter system set fsync = on; then select pg_reload_conf()",
    ))
}

fn check_clock(skew_seconds: f64) -> Finding {
    if skew_seconds.abs() <= LARGEST_SKEW_SECONDS {
        return Finding::Good("the clocks of this machine and the database agree".into());
    }
    Finding::Bad(Problem::new(
        format!("the database's clock is {skew_seconds:+.0} s off this machine's"),
        "run a time service (chrony, systemd-timesyncd) on both",
    ))
}

fn check_pool(pool: i64, max_connections: i64) -> Finding {
    if pool + SPARE_CONNECTIONS <= max_connections {
        return Finding::Good(format!("{pool} connections of the {max_connections} Postgres allows"));
    }
    Finding::Warning(Problem::new(
        format!("PLUMBLINE_DB_POOL is {pool}, Postgres allows {max_connections} connections in all"),
        "lower PLUMBLINE_DB_POOL or raise max_connections; every server process has a pool of its own",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Config {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_vars(vars, |_| Err(std::io::ErrorKind::NotFound.into())).unwrap()
    }

    #[test]
    fn plain_http_is_a_warning_and_says_what_it_costs() {
        let Finding::Warning(problem) = check_base_url(&config(&[])) else { panic!("no warning") };
        assert!(problem.what.contains("__Host-"), "{problem}");
        let secure = check_base_url(&config(&[("PLUMBLINE_BASE_URL", "https://plumbline.example")]));
        assert!(matches!(secure, Finding::Good(_)));
    }

    #[test]
    fn limits_are_what_the_text_says() {
        assert!(matches!(check_clock(1.9), Finding::Good(_)));
        assert!(matches!(check_clock(-3.0), Finding::Bad(problem) if problem.what.contains("-3 s")));
        assert!(matches!(check_pool(90, 100), Finding::Good(_)));
        assert!(matches!(check_pool(91, 100), Finding::Warning(_)));
        assert!(matches!(check_durability("off"), Finding::Bad(_)));
        assert!(matches!(check_role("plumbline_application", "postgres"), Finding::Good(_)));
        assert!(matches!(check_role("app", "app"), Finding::Warning(problem) if problem.mend.contains("grant")));
    }

    #[test]
    fn a_foreign_data_directory_is_a_problem() {
        let findings = check_machine(&config(&[]), Path::new("/usr"));
        assert!(findings.iter().any(|finding| matches!(finding, Finding::Bad(_))), "{findings:?}");
    }

    #[tokio::test]
    async fn a_database_that_does_not_answer_is_a_problem_with_a_mend() {
        let config = config(&[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")]);
        let findings = check_database(&config).await;
        assert!(
            matches!(&findings[..], [Finding::Bad(problem)] if problem.mend.contains("DATABASE_URL")),
            "{findings:?}"
        );
    }
}
