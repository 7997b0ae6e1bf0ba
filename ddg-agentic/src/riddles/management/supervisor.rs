//! Starts the run of each riddle, and watches how it ends.

use std::sync::Arc;

use ddg_core::prelude::*;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::super::error::RiddleError;
use super::super::outcome::{RiddleOutcome, RiddleState};
use super::super::platform::Platform;
use super::super::run::RiddleAutoma;
use super::super::store::RiddleStore;

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
        loop {
            tokio::select! {
                Some(id) = starting.recv() => {
                    let run = run(Arc::clone(&platform), Arc::clone(&automa), store.clone(), id);
                    runs.spawn(run);
                }
                Some(_) = runs.join_next() => {}
                else => return,
            }
        }
    };
    Ok(tokio::spawn(supervisor).abort_handle())
}

/// One riddle, from where it is to its end.
async fn run(
    platform: Arc<Platform>,
    automa: Arc<TypedAutoma<RiddleOutcome>>,
    store: RiddleStore,
    id: String,
) {
    let run = automa.run(args!(id.clone())).pace(Pace::Rolling);
    let run = run.stored_in(&store.runs, run_id(&id));
    if let Err(error) = run.await {
        let reason = format!("its run failed: {error}");
        tracing::error!(riddle = id, error = %error, "the run of a riddle failed");
        if let Err(error) = give_up(&platform, &id, reason).await {
            tracing::error!(riddle = id, error = %error, "the end of a riddle could not be written");
        }
    }
    platform.forget(&id);
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
fn run_id(riddle: &str) -> String {
    format!("riddle/{riddle}")
}
