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
    /// An error that nobody outside should read.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

impl From<sqlx::Error> for Error {
    /// No connection, a lock not had in time, a cancelled statement: busy, nothing was changed. The rest is a mistake of ours.
    fn from(error: sqlx::Error) -> Self {
        let busy = match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => true,
            sqlx::Error::Database(database) => matches!(
                database.code().as_deref(),
                // lock_not_available, query_canceled, deadlock_detected, serialization_failure, too_many_connections,
                // admin_shutdown, crash_shutdown, cannot_connect_now, disk_full
                Some("55P03" | "57014" | "40P01" | "40001" | "53300" | "57P01" | "57P02" | "57P03" | "53100")
            ),
            _ => false,
        };
        if busy {
            tracing::warn!(%error, "the database did not answer in time");
            return Self::Refused(Refusal::Busy { retry_after_seconds: 2 });
        }
        Self::internal(error)
    }
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
