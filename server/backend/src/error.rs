//! What a use case answers when it cannot do what was asked.

use domain::Refusal;

/// A use case's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The person is told why, in these words.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The person is told only a request id; the operator finds this in the log.
    #[error("{0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// A use case's answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Parts a refusal, which can be collected with others, from an error, which ends everything.
    pub(crate) fn apart<T>(result: Result<T>) -> Result<Result<T, Refusal>> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(Self::Refused(refusal)) => Ok(Err(refusal)),
            Err(error) => Err(error),
        }
    }

    /// What an error out of COMMIT says: nobody knows whether it happened, unless Postgres says that it did not.
    pub(crate) fn of_commit(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error
            && !database.code().is_some_and(|code| is_lost(&code))
        {
            return error.into();
        }
        Self::outcome_unknown(&error)
    }

    /// The change may have been made or not.
    pub(crate) fn outcome_unknown(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "the database went away during COMMIT: it is not known whether the change was made");
        Self::Refused(Refusal::OutcomeUnknown)
    }

    /// An error that nobody outside should read.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<sqlx::Error> for Error {
    /// No connection, a lock not had in time, a cancelled statement: busy, nothing was changed. The rest is a mistake of
    /// ours. An error out of COMMIT is another matter: see [`Error::of_commit`].
    fn from(error: sqlx::Error) -> Self {
        let busy = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
            sqlx::Error::Database(database) => database.code().is_some_and(|code| is_transient(&code)),
            _ => false,
        };
        if busy {
            tracing::warn!(%error, "the database did not answer in time");
            return Self::Refused(Refusal::Busy { retry_after_seconds: 2 });
        }
        Self::internal(error)
    }
}

/// Whether this SQLSTATE says that the connection or the server is gone.
fn is_lost(code: &str) -> bool {
    // connection exceptions; admin_shutdown, crash_shutdown, cannot_connect_now; idle_in_transaction_session_timeout
    code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03" | "25P03")
}

/// Whether this SQLSTATE says that the same may succeed in a moment.
fn is_transient(code: &str) -> bool {
    // insufficient resources: disk_full, out_of_memory, too_many_connections
    is_lost(code)
        || code.starts_with("53")
        // read_only_sql_transaction (a standby that takes over), serialization_failure, deadlock_detected,
        // lock_not_available, query_canceled, io_error
        || matches!(code, "25006" | "40001" | "40P01" | "55P03" | "57014" | "58030")
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

/// Turns the violation of a named constraint into a refusal.
pub trait OnConstraint<T> {
    /// `refusal` when the error is a violation of the constraint `name`, else the error as it is.
    fn on_constraint(self, name: &str, refusal: impl FnOnce() -> Refusal) -> Result<T>;
}

impl<T> OnConstraint<T> for std::result::Result<T, sqlx::Error> {
    fn on_constraint(self, name: &str, refusal: impl FnOnce() -> Refusal) -> Result<T> {
        self.map_err(|error| match error.as_database_error().and_then(sqlx::error::DatabaseError::constraint) {
            Some(constraint) if constraint == name => Error::Refused(refusal()),
            _ => error.into(),
        })
    }
}
