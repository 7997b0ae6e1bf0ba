//! Why an operation on a database was not completed.

use crate::error::BoxError;

/// The reason why an operation on a database was not completed. `E` is the error of the store.
pub enum Failed<E> {
    /// The store refused. The connection still works.
    Refused(E),
    /// The database failed. Whether the connection still works is unknown.
    Broken(sqlx::Error),
}

impl<E> From<sqlx::Error> for Failed<E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error)
    }
}

/// The error of the database or the system, without what sqlx puts before it.
pub fn cause(error: sqlx::Error) -> BoxError {
    match error {
        sqlx::Error::Database(error) => error.into_error(),
        sqlx::Error::Io(error) => error.into(),
        sqlx::Error::ColumnDecode { source, .. } => source,
        sqlx::Error::Configuration(error)
        | sqlx::Error::Decode(error)
        | sqlx::Error::Encode(error) => error,
        other => other.into(),
    }
}
