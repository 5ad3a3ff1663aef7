//! Configuration: the environment, read and checked once, before anything else happens.
//!
//! [`Config::from_vars`] is a pure function of names and values; only [`Config::from_environment`] touches the process
//! environment. Every mistake found is reported, not only the first. Names and defaults: [`variables::VARIABLES`].

mod mail;
mod networks;
pub mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::tz::TimeZone;
use sqlx::postgres::PgConnectOptions;
use url::Url;

pub use mail::MailServer;
pub use networks::IpNetwork;
use variables::VARIABLES;

const PREFIX: &str = "PLUMBLINE_";
/// Variables with this prefix belong to the test programs, not to the product.
const TEST_PREFIX: &str = "PLUMBLINE_TEST_";

/// Everything an operator can set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database is.
    pub database: Database,
    /// Where to serve; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The address people type, when it was set. See [`Config::base_url`].
    pub configured_base_url: Option<BaseUrl>,
    /// Where to serve metrics; nowhere: nothing is counted.
    pub metrics_listen: Option<SocketAddr>,
    /// Where mail is handed in; nowhere: it is kept in the outbox.
    pub mail: Option<MailServer>,
    /// Decides what "today" is.
    pub time_zone: TimeZone,
    /// Off only for load tests.
    pub rate_limits: bool,
    /// Peers whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Networks,
    /// Networks that webhooks may call although they are not public, and over plain http.
    pub webhook_allowed_networks: Networks,
    /// Largest number of database connections.
    pub db_pool: u32,
    /// Form of the log; `None`: pretty on a terminal, JSON otherwise.
    pub log: Option<LogFormat>,
    /// `RUST_LOG`: which log lines are wanted, in the syntax of tracing's filter.
    pub log_filter: Option<String>,
    /// `PATH`, where the programs of Postgres are looked for.
    pub search_path: Vec<PathBuf>,
    /// Variables that are set and have no effect in this release.
    pub without_effect: Vec<&'static str>,
}

/// Which database is used.
#[derive(Debug, Clone)]
pub enum Database {
    /// The one `DATABASE_URL` names.
    External(Secret),
    /// A private Postgres whose files are below this directory.
    Embedded {
        /// `PLUMBLINE_DATA_DIR`.
        data_dir: PathBuf,
    },
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Pretty,
}

/// A text that is never printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Networks: none, or some.
#[derive(Debug, Clone, Default)]
pub struct Networks(Vec<IpNetwork>);

impl Networks {
    /// Is this address in one of them?
    pub fn contains(&self, peer: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(peer))
    }
}

/// The origin people reach the product under: scheme, host and port, without a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// As a browser writes it in `Origin`: no trailing slash, no default port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Cookies may be `Secure` and HSTS may be sent.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The address itself, ending in `/`.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|error| format!("\"{text}\" is not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("it must start with http:// or https://".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it must not contain a user name or password".into());
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("it must be scheme, host and port only: Plumbline is served from the root of its host".into());
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

/// All mistakes found in the configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has {}:\n  - {}", count(.0.len()), .0.join("\n  - "))]
pub struct ConfigErrors(pub Vec<String>);

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "a mistake".into() } else { format!("{mistakes} mistakes") }
}

impl Config {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn from_environment() -> Result<Self, ConfigErrors> {
        let mut broken = Vec::new();
        let mut vars = Vec::new();
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => vars.push((name, value)),
                (Ok(name), Err(_)) if is_ours(&name) => broken.push(format!("{name} is not valid UTF-8")),
                _ => {}
            }
        }
        match Self::from_vars(vars, |path| std::fs::read_to_string(path)) {
            Err(ConfigErrors(more)) => Err(ConfigErrors([broken, more].concat())),
            Ok(_) if !broken.is_empty() => Err(ConfigErrors(broken)),
            Ok(config) => Ok(config),
        }
    }

    /// Parses names and values. `read_file` fetches the text of `*_FILE` secrets.
    pub fn from_vars(
        vars: impl IntoIterator<Item = (String, String)>,
        read_file: impl Fn(&Path) -> std::io::Result<String>,
    ) -> Result<Self, ConfigErrors> {
        let mut reader = Reader { vars: vars.into_iter().collect(), errors: Vec::new() };
        reader.refuse_unknown();
        reader.load_files(read_file);
        let database = reader.database();
        let listen = reader
            .parsed("PLUMBLINE_LISTEN", parse_listen)
            .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)));
        let config = Self {
            database,
            listen,
            configured_base_url: reader.parsed("PLUMBLINE_BASE_URL", BaseUrl::from_str),
            metrics_listen: reader.parsed("PLUMBLINE_METRICS_LISTEN", parse_metrics).flatten(),
            mail: MailServer::read(&mut reader),
            time_zone: reader.parsed("PLUMBLINE_TIME_ZONE", parse_time_zone).unwrap_or(TimeZone::UTC),
            rate_limits: reader.parsed("PLUMBLINE_RATE_LIMITS", parse_switch).unwrap_or(true),
            trusted_proxies: reader.parsed("PLUMBLINE_TRUSTED_PROXIES", parse_networks).unwrap_or_default(),
            webhook_allowed_networks: reader
                .parsed("PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS", parse_networks)
                .unwrap_or_default(),
            db_pool: reader.parsed("PLUMBLINE_DB_POOL", parse_pool).unwrap_or(16),
            log: reader.parsed("PLUMBLINE_LOG", parse_log),
            log_filter: reader.value("RUST_LOG"),
            search_path: reader
                .value("PATH")
                .map(|path| std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect())
                .unwrap_or_default(),
            without_effect: reader.without_effect(),
        };
        if reader.errors.is_empty() { Ok(config) } else { Err(ConfigErrors(reader.errors)) }
    }

    /// The address people type: the configured one, else where the server listens.
    pub fn base_url(&self, listening: SocketAddr) -> BaseUrl {
        if let Some(url) = &self.configured_base_url {
            return url.clone();
        }
        let mut url = Url::parse("http://localhost").unwrap_or_else(|_| unreachable!("a constant URL parses"));
        // Both calls fail only for URLs without a host.
        if !listening.ip().is_unspecified() {
            let _ = url.set_ip_host(listening.ip());
        }
        let _ = url.set_port(Some(listening.port()));
        BaseUrl(url)
    }
}

/// Is a broken value of this name worth a complaint?
fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX) || name == "DATABASE_URL" || name == "DATABASE_URL_FILE"
}

/// The values while they are being parsed, with the mistakes found so far.
struct Reader {
    vars: BTreeMap<String, String>,
    errors: Vec<String>,
}

impl Reader {
    fn refuse_unknown(&mut self) {
        for name in self.vars.keys().filter(|name| name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX)) {
            let known = VARIABLES.iter().any(|variable| {
                name == variable.name || (variable.secret && name.strip_suffix("_FILE") == Some(variable.name))
            });
            if !known {
                let hint = variables::nearest(name)
                    .map_or_else(|| "see `plumbline serve --help`".into(), |near| format!("did you mean {near}?"));
                self.errors.push(format!("{name} is not a known variable; {hint}"));
            }
        }
    }

    fn load_files(&mut self, read_file: impl Fn(&Path) -> std::io::Result<String>) {
        for variable in VARIABLES.iter().filter(|variable| variable.secret) {
            let file_name = format!("{}_FILE", variable.name);
            let Some(path) = self.value(&file_name) else { continue };
            if self.value(variable.name).is_some() {
                self.errors.push(format!("{} and {file_name} are both set; keep one", variable.name));
                continue;
            }
            match read_file(Path::new(&path)) {
                // Editors and `echo` end a file with a line break that is no part of the secret.
                Ok(text) => {
                    self.vars.insert(variable.name.to_owned(), text.trim_end_matches(['\r', '\n']).to_owned());
                }
                Err(error) => self.errors.push(format!("{file_name}: cannot read {path}: {error}")),
            }
        }
    }

    /// Checks the variables that this release does not use yet like the others, so that the next one starts with them.
    fn without_effect(&mut self) -> Vec<&'static str> {
        let unused = VARIABLES.iter().filter(|variable| !variable.used).map(|variable| variable.name);
        unused
            .filter(|name| match *name {
                "PLUMBLINE_OIDC_ISSUER" => self.parsed(name, parse_issuer).is_some(),
                name => self.value(name).is_some(),
            })
            .collect()
    }

    /// The value of a variable; empty counts as absent.
    fn value(&self, name: &str) -> Option<String> {
        self.vars.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match parse(self.value(name)?.trim()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(format!("{name}: {error}"));
                None
            }
        }
    }

    fn database(&mut self) -> Database {
        if let Some(url) = self.parsed("DATABASE_URL", parse_database_url) {
            return Database::External(url);
        }
        let data_dir = self.value("PLUMBLINE_DATA_DIR").map_or_else(|| self.default_data_dir(), PathBuf::from);
        // Postgres changes its directory: every path must be absolute before it is handed on.
        Database::Embedded { data_dir: std::path::absolute(&data_dir).unwrap_or(data_dir) }
    }

    fn default_data_dir(&self) -> PathBuf {
        if rustix::process::geteuid().is_root() {
            // The home of root is closed to the unprivileged user Postgres runs as.
            return PathBuf::from("/var/lib/plumbline");
        }
        let absolute = |name| self.value(name).map(PathBuf::from).filter(|path| path.is_absolute());
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .map_or_else(|| PathBuf::from("plumbline-data"), |base| base.join("plumbline"))
    }
}

fn parse_database_url(text: &str) -> Result<Secret, String> {
    // The parser's own message could repeat the password.
    let scheme = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if !scheme || PgConnectOptions::from_str(text).is_err() {
        return Err("not a Postgres address like postgres://user:password@host:5432/database".into());
    }
    Ok(Secret(text.to_owned()))
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    numeric.parse().map_err(|_| format!("\"{text}\" is not an address and port like 127.0.0.1:3000 or [::]:3000"))
}

fn parse_metrics(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" { Ok(None) } else { parse_listen(text).map(Some) }
}

fn parse_issuer(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    url.ok_or_else(|| format!("\"{text}\" is not an issuer like https://id.example.com"))
}

fn parse_time_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| format!("\"{text}\" is not an IANA time zone like Europe/Berlin"))
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("\"{text}\" is neither on nor off")),
    }
}

fn parse_networks(text: &str) -> Result<Networks, String> {
    if text == "none" {
        return Ok(Networks::default());
    }
    text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Networks)
}

fn parse_pool(text: &str) -> Result<u32, String> {
    // One connection listens for notifications, so one alone could never serve a page.
    text.parse()
        .ok()
        .filter(|size| (2..=1000).contains(size))
        .ok_or_else(|| format!("\"{text}\" is not a number from 2 to 1000"))
}

fn parse_log(text: &str) -> Result<LogFormat, String> {
    match text {
        "json" => Ok(LogFormat::Json),
        "pretty" => Ok(LogFormat::Pretty),
        _ => Err(format!("\"{text}\" is neither json nor pretty")),
    }
}

#[cfg(test)]
mod tests;
