//! The table of environment variables: what exists, its default, what it means.
//!
//! `plumbline serve --help` prints it, an unknown `PLUMBLINE_*` name is compared with it.

use std::fmt::Write as _;

/// One environment variable Plumbline reads.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its default as a person reads it.
    pub default: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// May be given as a file instead: `NAME_FILE=/path`.
    pub secret: bool,
    /// False: the value is checked, but this release does nothing with it yet.
    pub used: bool,
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable { name, default, meaning, secret: false, used: true }
}

/// Every variable, in the order of the help text.
pub const VARIABLES: &[Variable] = &[
    Variable {
        secret: true,
        ..variable(
            "DATABASE_URL",
            "none: a private Postgres in PLUMBLINE_DATA_DIR",
            "a Postgres 15 or newer, postgres://user:password@host/database",
        )
    },
    variable(
        "PLUMBLINE_DATA_DIR",
        "$XDG_DATA_HOME/plumbline; as root /var/lib/plumbline",
        "where the private Postgres keeps its data",
    ),
    variable("PLUMBLINE_LISTEN", "127.0.0.1:3000", "address and port to serve on; port 0 picks a free one"),
    variable(
        "PLUMBLINE_BASE_URL",
        "http://<PLUMBLINE_LISTEN>",
        "the address people type; with https the session cookie is Secure and __Host-",
    ),
    variable("PLUMBLINE_METRICS_LISTEN", "off", "address and port that answer GET /metrics for Prometheus"),
    variable("PLUMBLINE_TIME_ZONE", "UTC", "IANA time zone that decides what \"today\" is"),
    variable("PLUMBLINE_RATE_LIMITS", "on", "on or off; off is for load tests only"),
    variable(
        "PLUMBLINE_TRUSTED_PROXIES",
        "none",
        "addresses or networks (10.0.0.0/8, ::1), comma separated, whose X-Forwarded-* headers are believed",
    ),
    variable(
        "PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS",
        "none: public addresses only, over https",
        "networks (10.20.0.0/16, ::1), comma separated, that webhooks may call too, also over http",
    ),
    variable("PLUMBLINE_DB_POOL", "16", "largest number of database connections, 2 to 1000"),
    Variable {
        secret: true,
        ..variable(
            "PLUMBLINE_SMTP_URL",
            "none: mail is kept in the outbox view",
            "mail server, smtps://user:pass@host, or smtp:// with STARTTLS (without only to this machine)",
        )
    },
    variable("PLUMBLINE_MAIL_FROM", "none", "sender of mail, such as Plumbline <plumbline@example.com>"),
    Variable { used: false, ..variable("PLUMBLINE_OIDC_ISSUER", "none", "OpenID Connect issuer URL") },
    Variable { used: false, ..variable("PLUMBLINE_OIDC_CLIENT_ID", "none", "OpenID Connect client id") },
    Variable {
        secret: true,
        used: false,
        ..variable("PLUMBLINE_OIDC_CLIENT_SECRET", "none", "OpenID Connect client secret")
    },
    variable("PLUMBLINE_LOG", "json; pretty on a terminal", "json or pretty: the form of the log on standard error"),
];

/// The variables with defaults and meanings, for `--help`.
pub fn help() -> String {
    let mut text = String::from("Environment (secrets also as NAME_FILE=/path/to/file):\n");
    for variable in VARIABLES {
        let file = if variable.secret { " (or _FILE)" } else { "" };
        let unused = if variable.used { "" } else { " (no effect yet in this release)" };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {}{file}\n      {}{unused}\n      default: {}",
            variable.name, variable.meaning, variable.default
        );
    }
    text
}

/// The known name nearest to `name`, when it is near enough to be what was meant.
pub fn nearest(name: &str) -> Option<String> {
    VARIABLES
        .iter()
        .flat_map(|variable| {
            let file = variable.secret.then(|| format!("{}_FILE", variable.name));
            std::iter::once(variable.name.to_owned()).chain(file)
        })
        .map(|known| (edit_distance(name, &known), known))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= known.len() / 3)
        .map(|(_, known)| known)
}

/// Levenshtein distance in bytes: enough for ASCII names of a few dozen letters.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut current = vec![i + 1];
        for (j, y) in b.bytes().enumerate() {
            let replaced = previous[j] + usize::from(x != y);
            current.push(replaced.min(previous[j + 1] + 1).min(current[j] + 1));
        }
        previous = current;
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_name_that_was_meant() {
        assert_eq!(nearest("PLUMBLINE_LISTN").as_deref(), Some("PLUMBLINE_LISTEN"));
        assert_eq!(nearest("PLUMBLINE_DB_POOL_SIZE").as_deref(), Some("PLUMBLINE_DB_POOL"));
        assert_eq!(nearest("PLUMBLINE_SOMETHING_ELSE_ENTIRELY"), None);
    }

    #[test]
    fn help_names_every_variable() {
        let help = help();
        for variable in VARIABLES {
            assert!(help.contains(variable.name), "{} is missing from the help", variable.name);
        }
    }
}
