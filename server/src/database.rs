//! Getting a database: the external one or the private Postgres, a pool on it, its schema brought up to date.

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use sqlx::migrate::{Migrate as _, MigrateError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};

use crate::config::{self, Config};
use crate::embedded_postgres::{self, Handle, Purpose, Settings};
use crate::problem::Problem;

/// A request that cannot have a connection in this time is told to come back later.
const ACQUIRE_PATIENCE: Duration = Duration::from_secs(3);
/// How long to wait for another process that is migrating, or for a table that is locked.
const MIGRATE_PATIENCE: Duration = Duration::from_mins(1);
/// How long to wait for connections that are in use when everything stops.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);
/// Where sqlx keeps what it has applied.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";
/// `lock_not_available`
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// A database that can be used, and the Postgres behind it when it is ours.
#[derive(Debug)]
pub struct Database {
    options: PgConnectOptions,
    pool: PgPool,
    embedded: Option<Handle>,
}

impl Database {
    /// Finds the database as the configuration says; starts the private Postgres when needed. The pool connects when
    /// first used: an external database may be down at this moment.
    pub async fn open(config: &Config, purpose: Purpose) -> Result<Self, Problem> {
        let (url, embedded) = match &config.database {
            config::Database::External(url) => (url.expose().to_owned(), None),
            config::Database::Embedded { data_dir } => {
                let settings = Settings::new(data_dir.clone(), config.search_path.clone(), purpose, config.db_pool);
                let handle = embedded_postgres::start_or_join(settings).await?;
                (handle.url().to_owned(), Some(handle))
            }
        };
        let options = PgConnectOptions::from_str(&url)
            .map_err(|_| Problem::new("DATABASE_URL is not a Postgres address", "see `plumbline serve --help`"))?
            .application_name("plumbline");
        let limits = [
            ("statement_timeout", "5s"),
            ("lock_timeout", "2s"),
            ("idle_in_transaction_session_timeout", "10s"),
            ("timezone", "UTC"),
        ];
        let pool = PgPoolOptions::new()
            .max_connections(config.db_pool)
            .min_connections(2)
            .acquire_timeout(ACQUIRE_PATIENCE)
            .connect_lazy_with(options.clone().options(limits));
        Ok(Self { options, pool, embedded })
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Brings the schema up to date. Processes that start together do it one after the other, under an advisory lock.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        let began = Instant::now();
        // Its own connection: building an index may take longer than a request may.
        let options = self.options.clone().options([("lock_timeout", "5s"), ("timezone", "UTC")]);
        loop {
            let mut connection = options.connect().await?;
            let result = backend::MIGRATOR.run(&mut connection).await;
            // Closing also gives the advisory lock back after a failure.
            let closed = connection.close().await;
            match result {
                Err(error) if is_lock_timeout(&error) && began.elapsed() < MIGRATE_PATIENCE => {
                    tracing::info!("waiting for another process that is migrating");
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(closed?),
            }
        }
    }

    /// Closes the pool, then stops the private Postgres if this process owns it.
    pub async fn close(self) {
        // Somebody may still hold a connection when the stop was forced; Postgres ends that one itself.
        let _ = tokio::time::timeout(CLOSE_PATIENCE, self.pool.close()).await;
        if let Some(handle) = self.embedded {
            handle.stop().await;
        }
    }
}

/// The newest migration this program has that the database lacks; `None`: the schema is current.
pub async fn missing_migration(connection: &mut PgConnection) -> Result<Option<i64>, MigrateError> {
    let applied = connection.list_applied_migrations(MIGRATIONS_TABLE).await?;
    let missing = backend::MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .filter(|version| applied.iter().all(|migration| migration.version != *version));
    Ok(missing.max())
}

/// What to do about a migration that failed.
pub fn explain(error: &MigrateError) -> Problem {
    let mend = match error {
        MigrateError::VersionMissing(_) => {
            "the database was migrated by a newer Plumbline: run that version, or restore a backup made before"
        }
        MigrateError::VersionMismatch(_) => {
            "the migration was changed after it had been applied: run an unchanged release of Plumbline"
        }
        MigrateError::Dirty(_) => "a migration stopped half way: restore the backup made before it",
        _ => "check that the database is reachable and that its user may create tables and extensions",
    };
    Problem::new(format!("the schema cannot be brought up to date: {error}"), mend)
}

fn is_lock_timeout(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some(LOCK_NOT_AVAILABLE)
}

/// The database is down or still starting, as opposed to refusing what was asked.
pub fn is_unreachable(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::Tls(_) => true,
        // admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("57P01" | "57P02" | "57P03" | "53300"))
        }
        _ => false,
    }
}
