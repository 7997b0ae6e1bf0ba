//! A run that has not ended.

use std::sync::Arc;

use super::{Outcome, RunCore, RunError};
use crate::event::EventKind;

/// A run on its way from its preparation to its end, also where that is being dropped: it tells
/// those who watch how the run ended, and releases those who wait for something in it, or for it.
pub(crate) struct Live {
    pub(super) core: Arc<RunCore>,
    stage: Stage,
}

enum Stage {
    Prepared,
    Begun,
    /// With what is told of its end, if somebody watches.
    Ended(Option<EventKind>),
}

impl Live {
    pub(super) fn new(core: Arc<RunCore>) -> Self {
        Self { core, stage: Stage::Prepared }
    }

    pub(super) fn begin(&mut self) {
        self.stage = Stage::Begun;
        if self.core.look_for_watchers() {
            self.core.feed().begin();
            let name = self.core.automa().to_string();
            self.core.emit(0, EventKind::RunStarted { name });
        }
    }

    pub(super) fn end(&mut self, ended: &Result<Outcome, RunError>) {
        let told = self.core.feed().is_watched().then(|| match ended {
            Ok(outcome) if outcome.is_paused() => {
                EventKind::RunPaused { questions: outcome.questions() }
            }
            Ok(outcome) => EventKind::RunFinished {
                output: outcome.output().clone(),
                stopped: outcome.stopped(),
            },
            Err(RunError::Cancelled { .. }) => EventKind::RunCancelled,
            Err(error) => EventKind::RunFailed { error: error.to_string() },
        });
        self.stage = Stage::Ended(told);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(journal) = &self.core.journal {
            journal.let_go();
        }
        let told = match std::mem::replace(&mut self.stage, Stage::Ended(None)) {
            Stage::Prepared => None,
            Stage::Begun => self.core.feed().is_watched().then_some(EventKind::RunCancelled),
            Stage::Ended(told) => told,
        };
        self.core.end(told);
    }
}
