//! The database: one of two kinds, behind the few operations that are used of them.

#[cfg(feature = "postgres")]
use ddg_core::__store::PostgresServer;
use ddg_core::__store::{
    Arg, Deed, Dialect, Failed, Row, SqliteFile, Transaction, Transacts, cause, migrate,
};
use ddg_core::checkpoint::StoreError;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::assistants::AssistantsError;

/// A database. A clone is the same database.
#[derive(Clone, Debug)]
pub(super) enum Database {
    Sqlite(SqliteFile),
    #[cfg(feature = "postgres")]
    Postgres(PostgresServer),
}

/// A transaction that writes, rolled back if it is dropped without a commit.
pub(super) enum Write {
    Sqlite(<SqliteFile as Dialect>::Transaction),
    #[cfg(feature = "postgres")]
    Postgres(<PostgresServer as Dialect>::Transaction),
}

/// Everything that is done in a transaction, as a value. Transactions of several callers may be
/// committed together, so it must have written nothing when it refuses, and may be executed again.
pub(super) trait Transact: Send + Sync + 'static {
    type Output: Send + 'static;

    /// Executes it. `locked` is the end of a `select` that locks its rows.
    fn act<T: Transaction>(
        &self,
        tx: &mut T,
        locked: &'static str,
    ) -> impl Future<Output = Result<Self::Output, sqlx::Error>> + Send;
}

struct Call<A> {
    act: A,
    locked: &'static str,
}

impl<A: Transact, T: Transaction> Deed<T> for Call<A> {
    type Output = A::Output;

    fn act<'a>(&'a self, tx: &'a mut T) -> BoxFuture<'a, Result<A::Output, Failed<StoreError>>> {
        async move { Ok(self.act.act(tx, self.locked).await?) }.boxed()
    }
}

/// Names what was to be done, in the error of a database.
pub(in crate::assistants) trait During<T> {
    fn during(self, action: &'static str) -> Result<T, AssistantsError>;
}

impl<T> During<T> for Result<T, sqlx::Error> {
    fn during(self, action: &'static str) -> Result<T, AssistantsError> {
        self.map_err(|error| AssistantsError::backend(action)(cause(error)))
    }
}

impl<T> During<T> for Result<T, serde_json::Error> {
    fn during(self, action: &'static str) -> Result<T, AssistantsError> {
        self.map_err(|error| AssistantsError::backend(action)(error.into()))
    }
}

impl Database {
    pub(super) async fn write(&self) -> Result<Write, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(file) => Write::Sqlite(Dialect::write(file).await?),
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => Write::Postgres(Dialect::write(server).await?),
        })
    }

    /// Executes `act` in a transaction. What several callers write at the same time shares a
    /// commit.
    pub(super) async fn transact<A: Transact>(
        &self,
        action: &'static str,
        act: A,
    ) -> Result<A::Output, AssistantsError> {
        let done = match self {
            Self::Sqlite(file) => {
                file.transact(Call { act, locked: <SqliteFile as Dialect>::LOCKED }).await
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => {
                server.transact(Call { act, locked: <PostgresServer as Dialect>::LOCKED }).await
            }
        };
        done.map_err(|failed| match failed {
            Failed::Refused(refused) => refused.into(),
            Failed::Broken(error) => AssistantsError::backend(action)(cause(error)),
        })
    }

    /// The rows that one statement finds.
    pub(super) async fn read(&self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Sqlite(file) => Dialect::read(file, sql, args).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => Dialect::read(server, sql, args).await,
        }
    }

    /// Brings the tables to the newest version. Refuses tables that are newer.
    pub(super) async fn migrate(&self) -> Result<(), AssistantsError> {
        let action = "prepare its tables";
        let mut write = self.write().await.during(action)?;
        let table = "ddg_assistants_schema";
        let (found, known) = match &mut write {
            Write::Sqlite(write) => {
                let migrations = [
                    include_str!("../../../migrations/assistants/sqlite_1.sql"),
                    include_str!("../../../migrations/assistants/sqlite_2.sql"),
                ];
                (migrate(write, table, &migrations).await.during(action)?, migrations.len() as u64)
            }
            #[cfg(feature = "postgres")]
            Write::Postgres(write) => {
                // An arbitrary number that is the same in all processes.
                write.script("select pg_advisory_xact_lock(7233204)").await.during(action)?;
                let migrations = [
                    include_str!("../../../migrations/assistants/postgres_1.sql"),
                    include_str!("../../../migrations/assistants/postgres_2.sql"),
                ];
                (migrate(write, table, &migrations).await.during(action)?, migrations.len() as u64)
            }
        };
        if found > known {
            let message = format!(
                "the store of assistants has tables of version {found}, but this program knows versions up \
                 to {known}: run it with a newer ddg-agentic"
            );
            return Err(AssistantsError::Setup { message });
        }
        write.commit().await.during(action)
    }
}

impl Transaction for Write {
    async fn rows(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            Self::Sqlite(write) => write.rows(sql, args).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(write) => write.rows(sql, args).await,
        }
    }

    async fn execute(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64, sqlx::Error> {
        match self {
            Self::Sqlite(write) => write.execute(sql, args).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(write) => write.execute(sql, args).await,
        }
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(write) => Transaction::commit(write).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(write) => Transaction::commit(write).await,
        }
    }

    async fn roll_back(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(write) => Transaction::roll_back(write).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(write) => Transaction::roll_back(write).await,
        }
    }

    async fn script(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(write) => write.script(sql).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(write) => write.script(sql).await,
        }
    }
}

impl Write {
    /// Rolls the transaction back, so that its connection can be used again, and gives the error.
    pub(super) async fn refuse<T>(self, error: AssistantsError) -> Result<T, AssistantsError> {
        self.roll_back().await.during("refuse a request")?;
        Err(error)
    }

    /// The end of a `select` that locks the rows until the transaction ends.
    pub(super) fn locked(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => <SqliteFile as Dialect>::LOCKED,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => <PostgresServer as Dialect>::LOCKED,
        }
    }
}
