//! What `plumbline doctor` asks the database server about itself.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

/// Facts about the server behind a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseFacts {
    /// As people write it: `15.14`.
    pub version: String,
    /// As it compares: 150014.
    pub version_number: i32,
    /// Connections it allows in all.
    pub max_connections: i64,
    /// `on` or `off`.
    pub fsync: String,
    /// Encoding of the server.
    pub encoding: String,
    /// How far its clock is ahead of ours, in seconds.
    pub skew_seconds: f64,
    /// Names of the extensions that could be created.
    pub extensions: Vec<String>,
    /// Who the connection works as.
    pub role: String,
    /// Who it signed in as.
    pub user: String,
}

/// Reads them. `now` is what our own clock says.
pub async fn read(connection: &mut PgConnection, now: Timestamp) -> Result<DatabaseFacts, sqlx::Error> {
    sqlx::query_as!(
        DatabaseFacts,
        r#"select current_setting('server_version') as "version!",
                  current_setting('server_version_num')::int as "version_number!",
                  current_setting('max_connections')::bigint as "max_connections!",
                  current_setting('fsync') as "fsync!",
                  current_setting('server_encoding') as "encoding!",
                  extract(epoch from clock_timestamp() - $1::timestamptz)::float8 as "skew_seconds!",
                  array(select name::text from pg_available_extensions) as "extensions!",
                  current_user::text as "role!", session_user::text as "user!""#,
        now.to_sqlx() as _,
    )
    .fetch_one(connection)
    .await
}
