//! The private Postgres of an installation without `DATABASE_URL`.
//!
//! Uses the Postgres programs installed on the machine ([`binaries`]); keeps everything in one data directory
//! ([`data_dir`]); runs as an unprivileged user ([`account`]), reachable only through a Unix socket in a directory only
//! that user may enter. One process at a time owns the data directory ([`access`]): it starts, watches, restarts and
//! stops Postgres ([`supervisor`]). A command that finds an owner is its guest and uses the running server.
//!
//! Durability is never traded for speed: fsync, full page writes, synchronous commit and checksums are on. When the
//! owner is killed, the kernel asks Postgres to stop ([`shim`]); the next owner adopts what still runs, or lets it
//! finish and starts anew ([`postmaster`]).

mod access;
mod account;
mod binaries;
mod data_dir;
mod postmaster;
pub mod shim;
mod supervisor;

use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::mpsc;
use std::time::Duration;

use sqlx::migrate::MigrateDatabase as _;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::oneshot;

use crate::problem::Problem;
use access::Access;
use data_dir::DataDir;

pub use account::Account;
pub use binaries::{Binaries, OLDEST_MAJOR};

/// Superuser and database of the private Postgres.
const NAME: &str = "plumbline";

/// What a private Postgres needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Absolute path of the data directory; created when missing.
    pub data_dir: PathBuf,
    /// `PATH`: searched for the programs of Postgres before the usual places.
    pub search_path: Vec<PathBuf>,
    /// Who is asking.
    pub purpose: Purpose,
    /// Connections Postgres allows.
    pub max_connections: u32,
    /// The `plumbline` program, run once more as the [`shim`].
    pub shim: PathBuf,
    /// How long to wait for another process that owns the data directory.
    pub patience: Duration,
}

/// Who wants the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `plumbline serve`: owns the data directory as long as it runs.
    Serve,
    /// A command: a guest of the running server, or the owner until it is done.
    Command,
}

impl Settings {
    /// Settings for this very program.
    pub fn new(data_dir: PathBuf, search_path: Vec<PathBuf>, purpose: Purpose, pool: u32) -> Self {
        Self {
            data_dir,
            search_path,
            purpose,
            // Room for commands, psql and a second pool beside the server's own.
            max_connections: pool.saturating_mul(2).max(100),
            shim: PathBuf::from("/proc/self/exe"),
            patience: Duration::from_secs(30),
        }
    }
}

/// A private Postgres that answers. Call [`Handle::stop`] when done; dropping it stops Postgres too, without waiting.
#[derive(Debug)]
pub struct Handle {
    url: String,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Owner {
        stop: mpsc::Sender<()>,
        stopped: oneshot::Receiver<()>,
    },
    /// Holds the guest lock, so that the owner waits before it stops.
    Guest {
        _lock: std::fs::File,
    },
}

/// Starts the Postgres of a data directory, or joins the one that runs there.
pub async fn start_or_join(settings: Settings) -> Result<Handle, Problem> {
    let data_dir = blocking({
        let path = settings.data_dir.clone();
        move || DataDir::open(&path)
    })
    .await?;
    let access = access::acquire(&data_dir, settings.purpose, settings.patience).await?;
    let url = data_dir.url();
    let handle = match access {
        Access::Guest(lock) => Handle { url, role: Role::Guest { _lock: lock } },
        Access::Owner(lock) => {
            let (started, start) = oneshot::channel();
            let (stop, stop_requests) = mpsc::channel();
            let (on_stopped, stopped) = oneshot::channel();
            // Its own thread, not one of a pool: Postgres is told to stop when the thread that spawned it ends.
            std::thread::Builder::new()
                .name("postgres".into())
                .spawn(move || {
                    supervisor::run(&settings, &data_dir, &lock, started, &stop_requests);
                    // Nobody listens when the handle was dropped instead of stopped.
                    let _ = on_stopped.send(());
                })
                .map_err(|error| Problem::new(format!("cannot start a thread: {error}"), "free some memory"))?;
            start.await.map_err(|_| {
                Problem::new("the thread that watches Postgres ended early", "see the log above and report it")
            })??;
            Handle { url, role: Role::Owner { stop, stopped } }
        }
    };
    handle.ensure_database().await?;
    Ok(handle)
}

impl Handle {
    /// `postgres://…` through the socket; `psql` and `pg_dump` understand it too.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same for sqlx.
    pub fn connect_options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        PgConnectOptions::from_str(&self.url)
    }

    /// True when this process started (or adopted) Postgres and stops it again.
    pub fn is_owner(&self) -> bool {
        matches!(self.role, Role::Owner { .. })
    }

    /// Stops Postgres if this process owns it; a guest only leaves. Close the connection pool first.
    pub async fn stop(self) {
        if let Role::Owner { stop, stopped } = self.role {
            // Either fails only when the thread has ended, which is what is wanted.
            let _ = stop.send(());
            let _ = stopped.await;
        }
    }

    async fn ensure_database(&self) -> Result<(), Problem> {
        let mut tries = 0;
        loop {
            let result = match sqlx::Postgres::database_exists(&self.url).await {
                Ok(true) => return Ok(()),
                Ok(false) => sqlx::Postgres::create_database(&self.url).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(()) => return Ok(()),
                // An adopted Postgres may still be going down, and two commands may create the database at once.
                Err(error) if tries < 50 => {
                    tracing::debug!(%error, "the private Postgres does not answer yet");
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => {
                    return Err(Problem::new(
                        format!("the private Postgres does not answer: {error}"),
                        "look at postgres.log in the data directory",
                    ));
                }
            }
        }
    }
}

/// What `plumbline doctor` wants to know without starting anything.
#[derive(Debug)]
pub struct Inspection {
    /// The programs that would be used.
    pub binaries: Result<Binaries, Problem>,
    /// The user Postgres would run as; `None`: the caller.
    pub account: Result<Option<Account>, Problem>,
    /// The data directory: fit for use, or why not.
    pub data_dir: Result<(), Problem>,
    /// A process owns the data directory now.
    pub owned: bool,
}

/// Looks at a data directory and the machine, changing nothing.
pub fn inspect(path: &Path, search_path: &[PathBuf]) -> Inspection {
    let account = Account::for_data_dir(path);
    let data_dir = data_dir::check(path).and_then(|()| match &account {
        Ok(Some(account)) => data_dir::check_reachable(path, account),
        _ => Ok(()),
    });
    Inspection {
        binaries: binaries::for_major(search_path, data_dir::major(path).ok().flatten()),
        account,
        data_dir,
        owned: access::is_owned(path),
    }
}

/// Runs blocking work with files beside the async workers. Keep it short: the program does not end before it has.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::new(format!("preparing Postgres failed: {error}"), "report this fault"))?
}
