//! The lease of a conversation is released at the end of its run, whatever happens meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use ddg_agentic::memory::{
    Conversation, ConversationError, ConversationFuture, ConversationId, ConversationLease,
    ConversationPage, ConversationRecord, ConversationStore, ConversationVersion,
    MemoryConversations, OpenRun, StoredConversation,
};
use ddg_agentic::prelude::*;
use ddg_core::checkpoint::{Claim, Owner};
use futures::FutureExt;
use tokio::sync::{Notify, Semaphore};

/// A store that releases a lease when it is let go, after failing a few times.
#[derive(Debug)]
struct Slow {
    inner: MemoryConversations,
    asked: Notify,
    go: Semaphore,
    n_failures: AtomicI32,
    released: Notify,
}

impl Slow {
    fn failing(n_failures: i32) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryConversations::new(),
            asked: Notify::new(),
            go: Semaphore::new(0),
            n_failures: AtomicI32::new(n_failures),
            released: Notify::new(),
        })
    }

    /// Whether another process can acquire the lease of `talk`.
    async fn is_free(&self) -> bool {
        let talk = ConversationId::new("talk").unwrap();
        let claim = Claim::new(Owner::named("another"), Duration::from_secs(30));
        self.inner.acquire(&talk, &claim).await.is_ok()
    }
}

impl ConversationStore for Slow {
    fn load<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, StoredConversation> {
        self.inner.load(id)
    }

    fn save<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        self.inner.save(id, conversation, expected)
    }

    fn rewrite<'a>(
        &'a self,
        id: &'a ConversationId,
        conversation: &'a Conversation,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        self.inner.rewrite(id, conversation, expected)
    }

    fn keep_run<'a>(
        &'a self,
        id: &'a ConversationId,
        run: Option<&'a OpenRun>,
        expected: ConversationVersion,
    ) -> ConversationFuture<'a, ConversationVersion> {
        self.inner.keep_run(id, run, expected)
    }

    fn acquire<'a>(
        &'a self,
        id: &'a ConversationId,
        claim: &'a Claim,
    ) -> ConversationFuture<'a, ConversationLease> {
        self.inner.acquire(id, claim)
    }

    fn renew<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        self.inner.renew(lease)
    }

    fn release<'a>(&'a self, lease: &'a ConversationLease) -> ConversationFuture<'a, ()> {
        Box::pin(async move {
            self.asked.notify_one();
            self.go.acquire().await.unwrap().forget();
            if self.n_failures.fetch_sub(1, Ordering::SeqCst) > 0 {
                return Err(ConversationError::Backend {
                    store: "slow".to_owned(),
                    action: "release a lease",
                    source: "the server is away".into(),
                });
            }
            self.inner.release(lease).await?;
            self.released.notify_one();
            Ok(())
        })
    }

    fn list<'a>(
        &'a self,
        page: &'a ConversationPage,
    ) -> ConversationFuture<'a, Vec<ConversationRecord>> {
        self.inner.list(page)
    }

    fn delete<'a>(&'a self, id: &'a ConversationId) -> ConversationFuture<'a, bool> {
        self.inner.delete(id)
    }

    fn delete_older_than(&self, age: Duration) -> ConversationFuture<'_, u64> {
        self.inner.delete_older_than(age)
    }
}

fn agent(store: &Arc<Slow>) -> Agent {
    let model = ScriptedModel::new().text("Good morning.");
    Agent::new(ReActAutoma::new(model)).unwrap().conversations(store.clone())
}

#[tokio::test]
async fn a_caller_that_leaves_while_the_lease_is_released_does_not_keep_it() {
    let store = Slow::failing(0);
    let mut run = Box::pin(agent(&store).run("talk", "Hello.").into_future());
    {
        let asked = std::pin::pin!(store.asked.notified());
        let first = futures::future::select(asked, &mut run).await;
        assert!(matches!(first, futures::future::Either::Left(_)), "it is being released");
    }
    drop(run);
    assert!(!store.is_free().await);

    store.go.add_permits(1);
    store.released.notified().await;
    assert!(store.is_free().await);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_is_tried_again() {
    let store = Slow::failing(3);
    store.go.add_permits(10);
    let outcome = agent(&store).run("talk", "Hello.").await.unwrap();
    assert_eq!(outcome.text(), "Good morning.");
    store.released.notified().now_or_never().expect("it is released when the run has ended");
    assert!(store.is_free().await);
}
