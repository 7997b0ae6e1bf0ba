//! The right to run a conversation, held while a run of it goes on.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ddg_core::checkpoint::{Claim, Owner};
use futures::FutureExt;
use futures::future::{Either, select};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::memory::{ConversationError, ConversationId, ConversationLease, ConversationStore};

/// How long a lease lasts that nobody renews.
const TTL: Duration = Duration::from_secs(30);

/// After how long one that somebody else has is asked for again, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(200)];

/// A lease that is given back when this is dropped, in the background where it cannot be at once.
pub(super) struct HeldLease {
    store: Arc<dyn ConversationStore>,
    lease: Option<ConversationLease>,
}

/// A claim that no other agent makes, in this process or another.
pub(super) fn own_claim() -> Claim {
    static N_AGENTS: AtomicU64 = AtomicU64::new(0);
    let (process, nth) = (Owner::this_process(), N_AGENTS.fetch_add(1, Ordering::Relaxed));
    let name = format!("agent {nth} of {process}");
    Claim::new(Owner::kept(name, process.process().map(str::to_owned)), TTL)
}

impl HeldLease {
    /// A lease, if nobody else has the conversation.
    pub(super) async fn take(
        store: &Arc<dyn ConversationStore>,
        id: &ConversationId,
        claim: &Claim,
    ) -> Result<Self, ConversationError> {
        let (store, id, claim) = (Arc::clone(store), id.clone(), claim.clone());
        // A task of its own, so that a lease that nobody waits for any more is given back as well.
        let taken = tokio::spawn(async move {
            let lease = Some(store.acquire(&id, &claim).await?);
            Ok(Self { store, lease })
        });
        match taken.await {
            Ok(taken) => taken,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// A lease, once nobody else has the conversation.
    pub(super) async fn wait(
        store: &Arc<dyn ConversationStore>,
        id: &ConversationId,
        claim: &Claim,
    ) -> Result<Self, ConversationError> {
        let [mut pause, longest] = PAUSES;
        loop {
            match Self::take(store, id, claim).await {
                Err(ConversationError::Held { left, .. }) => sleep(pause.min(left)).await,
                lease => return lease,
            }
            pause = (2 * pause).min(longest);
        }
    }

    /// The output of `run`, during which the lease is renewed.
    ///
    /// # Errors
    /// The lease was lost: `run` is dropped then.
    pub(super) async fn during<F: Future>(&self, run: F) -> Result<F::Output, ConversationError> {
        let (run, renewing) = (std::pin::pin!(run), std::pin::pin!(self.renew()));
        match select(run, renewing).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right((lost, _)) => Err(lost),
        }
    }

    /// Renews the lease until that fails for as long as it lasts.
    async fn renew(&self) -> ConversationError {
        let Some(lease) = &self.lease else { return std::future::pending().await };
        let mut renewed = Instant::now();
        loop {
            sleep((lease.ttl / 3).max(Duration::from_millis(1))).await;
            match self.store.renew(lease).await {
                Ok(()) => renewed = Instant::now(),
                Err(error @ ConversationError::LeaseLost { .. }) => return error,
                // A database that does not answer now may do so in time.
                Err(error) if renewed.elapsed() >= lease.ttl => return error,
                Err(_) => {}
            }
        }
    }

    /// Gives the lease back.
    pub(super) async fn release(mut self) {
        if let Some(lease) = self.lease.take() {
            // One that cannot be given back runs out.
            let _ = self.store.release(&lease).await;
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        // Without a runtime it runs out, and its owner may take it again before.
        let (Some(lease), Ok(runtime)) = (self.lease.take(), Handle::try_current()) else { return };
        let store = Arc::clone(&self.store);
        let mut release = async move { store.release(&lease).await.is_ok() }.boxed();
        if (&mut release).now_or_never().is_none() {
            runtime.spawn(release);
        }
    }
}
