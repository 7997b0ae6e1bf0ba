//! The drop guard of a run.

use std::sync::Arc;

use super::RunCore;
use crate::event::EventKind;
use crate::run::{Outcome, RunEnd, RunError};

/// Drop guard of a run: publishes its last event, fails open requests, and releases its lease, also
/// if the run is dropped before its end.
pub(crate) struct RunGuard {
    pub(crate) core: Arc<RunCore>,
    stage: Stage,
}

enum Stage {
    Waiting,
    Begun,
    /// With the last event, if there are subscribers.
    Ended(Option<Box<EventKind>>),
}

impl RunGuard {
    pub(crate) fn new(core: Arc<RunCore>) -> Self {
        Self { core, stage: Stage::Waiting }
    }

    pub(crate) fn begin(&mut self) {
        self.stage = Stage::Begun;
        if self.core.look_for_watchers() {
            self.core.feed().begin();
            let name = self.core.automa().to_string();
            self.core.emit(0, EventKind::RunStarted { name });
        }
    }

    /// Continues the run as `core`, which has its last written state.
    pub(crate) fn go_on_with(&mut self, core: Arc<RunCore>) {
        core.keep_span(&self.core.attached.span());
        // A run inside another publishes its events through the outermost run, which stays.
        if core.is_outermost() {
            core.feed().take_over(self.core.feed());
        }
        let before = std::mem::replace(&mut self.core, core);
        before.end_attachments();
        before.requests.end();
    }

    pub(crate) fn end(&mut self, ended: &Result<Outcome, RunError>) {
        let told = self.core.feed().is_watched().then(|| {
            Box::new(match ended {
                Ok(outcome) if outcome.is_paused() => {
                    EventKind::RunPaused { questions: outcome.questions() }
                }
                Ok(outcome) => EventKind::RunFinished {
                    output: outcome.output().clone(),
                    stopped: outcome.stopped(),
                },
                Err(RunError::Cancelled { .. }) => EventKind::RunCancelled,
                Err(error) => EventKind::RunFailed { error: error.to_string() },
            })
        });
        self.core.attached.ends_as(|| match ended {
            Ok(outcome) if outcome.is_paused() => RunEnd::Paused,
            Ok(outcome) if outcome.stopped() => RunEnd::Stopped,
            Ok(_) => RunEnd::Finished,
            Err(RunError::Cancelled { .. }) => RunEnd::Cancelled,
            Err(error) => RunEnd::Failed { error: error.to_string() },
        });
        self.stage = Stage::Ended(told);
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        if let Some(journal) = self.core.journal() {
            // Drop cannot wait for the store, so the lease is released in the background.
            journal.release_soon();
        }
        let told = match std::mem::replace(&mut self.stage, Stage::Ended(None)) {
            Stage::Waiting => None,
            Stage::Begun => {
                self.core.feed().is_watched().then(|| Box::new(EventKind::RunCancelled))
            }
            Stage::Ended(told) => told,
        };
        self.core.end_attachments();
        self.core.end(told.map(|told| *told));
    }
}
