//! Changes of the tools, for clients that want to be told.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::tool::{ToolSpec, Toolbox};

/// The pause before a source that keeps its list is waited for again. It doubles with each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The tools as clients know them, and how often they have changed. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Changes(Arc<Known>);

#[derive(Default)]
struct Known {
    /// The tools that were listed last.
    listed: Mutex<Option<Arc<[ToolSpec]>>>,
    /// Number of changes so far.
    n_changes: watch::Sender<u64>,
}

impl Changes {
    /// The toolbox as it is now. Counts a change if its tools are others than before.
    pub(super) async fn now(&self, tools: &Toolbox) -> Toolbox {
        let now = tools.now().await;
        let specs = now.specs();
        let mut listed = self.0.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = listed.as_ref().is_some_and(|listed| *listed != specs);
        *listed = Some(specs);
        if has_changed {
            self.0.n_changes.send_modify(|n| *n += 1);
        }
        drop(listed);
        now
    }

    /// Tells of each change until a client cannot be told.
    ///
    /// # Cancel safety
    /// No change is told twice.
    pub(super) async fn tell<E, Fut>(&self, tools: &Toolbox, tell: impl Fn() -> Fut)
    where
        Fut: Future<Output = Result<(), E>>,
    {
        let mut changes = self.0.n_changes.subscribe();
        let mut now = self.now(tools).await;
        let mut pause = SHORTEST_PAUSE;
        loop {
            if changes.has_changed().is_ok_and(|has_changed| has_changed) {
                changes.mark_unchanged();
                if tell().await.is_err() {
                    return;
                }
            }
            tokio::select! {
                // The sender lives as long as this.
                _ = changes.changed() => changes.mark_changed(),
                () = now.changed() => {
                    let later = self.now(tools).await;
                    if later.is_of_same_lists(&now) {
                        // The source cannot say what has changed.
                        sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    } else {
                        pause = SHORTEST_PAUSE;
                    }
                    now = later;
                }
            }
        }
    }
}
