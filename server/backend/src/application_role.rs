//! The database role that the application works as: it may add events and read them, and neither change nor delete them.
//!
//! The migration `…_roles.sql` makes the role and says what it may. Every connection of the application becomes it; who
//! migrates stays the owner of the tables. Where the database's user may not make or become the role, everything works
//! all the same, guarded by the trigger on `events` alone, and `plumbline doctor` says what is missing.

use sqlx::PgConnection;

/// Its name, the same in every database of a cluster.
pub const NAME: &str = "plumbline_application";

/// `insufficient_privilege`
const NOT_ALLOWED: &str = "42501";

/// Makes this connection work as the role, if its user may and this database knows the role. Answers whether it does.
pub async fn enter(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let entered = sqlx::query_scalar!(
        r#"select set_config('role', rolname, false) as "role!" from pg_roles
           where rolname = $1 and pg_has_role(session_user, oid, 'MEMBER')
             and has_table_privilege(oid, to_regclass('events'), 'insert')"#,
        NAME,
    )
    .fetch_optional(connection)
    .await;
    match entered {
        Ok(role) => Ok(role.is_some()),
        // From Postgres 16 on a member need not be allowed to become the role.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NOT_ALLOWED) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the role and gives it what it needs, as far as that is missing and this connection's user may. After every
/// migration, one process at a time.
pub async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("select prepare_application_role()").execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::Role;
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

    use super::*;
    use crate::{Subject, testing};

    #[tokio::test]
    async fn the_application_adds_events_and_cannot_change_them() {
        let test = testing::backend().await;
        let ada = testing::person(&test, "Ada", Role::Member, None).await;
        let mut tx = test.begin(&ada).await.unwrap();
        tx.event("test.done", &Subject::team("x"), None, None).await.unwrap();
        tx.commit(()).await.unwrap();
        for refused in [
            "update events set verb = 'nothing.happened'",
            "delete from events",
            "truncate events",
            "alter table events disable trigger all",
            "alter table events disable trigger events_append_only",
            "drop trigger events_append_only on events",
            "create trigger t before insert on events for each row execute function refuse_change()",
            "drop table events",
            "alter table events owner to plumbline_application",
            "select from events for update",
        ] {
            let error = sqlx::Executor::execute(test.pool(), refused).await.unwrap_err();
            let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default();
            assert_eq!(code, NOT_ALLOWED, "{refused}: {error}");
        }
        // Not the owner either, unless the trigger is taken away in the open.
        let mut owner = testing::owner(&test).await;
        assert!(owner.execute("delete from events").await.is_err());
        let verbs = sqlx::query_scalar!("select verb from events").fetch_all(test.pool()).await.unwrap();
        assert_eq!(verbs, ["test.done"]);
    }

    #[tokio::test]
    async fn tables_of_later_migrations_are_the_applications_too() {
        let test = testing::backend().await;
        let mut owner = testing::owner(&test).await;
        owner.execute("create table later (id bigint generated always as identity, word text)").await.unwrap();
        for allowed in ["insert into later (word) values ('x')", "update later set word = 'y'", "delete from later"] {
            let done = sqlx::Executor::execute(test.pool(), allowed).await.unwrap();
            assert_eq!(done.rows_affected(), 1, "{allowed}");
        }
        assert!(sqlx::Executor::execute(test.pool(), "drop table later").await.is_err());
    }

    #[tokio::test]
    async fn what_a_restore_loses_is_mended_by_the_next_migration() {
        let test = testing::backend().await;
        let mut owner = testing::owner(&test).await;
        owner.execute("drop owned by plumbline_application").await.unwrap();
        let mut fresh = testing::owner(&test).await;
        assert!(!enter(&mut fresh).await.unwrap(), "a role that may nothing is not entered");
        owner.execute("grant all on events to plumbline_application").await.unwrap();
        prepare(&mut owner).await.unwrap();
        prepare(&mut owner).await.unwrap();
        assert!(enter(&mut fresh).await.unwrap());
        for (allowed, statement) in [
            (
                true,
                "insert into outbox (key, kind, payload, due_at, created_at)
                    values ('k', 'job', '{}', '2026-01-01', '2026-01-01')",
            ),
            (true, "delete from outbox"),
            (true, "select count(*) from events"),
            (false, "update events set verb = 'a.b'"),
            (false, "truncate events"),
        ] {
            assert_eq!(fresh.execute(statement).await.is_ok(), allowed, "{statement}");
        }
    }

    #[tokio::test]
    async fn a_user_who_may_not_make_roles_migrates_and_works_without() {
        let test = testing::backend().await;
        let mut owner = testing::owner(&test).await;
        let options = test.pool().connect_options();
        let name = format!("limited_{}", options.get_database().unwrap());
        for statement in [format!("create role {name} login"), format!("create database {name} owner {name}")] {
            owner.execute(AssertSqlSafe(statement)).await.unwrap();
        }
        // Extensions that only a superuser may install are the operator's work.
        let mut prepared = sqlx::PgConnection::connect_with(&(*options).clone().database(&name)).await.unwrap();
        for extension in ["citext", "pg_trgm", "btree_gist", "unaccent"] {
            prepared.execute(AssertSqlSafe(format!("create extension {extension}"))).await.unwrap();
        }
        prepared.execute(AssertSqlSafe(format!("set role {name}"))).await.unwrap();
        crate::MIGRATOR.run(&mut prepared).await.unwrap();
        prepare(&mut prepared).await.unwrap();

        let limited = (*options).clone().database(&name).username(&name);
        if let Ok(mut limited) = sqlx::PgConnection::connect_with(&limited).await {
            assert!(!enter(&mut limited).await.unwrap());
            limited.execute("delete from outbox").await.unwrap();
            assert!(limited.execute("delete from events").await.is_err(), "the trigger");
            // An admin lets the user become the role: the next connection does.
            owner.execute(AssertSqlSafe(format!("grant {NAME} to {name}"))).await.unwrap();
            assert!(enter(&mut limited).await.unwrap());
            limited.close().await.unwrap();
        }
        prepared.close().await.unwrap();
        for statement in [format!("drop database {name} with (force)"), format!("drop role {name}")] {
            owner.execute(AssertSqlSafe(statement)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn many_databases_of_one_cluster_prepare_the_role_at_once() {
        let mut preparing = Vec::new();
        for _ in 0..4 {
            let test = testing::backend().await;
            preparing.push(tokio::spawn(async move {
                let mut owner = testing::owner(&test).await;
                owner.execute("drop owned by plumbline_application").await.unwrap();
                prepare(&mut owner).await
            }));
        }
        for prepared in preparing {
            prepared.await.unwrap().unwrap();
        }
    }
}
