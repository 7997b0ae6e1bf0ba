//! The lease of a conversation, held while a run of it is active.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ddg_core::checkpoint::{Claim, Owner};
use futures::FutureExt;
use futures::future::{Either, select};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::memory::{ConversationError, ConversationId, ConversationLease, ConversationStore};

/// How long a lease lasts without being renewed.
const TTL: Duration = Duration::from_secs(30);

/// First and longest pause before another attempt to acquire a lease that another owner holds.
const PAUSES: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(200)];

/// Guard of a lease: releases it when dropped, in the background if it cannot be released at once.
pub(super) struct HeldLease {
    store: Arc<dyn ConversationStore>,
    lease: Option<ConversationLease>,
}

/// A claim with an owner that is unique across agents and processes.
pub(super) fn own_claim() -> Claim {
    static N_AGENTS: AtomicU64 = AtomicU64::new(0);
    let (process, nth) = (Owner::this_process(), N_AGENTS.fetch_add(1, Ordering::Relaxed));
    let name = format!("agent {nth} of {process}");
    Claim::new(Owner::kept(name, process.process().map(str::to_owned)), TTL)
}

impl HeldLease {
    /// Acquires the lease, or fails if another owner holds it.
    pub(super) async fn take(
        store: &Arc<dyn ConversationStore>,
        id: &ConversationId,
        claim: &Claim,
    ) -> Result<Self, ConversationError> {
        let (store, id, claim) = (Arc::clone(store), id.clone(), claim.clone());
        // The task completes if this future is dropped, so its guard still releases the lease.
        let taken = tokio::spawn(async move {
            let lease = Some(store.acquire(&id, &claim).await?);
            Ok(Self { store, lease })
        });
        match taken.await {
            Ok(taken) => taken,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// Waits until no other owner holds the lease, and acquires it.
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

    /// Runs `run` to its end, and renews the lease meanwhile.
    ///
    /// # Errors
    /// If the lease was lost. `run` is dropped then.
    pub(super) async fn during<F: Future>(&self, run: F) -> Result<F::Output, ConversationError> {
        let (run, renewing) = (std::pin::pin!(run), std::pin::pin!(self.renew()));
        match select(run, renewing).await {
            Either::Left((output, _)) => Ok(output),
            Either::Right((lost, _)) => Err(lost),
        }
    }

    /// Renews the lease until it is lost, or until renewing has failed for as long as it lasts.
    async fn renew(&self) -> ConversationError {
        let Some(lease) = &self.lease else { return std::future::pending().await };
        let mut renewed = Instant::now();
        loop {
            sleep((lease.ttl / 3).max(Duration::from_millis(1))).await;
            match self.store.renew(lease).await {
                Ok(()) => renewed = Instant::now(),
                Err(error @ ConversationError::LeaseLost { .. }) => return error,
                // A database that does not respond now may respond before the lease expires.
                Err(error) if renewed.elapsed() >= lease.ttl => return error,
                Err(_) => {}
            }
        }
    }

    /// Releases the lease, also if this future is dropped meanwhile.
    pub(super) async fn release(mut self) {
        if let Some(released) = self.release_soon() {
            // A task that could not release it has ended, too: the lease expires then.
            let _ = released.await;
        }
    }

    /// Begins to release the lease. The returned task is what is still to be done.
    fn release_soon(&mut self) -> Option<JoinHandle<()>> {
        let lease = self.lease.take()?;
        // Without a runtime the lease expires; until then its owner can still acquire it again.
        let runtime = Handle::try_current().ok()?;
        let store = Arc::clone(&self.store);
        let mut release = async move { released(&*store, &lease).await }.boxed();
        match (&mut release).now_or_never() {
            Some(()) => None,
            None => Some(runtime.spawn(release)),
        }
    }
}

/// Releases `lease`; tries again while the store fails and the lease may still be held.
async fn released(store: &dyn ConversationStore, lease: &ConversationLease) {
    let began = Instant::now();
    let [mut pause, longest] = PAUSES;
    while let Err(error) = store.release(lease).await {
        if matches!(error, ConversationError::LeaseLost { .. }) || began.elapsed() >= lease.ttl {
            tracing::warn!(%error, conversation = %lease.conversation, "a lease was not released");
            return;
        }
        sleep(pause).await;
        pause = (2 * pause).min(longest);
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.release_soon();
    }
}
