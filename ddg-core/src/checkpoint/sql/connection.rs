//! Connections to a database, and transactions that write.
//!
//! **Invariants.** A connection goes back to its pool only when no transaction is open on it; in all
//! other cases it is closed. A commit that has begun is carried to its end, whether or not somebody
//! waits for it. Whoever reads sees every commit that this process began before, also one that
//! nobody waited for.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Database, Executor, Pool};
use tokio::runtime::Handle;
use tokio::sync::{OwnedRwLockReadGuard, OwnedSemaphorePermit, RwLock, Semaphore};

/// For how long a database may keep a connection waiting that it is this one's turn to open.
///
/// Whoever waits for a turn waits without a limit: load alone is no failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections to one database, at most so many at a time; who wants one gets it in order of arrival.
/// A clone has the same connections.
pub struct Connections<D: Database> {
    pool: Pool<D>,
    turns: Arc<Semaphore>,
    commits: Arc<Commits>,
}

/// A connection; dropped, it goes back.
pub struct Connection<D: Database> {
    /// Always there until it is dropped.
    inner: Option<PoolConnection<D>>,
    /// Whether the connection is not fit to be used again.
    close: bool,
    /// What gives the connection back, wherever it is dropped.
    runtime: Handle,
    _turn: OwnedSemaphorePermit,
}

/// A transaction that writes. Dropped before it is committed, it changes nothing.
pub struct Write<D: Database> {
    connection: Connection<D>,
    commits: Arc<Commits>,
}

/// The commits of a database that are under way.
#[derive(Default)]
struct Commits {
    /// Shared by those that are under way.
    under_way: Arc<RwLock<()>>,
    /// Whether there may be one that nobody waits for.
    unawaited: AtomicBool,
}

impl<D: Database> Connections<D> {
    /// At most `n` connections by `options`, opened when they are needed.
    pub fn new(n: u32, options: <D::Connection as sqlx::Connection>::Options) -> Self {
        let pool = PoolOptions::new().max_connections(n).acquire_timeout(PATIENCE);
        let (pool, turns) = (pool.connect_lazy_with(options), Semaphore::new(n as usize));
        Self { pool, turns: Arc::new(turns), commits: Arc::default() }
    }

    /// The same commits, by other connections.
    pub fn sharing_commits(self, other: &Self) -> Self {
        Self { commits: Arc::clone(&other.commits), ..self }
    }

    async fn get(&self) -> Result<Connection<D>, sqlx::Error> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        let inner = Some(self.pool.acquire().await?);
        Ok(Connection { inner, close: false, runtime: Handle::current(), _turn: turn })
    }

    /// A connection to read with.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn read(&self) -> Result<Connection<D>, sqlx::Error> {
        self.commits.awaited().await;
        self.get().await
    }

    /// Closes all connections, for clones, too.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl<D: Database> Connection<D> {
    /// Says whether the connection can be used again when it goes back.
    fn is_fit_if(&mut self, fit: bool) {
        self.close = !fit;
    }
}

impl<D: Database> Connections<D>
where
    for<'a> &'a mut D::Connection: Executor<'a, Database = D>,
{
    /// Begins a transaction that writes, by the statement `begin`.
    ///
    /// # Errors
    /// The database cannot be reached, or refuses.
    ///
    /// # Cancel safety
    /// Dropped while it waits, no transaction is left open.
    pub async fn write(&self, begin: &'static str) -> Result<Write<D>, sqlx::Error> {
        let mut connection = self.get().await?;
        connection.is_fit_if(false);
        sqlx::raw_sql(begin).execute(&mut *connection).await?;
        Ok(Write { connection, commits: Arc::clone(&self.commits) })
    }
}

impl<D: Database> Write<D>
where
    for<'a> &'a mut D::Connection: Executor<'a, Database = D>,
{
    /// Commits.
    ///
    /// # Errors
    /// The database refuses. Whether it has committed is then not known.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the commit goes on to its end; whoever reads afterwards waits for it.
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
        // It does not panic, and only the end of the runtime aborts it.
        done.map_err(|_| sqlx::Error::WorkerCrashed)?.map(|_| ())
    }

    /// Undoes everything.
    ///
    /// # Errors
    /// The database refuses; it undoes everything then because the connection is closed.
    pub async fn roll_back(mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("rollback").execute(&mut *self.connection).await?;
        self.connection.is_fit_if(true);
        Ok(())
    }
}

impl Commits {
    /// Waits for the commits that nobody else waits for.
    async fn awaited(&self) {
        if self.unawaited.load(Ordering::Acquire) {
            // Nobody commits while this is held, so whoever stops waiting later says so again.
            let _none_under_way = self.under_way.write().await;
            self.unawaited.store(false, Ordering::Release);
        }
    }
}

/// Somebody who waits for a commit; dropped too early, they have stopped waiting.
struct Waiting {
    commits: Arc<Commits>,
    over: bool,
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
        // It is given back by a task, also if it is dropped where there is no runtime.
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
