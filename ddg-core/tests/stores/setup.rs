//! A new store for each test, with a clock that only the test moves.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(unix)]
pub(crate) mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ddg_core::checkpoint::{CheckpointStore, Claim, MemoryStore, Owner, RunId};

/// A store, and what it lives on.
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) clock: Clock,
    _ground: Ground,
}

/// What is removed with a store.
enum Ground {
    None,
    #[cfg(feature = "sqlite")]
    Folder {
        _folder: tempfile::TempDir,
    },
    #[cfg(feature = "postgres")]
    Database(postgres::Database),
}

/// A clock that only the test moves.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    /// What the clock of a store is.
    pub(crate) fn reader(&self) -> impl Fn() -> SystemTime + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }

    pub(crate) fn now(&self) -> SystemTime {
        let since_noon = Duration::from_millis(self.0.load(Ordering::SeqCst));
        UNIX_EPOCH + Duration::from_secs(1_800_000_000) + since_noon
    }
}

impl Setup {
    pub(crate) async fn memory() -> Self {
        let clock = Clock::default();
        let store = Arc::new(MemoryStore::new().with_clock(clock.reader()));
        Self { store, clock, _ground: Ground::None }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) async fn sqlite() -> Self {
        use ddg_core::checkpoint::SqliteStore;
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let store = SqliteStore::open(folder.path().join("runs.db")).await.unwrap();
        let store = Arc::new(store.with_clock(clock.reader()));
        Self { store, clock, _ground: Ground::Folder { _folder: folder } }
    }

    /// `None` if no server is available; a message has said so.
    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Option<Self> {
        use ddg_core::checkpoint::PostgresStore;
        let database = postgres::Database::new().await?;
        let clock = Clock::default();
        let store = PostgresStore::connect(database.url()).await.unwrap();
        let store = Arc::new(store.with_clock(clock.reader()));
        Some(Self { store, clock, _ground: Ground::Database(database) })
    }

    /// Asserts that no session is left in a transaction, with locks that others wait for.
    pub(crate) async fn assert_idle(&self) {
        #[cfg(feature = "postgres")]
        if let Ground::Database(database) = &self._ground {
            let idle = async {
                while postgres::n_in_transaction(database.url()).await > 0 {
                    tokio::task::yield_now().await;
                }
            };
            let idle = tokio::time::timeout(Duration::from_secs(20), idle).await;
            idle.expect("no session is left in a transaction");
        }
    }

    /// Removes what the test has left outside this process.
    #[cfg(feature = "postgres")]
    pub(crate) async fn clear(self) {
        drop(self.store);
        if let Ground::Database(database) = self._ground {
            database.drop().await;
        }
    }
}

/// Makes of each function a test for every store that is compiled.
macro_rules! on_every_store {
    ($($test:ident,)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&$crate::setup::Setup::memory().await).await;
            })*
        }

        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(&$crate::setup::Setup::sqlite().await).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let Some(setup) = $crate::setup::Setup::postgres().await else { return };
                super::$test(&setup).await;
                setup.clear().await;
            })*
        }
    };
}
pub(crate) use on_every_store;

/// Makes of each function a test for every kind of store that several processes can open. The
/// function gets the place that they [open].
#[cfg(unix)]
macro_rules! on_every_place {
    ($($test:ident,)*) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let folder = tempfile::tempdir().unwrap();
                super::$test(folder.path().join("runs.db").to_str().unwrap()).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let database = $crate::setup::postgres::Database::new().await;
                let Some(database) = database else { return };
                super::$test(database.url()).await;
                database.drop().await;
            })*
        }
    };
}
#[cfg(unix)]
pub(crate) use on_every_place;

/// Opens the store at a place: a URL of PostgreSQL, or the path of a file of SQLite.
#[cfg(unix)]
pub(crate) async fn open(place: &str) -> Arc<dyn CheckpointStore> {
    #[cfg(feature = "postgres")]
    if place.starts_with("postgres") {
        let store = ddg_core::checkpoint::PostgresStore::connect(place).await.unwrap();
        return Arc::new(store);
    }
    Arc::new(ddg_core::checkpoint::SqliteStore::open(place).await.unwrap())
}

/// A run's id.
pub(crate) fn id(id: &str) -> RunId {
    RunId::new(id).unwrap()
}

pub(crate) const TTL: Duration = Duration::from_secs(30);

/// A claim by name, for [`TTL`] at a time.
pub(crate) fn claim(name: &str) -> Claim {
    Claim::new(Owner::named(name), TTL)
}
