//! Starts the run of each riddle, and watches how it ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ddg_core::checkpoint::StoreError;
use ddg_core::prelude::*;
use ddg_core::run::RunError;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, interval_at};

use super::super::error::RiddleError;
use super::super::outcome::{RiddleOutcome, RiddleState};
use super::super::platform::Platform;
use super::super::run::RiddleAutoma;
use super::super::store::RiddleStore;

/// How often riddles are looked for that another management has left, and what it has written.
const POLL: Duration = Duration::from_secs(1);

/// Starts the task that runs riddles.
pub(super) fn spawn(
    platform: Arc<Platform>,
    store: RiddleStore,
    mut starting: mpsc::UnboundedReceiver<String>,
) -> Result<AbortHandle, RiddleError> {
    let automa = RiddleAutoma { platform: Arc::clone(&platform) };
    let automa =
        Arc::new(automa.build().expect("the automa of riddles is declared without a fault"));
    let supervisor = async move {
        // Dropped with this task, and with it all runs.
        let mut runs = JoinSet::new();
        // The riddles of these runs.
        let mut here = BTreeSet::new();
        let mut poll = interval_at(Instant::now() + POLL, POLL);
        loop {
            let start = tokio::select! {
                Some(id) = starting.recv() => vec![id],
                Some(ended) = runs.join_next() => {
                    // The riddle of a run that panicked stays in `here`, so that it is not run
                    // again and again.
                    if let Ok(id) = ended {
                        here.remove(&id);
                    }
                    continue;
                }
                _ = poll.tick() => platform.written_elsewhere().await,
            };
            for id in start {
                if here.insert(id.clone()) {
                    let (platform, automa) = (Arc::clone(&platform), Arc::clone(&automa));
                    runs.spawn(run(platform, automa, store.clone(), id));
                }
            }
        }
    };
    Ok(tokio::spawn(supervisor).abort_handle())
}

/// One riddle, from where it is to its end. Returns its id.
async fn run(
    platform: Arc<Platform>,
    automa: Arc<TypedAutoma<RiddleOutcome>>,
    store: RiddleStore,
    id: String,
) -> String {
    let run = automa.run(args!(id.clone())).pace(Pace::Rolling);
    let run = run.stored_in(&store.runs, run_id(&id));
    match run.await {
        Ok(_) => {}
        // The run of another management, or one that its store has lost for a while. It is tried
        // again for as long as the riddle has not ended.
        Err(error) if is_passing(&error) => {
            tracing::warn!(riddle = id, %error, "a riddle is not run here for now");
        }
        Err(error) => {
            let reason = format!("its run failed: {error}");
            tracing::error!(riddle = id, error = %error, "the run of a riddle failed");
            if let Err(error) = give_up(&platform, &id, reason).await {
                tracing::error!(riddle = id, error = %error, "the end of a riddle could not be written");
            }
        }
    }
    platform.forget(&id);
    id
}

/// Whether a run may be continued later, here or elsewhere.
fn is_passing(error: &RunError) -> bool {
    if let RunError::Store(error) = error {
        let is_elsewhere = matches!(error, StoreError::Held { .. } | StoreError::Fenced { .. });
        return is_elsewhere || matches!(error, StoreError::Away { .. }) || error.is_transient();
    }
    // A worker whose log has failed.
    matches!(error.downcast_ref(), Some(RiddleError::Store { .. }))
}

async fn give_up(platform: &Platform, id: &str, reason: String) -> Result<(), RiddleError> {
    let mut riddle = platform.log.riddle(id).await?;
    if riddle.state == RiddleState::Running {
        riddle.state = RiddleState::Unsolved;
        riddle.reason = Some(reason);
        platform.end(&riddle).await?;
    }
    Ok(())
}

/// The id under which the run of a riddle is stored.
pub(super) fn run_id(riddle: &str) -> String {
    format!("riddle/{riddle}")
}
