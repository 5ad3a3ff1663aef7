//! Databases and people for tests: every test gets its own database, cloned from a template that is migrated once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Actor, Role, Scopes};
use jiff::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};

use crate::{Backend, Entropy, FixedClock, application_role};

/// The instant at which every test begins: a Monday morning in winter.
pub const BEGINNING: &str = "2026-11-02T09:00:00Z";

/// A backend on a database of its own, with a clock that the test moves.
pub struct TestBackend {
    /// The backend.
    pub backend: Backend,
    /// Its clock.
    pub clock: Arc<FixedClock>,
}

impl std::ops::Deref for TestBackend {
    type Target = Backend;

    fn deref(&self) -> &Backend {
        &self.backend
    }
}

/// Random bytes that are the same in every run.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU32);

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(4) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(2_654_435_761);
            chunk.copy_from_slice(&number.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A fresh backend. Needs `PLUMBLINE_TEST_DATABASE_URL`, which `cargo xtask test` sets.
///
/// # Panics
/// When the database cannot be reached.
#[expect(clippy::unwrap_used, reason = "a test may panic")]
pub async fn backend() -> TestBackend {
    let clock = Arc::new(FixedClock::at(BEGINNING.parse::<Timestamp>().unwrap()));
    let backend = Backend::new(pool().await, clock.clone(), Arc::new(CountingEntropy::default()));
    TestBackend { backend, clock }
}

/// A connection pool on a database of its own.
///
/// # Panics
/// When the database cannot be reached.
#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test may panic; its database comes from the environment"
)]
pub async fn pool() -> PgPool {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("PLUMBLINE_TEST_DATABASE_URL")
        .expect("PLUMBLINE_TEST_DATABASE_URL is not set: run the tests with `cargo xtask test`");
    let options: PgConnectOptions = url.parse().unwrap();
    let template = migrated_template(&options).await;
    let name = format!("plumbline_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    connection.execute(AssertSqlSafe(format!("drop database if exists {name}"))).await.unwrap();
    connection.execute(AssertSqlSafe(format!("create database {name} template {template}"))).await.unwrap();
    PgPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| Box::pin(async { application_role::enter(connection).await.map(drop) }))
        // As in production: nobody waits for ever.
        .connect_with(options.database(&name).options([("lock_timeout", "2s")]))
        .await
        .unwrap()
}

/// A connection to the same database as its owner: for what the application itself may not do.
///
/// # Panics
/// When the database cannot be reached.
#[expect(clippy::unwrap_used, reason = "a test may panic")]
pub async fn owner(backend: &Backend) -> PgConnection {
    PgConnection::connect_with(&backend.pool().connect_options()).await.unwrap()
}

/// The name of the template with these very migrations; made by whichever test process comes first.
#[expect(clippy::unwrap_used, reason = "a test may panic")]
async fn migrated_template(options: &PgConnectOptions) -> String {
    let mut checksum = 0_u64;
    for byte in crate::MIGRATOR.iter().flat_map(|migration| migration.checksum.iter()) {
        checksum = checksum.wrapping_mul(1_099_511_628_211) ^ u64::from(*byte);
    }
    let name = format!("plumbline_template_{checksum:016x}");
    let mut connection = PgConnection::connect_with(options).await.unwrap();
    connection.execute("select pg_advisory_lock(4211)").await.unwrap();
    let exists = connection
        .fetch_optional(AssertSqlSafe(format!("select 1 from pg_database where datname = '{name}' and datallowconn")))
        .await
        .unwrap();
    if exists.is_none() {
        let unfinished = format!("{name}_unfinished");
        connection.execute(AssertSqlSafe(format!("drop database if exists {unfinished}"))).await.unwrap();
        connection.execute(AssertSqlSafe(format!("create database {unfinished}"))).await.unwrap();
        let mut fresh = PgConnection::connect_with(&options.clone().database(&unfinished)).await.unwrap();
        crate::MIGRATOR.run(&mut fresh).await.unwrap();
        fresh.close().await.unwrap();
        connection.execute(AssertSqlSafe(format!("alter database {unfinished} rename to {name}"))).await.unwrap();
    }
    connection.execute("select pg_advisory_unlock(4211)").await.unwrap();
    name
}

/// Somebody to act as, without rows in the database: for use cases that read nothing of the person.
pub fn actor(id: i64, role: Role) -> Actor {
    Actor {
        id,
        email: format!("{}{id}@example.com", role.as_str()),
        name: format!("{} {id}", role.label()),
        role,
        teams: Vec::new(),
        scopes: Scopes::ALL,
        time_zone: "UTC".to_owned(),
    }
}

/// Adds a person named `name` (address `<first name>@example.com`) with `role` and, if given, a team by slug that is
/// made when it is missing. The person has no password.
///
/// # Panics
/// When the address is taken.
#[expect(clippy::unwrap_used, reason = "a test may panic")]
pub async fn person(backend: &Backend, name: &str, role: Role, team: Option<&str>) -> Actor {
    use jiff_sqlx::ToSqlx;
    let email = format!("{}@example.com", name.split(' ').next().unwrap_or(name).to_lowercase());
    let now = backend.now().to_sqlx();
    let id = sqlx::query_scalar!(
        "insert into people (email, name, role, created_at, updated_at) values ($1, $2, $3, $4, $4) returning id",
        email,
        name,
        role.as_str(),
        now,
    )
    .fetch_one(backend.pool())
    .await
    .unwrap();
    let mut teams = Vec::new();
    if let Some(slug) = team {
        let team = sqlx::query_scalar!(
            "insert into teams (slug, name, created_at, updated_at) values ($1, $1, $2, $2)
             on conflict (slug) do update set updated_at = excluded.updated_at returning id",
            slug,
            now,
        )
        .fetch_one(backend.pool())
        .await
        .unwrap();
        sqlx::query!("insert into team_members (team_id, person_id) values ($1, $2)", team, id)
            .execute(backend.pool())
            .await
            .unwrap();
        teams.push(team);
    }
    Actor { id, email, name: name.to_owned(), role, teams, scopes: Scopes::ALL, time_zone: "UTC".to_owned() }
}
