//! The lease of a run: renewed while the run is active, and released once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::checkpoint::{CheckpointStore, Lease, StoreError};

/// Drop guard of a lease.
pub(super) struct LeaseGuard {
    store: Arc<dyn CheckpointStore>,
    lease: Lease,
    /// The task that renews the lease, independently of the duration of a step.
    renewal: Option<AbortOnDropHandle<()>>,
    released: AtomicBool,
}

impl LeaseGuard {
    pub(super) fn new(store: Arc<dyn CheckpointStore>, lease: Lease) -> Self {
        let renewal = Handle::try_current().ok().map(|runtime| {
            let (store, lease) = (Arc::clone(&store), lease.clone());
            AbortOnDropHandle::new(runtime.spawn(async move {
                loop {
                    // A third, so that the lease survives one renewal that fails and is tried
                    // again.
                    tokio::time::sleep(lease.ttl / 3).await;
                    // Any other error may be temporary, so the next renewal tries again.
                    if let Err(error @ StoreError::Fenced { .. }) = store.renew(&lease).await {
                        tracing::warn!(%error, "the lease of a run is lost");
                        return;
                    }
                }
            }))
        });
        Self { store, lease, renewal, released: AtomicBool::new(false) }
    }

    pub(super) fn store(&self) -> &Arc<dyn CheckpointStore> {
        &self.store
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Releases the lease. If that fails, it expires.
    pub(super) async fn release(&self) {
        if self.begin_release() {
            release(&*self.store, &self.lease).await;
        }
    }

    /// Releases the lease in the background, for code that cannot wait. Without a runtime, the
    /// lease expires.
    pub(super) fn release_soon(&self) {
        if let Ok(runtime) = Handle::try_current()
            && self.begin_release()
        {
            let (store, lease) = (Arc::clone(&self.store), self.lease.clone());
            runtime.spawn(async move { release(&*store, &lease).await });
        }
    }

    /// Stops renewing the lease. Returns false if this has happened before.
    fn begin_release(&self) -> bool {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
        !self.released.swap(true, Ordering::Relaxed)
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        self.release_soon();
    }
}

async fn release(store: &dyn CheckpointStore, lease: &Lease) {
    if let Err(error) = store.release(lease).await {
        tracing::warn!(%error, "the lease of a run was not given back: it runs out");
    }
}
