//! Connections to a database, and transactions that write.
//!
//! **Invariants.** A connection is returned to its pool only if no transaction is open on it;
//! otherwise it is closed. A commit that has begun is completed, even if its caller is dropped. A
//! read sees every commit that this process began before, including those whose callers were
//! dropped.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Database, Executor, Pool};
use tokio::runtime::Handle;
use tokio::sync::{OwnedRwLockReadGuard, OwnedSemaphorePermit, RwLock, Semaphore};

/// How long the database may take to open a connection when it is the caller's turn.
///
/// Waiting for a turn has no limit, because load alone is not a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A limited number of connections to one database, handed out in the order of the requests. A
/// clone shares them.
pub struct Connections<D: Database> {
    pool: Pool<D>,
    turns: Arc<Semaphore>,
    commits: Arc<Commits>,
}

/// A connection, returned to its pool when dropped.
pub struct Connection<D: Database> {
    /// The connection; `None` only while it is being dropped.
    inner: Option<PoolConnection<D>>,
    /// Whether the connection must be closed rather than reused.
    close: bool,
    /// The runtime that returns the connection, on whichever thread it is dropped.
    runtime: Handle,
    _turn: OwnedSemaphorePermit,
}

/// A transaction that writes. If it is dropped before its commit, it changes nothing.
pub struct Write<D: Database> {
    connection: Connection<D>,
    commits: Arc<Commits>,
}

/// The running commits of a database.
#[derive(Default)]
struct Commits {
    /// Locked for reading by each running commit.
    under_way: Arc<RwLock<()>>,
    /// Whether there may be a running commit whose caller was dropped.
    unawaited: AtomicBool,
}

impl<D: Database> Connections<D> {
    /// Keeps reads of abandoned writes waiting while a group of writes is under way.
    #[cfg(feature = "sqlite")]
    pub(super) async fn under_way(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.commits.under_way).read_owned().await
    }

    /// A caller of a write that somebody else executes.
    #[cfg(feature = "sqlite")]
    pub(super) fn caller(&self) -> Waiting {
        Waiting { commits: Arc::clone(&self.commits), over: false }
    }

    /// Creates at most `n` connections with `options`, which are opened as needed.
    pub fn new(n: u32, options: <D::Connection as sqlx::Connection>::Options) -> Self {
        let pool = PoolOptions::new().max_connections(n).acquire_timeout(PATIENCE);
        let (pool, turns) = (pool.connect_lazy_with(options), Semaphore::new(n as usize));
        Self { pool, turns: Arc::new(turns), commits: Arc::default() }
    }

    /// Shares the running commits of `other`, which has other connections to the same database.
    pub fn sharing_commits(self, other: &Self) -> Self {
        Self { commits: Arc::clone(&other.commits), ..self }
    }

    async fn get(&self) -> Result<Connection<D>, sqlx::Error> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        let inner = Some(self.pool.acquire().await?);
        Ok(Connection { inner, close: false, runtime: Handle::current(), _turn: turn })
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn read(&self) -> Result<Connection<D>, sqlx::Error> {
        self.commits.awaited().await;
        self.get().await
    }

    /// Closes all connections, also those of clones.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl<D: Database> Connection<D> {
    /// Sets whether the connection can be reused.
    fn is_fit_if(&mut self, fit: bool) {
        self.close = !fit;
    }
}

impl<D: Database> Connections<D>
where
    for<'a> &'a mut D::Connection: Executor<'a, Database = D>,
{
    /// Begins a transaction that writes, with the statement `begin`.
    ///
    /// # Errors
    /// If the database cannot be reached, or refuses.
    ///
    /// # Cancel safety
    /// If the future is dropped, no transaction is left open.
    pub async fn write(&self, begin: &'static str) -> Result<Write<D>, sqlx::Error> {
        let mut connection = self.get().await?;
        // Until the transaction has ended, dropping the connection must close it.
        connection.is_fit_if(false);
        sqlx::raw_sql(begin).execute(&mut *connection).await?;
        Ok(Write { connection, commits: Arc::clone(&self.commits) })
    }
}

impl<D: Database> Write<D>
where
    for<'a> &'a mut D::Connection: Executor<'a, Database = D>,
{
    /// Commits the transaction.
    ///
    /// # Errors
    /// If the database refuses. It is then unknown whether it has committed.
    ///
    /// # Cancel safety
    /// If the future is dropped, the commit completes, and later reads wait for it.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let Self { mut connection, commits } = self;
        let under_way = Arc::clone(&commits.under_way).read_owned().await;
        let mut waiting = Waiting { commits, over: false };
        let commit = tokio::spawn(async move {
            let done = sqlx::raw_sql("commit").execute(&mut *connection).await;
            connection.is_fit_if(done.is_ok());
            drop::<OwnedRwLockReadGuard<()>>(under_way);
            done
        });
        let done = commit.await;
        waiting.over = true;
        // The task does not panic, and is aborted only when the runtime shuts down.
        done.map_err(|_| sqlx::Error::WorkerCrashed)?.map(|_| ())
    }

    /// Commits the transaction in the caller's task, which must not be dropped meanwhile, and must
    /// keep reads waiting itself.
    #[cfg(feature = "sqlite")]
    pub(super) async fn commit_here(mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("commit").execute(&mut *self.connection).await?;
        self.connection.is_fit_if(true);
        Ok(())
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// If the database refuses. The connection is then closed, which rolls back as well.
    pub async fn roll_back(mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("rollback").execute(&mut *self.connection).await?;
        self.connection.is_fit_if(true);
        Ok(())
    }
}

impl Commits {
    /// Waits for running commits whose callers were dropped.
    async fn awaited(&self) {
        if self.unawaited.load(Ordering::Acquire) {
            // No commit runs while this lock is held, so a caller that is dropped later sets the
            // flag again.
            let _none_under_way = self.under_way.write().await;
            self.unawaited.store(false, Ordering::Release);
        }
    }
}

/// The caller of a commit. If it is dropped too early, nobody waits for the commit any more.
pub(super) struct Waiting {
    commits: Arc<Commits>,
    over: bool,
}

#[cfg(feature = "sqlite")]
impl Waiting {
    /// The caller has the result.
    pub(super) fn over(mut self) {
        self.over = true;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.over {
            self.commits.unawaited.store(true, Ordering::Release);
        }
    }
}

impl<D: Database> Drop for Connection<D> {
    fn drop(&mut self) {
        // sqlx returns a connection with a task, so a runtime must be entered on threads without
        // one.
        let _entered = self.runtime.enter();
        if let Some(mut inner) = self.inner.take() {
            if self.close {
                inner.close_on_drop();
            }
            drop(inner);
        }
    }
}

impl<D: Database> Deref for Connection<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        self.inner.as_ref().expect("a connection is there until it is dropped")
    }
}

impl<D: Database> DerefMut for Connection<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        self.inner.as_mut().expect("a connection is there until it is dropped")
    }
}

impl<D: Database> Deref for Write<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        &self.connection
    }
}

impl<D: Database> DerefMut for Write<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.connection
    }
}

impl<D: Database> Clone for Connections<D> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            turns: Arc::clone(&self.turns),
            commits: Arc::clone(&self.commits),
        }
    }
}

impl<D: Database> fmt::Debug for Connections<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("pool", &self.pool).finish_non_exhaustive()
    }
}
