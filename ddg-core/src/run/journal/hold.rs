//! The hold on a run in its store: renewed for as long as the run goes on, and given back once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::checkpoint::{CheckpointStore, Lease, StoreError};

/// A lease that is being held.
pub(super) struct Hold {
    store: Arc<dyn CheckpointStore>,
    lease: Lease,
    /// Renews the lease, however long a step takes.
    renewal: Option<AbortOnDropHandle<()>>,
    given_back: AtomicBool,
}

impl Hold {
    pub(super) fn new(store: Arc<dyn CheckpointStore>, lease: Lease) -> Self {
        let renewal = Handle::try_current().ok().map(|runtime| {
            let (store, lease) = (Arc::clone(&store), lease.clone());
            AbortOnDropHandle::new(runtime.spawn(async move {
                loop {
                    tokio::time::sleep(lease.ttl / 3).await;
                    if let Err(error @ StoreError::Fenced { .. }) = store.renew(&lease).await {
                        tracing::warn!(%error, "the lease of a run is lost");
                        return;
                    }
                }
            }))
        });
        Self { store, lease, renewal, given_back: AtomicBool::new(false) }
    }

    pub(super) fn store(&self) -> &Arc<dyn CheckpointStore> {
        &self.store
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Gives the lease back. If that fails, it runs out.
    pub(super) async fn give_back(&self) {
        if self.begin_to_give_back() {
            give_back(&*self.store, &self.lease).await;
        }
    }

    /// The same, for who cannot wait: it is done by the runtime, soon. Without one the lease runs
    /// out.
    pub(super) fn let_go(&self) {
        if let Ok(runtime) = Handle::try_current()
            && self.begin_to_give_back()
        {
            let (store, lease) = (Arc::clone(&self.store), self.lease.clone());
            runtime.spawn(async move { give_back(&*store, &lease).await });
        }
    }

    /// Stops to renew the lease; false if that has happened before.
    fn begin_to_give_back(&self) -> bool {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
        !self.given_back.swap(true, Ordering::Relaxed)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.let_go();
    }
}

async fn give_back(store: &dyn CheckpointStore, lease: &Lease) {
    if let Err(error) = store.release(lease).await {
        tracing::warn!(%error, "the lease of a run was not given back: it runs out");
    }
}
