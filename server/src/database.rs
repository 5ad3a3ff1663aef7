//! Getting a database: the external one or the private Postgres, a pool on it, its schema brought up to date.

use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backend::application_role;
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
    /// When this process brought the schema up to date.
    migrated: Arc<OnceLock<Instant>>,
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
            // Every statement here is short: compiling one takes longer than running it.
            ("jit", "off"),
        ];
        let migrated = Arc::new(OnceLock::<Instant>::new());
        let since = Arc::clone(&migrated);
        let pool = PgPoolOptions::new()
            .max_connections(config.db_pool)
            .min_connections(2)
            .acquire_timeout(ACQUIRE_PATIENCE)
            .after_connect(|connection, _| Box::pin(async { application_role::enter(connection).await.map(drop) }))
            // A connection from before the migration may not have found the role yet.
            .before_acquire(move |_, connection| {
                let usable = since.get().is_none_or(|migrated| connection.age < migrated.elapsed());
                Box::pin(std::future::ready(Ok(usable)))
            })
            .connect_lazy_with(options.clone().options(limits));
        Ok(Self { options, pool, embedded, migrated })
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
            let result = bring_up_to_date(&mut connection).await;
            // Closing also gives the advisory lock back after a failure.
            let closed = connection.close().await;
            match result {
                Err(error) if is_lock_timeout(&error) && began.elapsed() < MIGRATE_PATIENCE => {
                    tracing::info!("waiting for another process that is migrating");
                }
                Err(error) => return Err(error),
                Ok(()) => {
                    // Only the first time matters: the role is there from then on.
                    let _ = self.migrated.set(Instant::now());
                    return Ok(closed?);
                }
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

/// Runs the migrations, then sees to what the application may do with the tables.
async fn bring_up_to_date(connection: &mut PgConnection) -> Result<(), MigrateError> {
    backend::MIGRATOR.run(&mut *connection).await?;
    connection.lock().await?;
    application_role::prepare(connection).await?;
    connection.unlock().await
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
