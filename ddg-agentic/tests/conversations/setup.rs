//! A store with a clock that only the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ddg_agentic::Message;
#[cfg(feature = "postgres")]
use ddg_agentic::memory::PostgresConversations;
use ddg_agentic::memory::{
    Conversation, ConversationId, ConversationStore, MemoryConversations, SqliteConversations,
};

/// A store on new ground.
pub(crate) struct Setup {
    pub(crate) store: Arc<dyn ConversationStore>,
    pub(crate) clock: Clock,
    _folder: Option<tempfile::TempDir>,
}

#[cfg(feature = "postgres")]
#[path = "../../../ddg-core/tests/stores/setup/postgres.rs"]
pub(crate) mod postgres;

#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis().try_into().unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> SystemTime {
        let since_noon = Duration::from_millis(self.0.load(Ordering::SeqCst));
        UNIX_EPOCH + Duration::from_secs(1_800_000_000) + since_noon
    }
}

impl Setup {
    pub(crate) async fn memory() -> Self {
        let clock = Clock::default();
        let now = clock.clone();
        let store = Arc::new(MemoryConversations::new().with_clock(move || now.now()));
        Self { store, clock, _folder: None }
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let now = clock.clone();
        let store = SqliteConversations::open(folder.path().join("talk.db")).await.unwrap();
        let store = Arc::new(store.with_clock(move || now.now()));
        Self { store, clock, _folder: Some(folder) }
    }

    /// `None` if no server is available.
    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres() -> Option<(Self, postgres::Database)> {
        let database = postgres::Database::new().await?;
        let clock = Clock::default();
        let now = clock.clone();
        let store = PostgresConversations::connect(database.url()).await.unwrap();
        let store = Arc::new(store.with_clock(move || now.now()));
        Some((Self { store, clock, _folder: None }, database))
    }
}

/// Makes of each function a test for every store.
macro_rules! on_every_store {
    ($($test:ident,)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::setup::Setup::memory().await).await;
            })*
        }

        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::setup::Setup::sqlite().await).await;
            })*
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let Some((setup, database)) = $crate::setup::Setup::postgres().await else { return };
                super::$test(setup).await;
                while $crate::setup::postgres::n_in_transaction(database.url()).await > 0 {
                    tokio::task::yield_now().await;
                }
                database.drop().await;
            })*
        }
    };
}
pub(crate) use on_every_store;

/// A conversation's id.
pub(crate) fn id(id: &str) -> ConversationId {
    ConversationId::new(id).unwrap()
}

/// What a person says `n_messages` times.
pub(crate) fn said(n_messages: usize) -> Conversation {
    Conversation::new((0..n_messages).map(|n| Message::user(format!("message {n}"))))
}
