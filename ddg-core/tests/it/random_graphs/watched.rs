//! Checks the events of a run while it is driven against rules for all runs.

use std::collections::BTreeMap;

use ddg_core::Key;
use ddg_core::event::{Event, EventFilter, EventKind, EventStream, ScheduledKickoff};
use ddg_core::run::{KickoffId, RunBuilder};
use futures::StreamExt;

/// Subscribers of a run: one that gets everything, and one that never takes anything.
pub(super) struct Watcher {
    events: EventStream,
    _idle: EventStream,
}

/// The events of a step.
#[derive(Default)]
struct Step {
    kickoffs: BTreeMap<KickoffId, Key>,
    /// The kickoffs that began and have not ended.
    running: BTreeMap<KickoffId, Key>,
    finished: BTreeMap<KickoffId, Key>,
    settling: bool,
}

impl Watcher {
    pub(super) fn of(run: &RunBuilder) -> Self {
        let events = run.events(EventFilter::all().buffer(usize::MAX));
        let idle = (EventFilter::all() | EventFilter::values()).buffer(1);
        Self { events, _idle: run.events(idle) }
    }

    pub(super) async fn check(self) {
        let events: Vec<_> = self.events.map(Result::unwrap).collect().await;
        if let [event] = events.as_slice()
            && matches!(event.kind, EventKind::RunFailed { .. })
        {
            // It could not begin.
            return;
        }
        let [first, middle @ .., last] = events.as_slice() else { panic!("{events:?}") };
        assert!(matches!(first.kind, EventKind::RunStarted { .. }), "{first}");
        assert!(
            matches!(last.kind, EventKind::RunFinished { .. } | EventKind::RunFailed { .. }),
            "{last}"
        );
        // The state that the other one is told is counted, too.
        assert_eq!(first.number, 0);
        assert!(events.is_sorted_by(|one, next| one.number < next.number), "{events:?}");
        assert!(events.is_sorted_by_key(|event| event.at));
        let mut step = Step::default();
        for event in middle {
            step.take(event);
        }
        assert!(step.running.is_empty() || matches!(last.kind, EventKind::RunFailed { .. }));
    }
}

impl Step {
    fn take(&mut self, event: &Event) {
        match &event.kind {
            EventKind::StepStarted { kickoffs } => {
                assert!(self.kickoffs.is_empty(), "the step before has settled: {event}");
                assert!(kickoffs.is_sorted_by_key(|scheduled| scheduled.kickoff), "{event}");
                let by_id = |ScheduledKickoff { worker, kickoff, .. }: &ScheduledKickoff| {
                    (*kickoff, worker.clone())
                };
                self.kickoffs = kickoffs.iter().map(by_id).collect();
            }
            EventKind::WorkerStarted { worker, kickoff } => {
                assert_eq!(self.kickoffs.get(kickoff), Some(worker), "{event}");
                assert_eq!(self.running.insert(*kickoff, worker.clone()), None, "{event}");
            }
            EventKind::WorkerFinished { worker, kickoff, .. } => {
                assert_eq!(self.running.remove(kickoff).as_ref(), Some(worker), "{event}");
                self.finished.insert(*kickoff, worker.clone());
            }
            EventKind::AttemptFailed { worker, kickoff, attempt: 1, .. } => {
                assert_eq!(self.running.get(kickoff), Some(worker), "{event}");
            }
            EventKind::WorkerFailed { worker, kickoff, .. } => {
                assert_eq!(self.running.remove(kickoff).as_ref(), Some(worker), "{event}");
            }
            EventKind::GraphChanged { .. } => {
                assert!(!self.settling && self.running.is_empty(), "{event}");
                self.settling = true;
            }
            EventKind::Ferried { by, .. } => {
                assert!(self.running.is_empty(), "{event}");
                assert!(self.finished.values().any(|worker| worker == by), "{event}");
                self.settling = true;
            }
            EventKind::StepSettled { outputs } => {
                assert!(self.running.is_empty() && self.finished.len() == self.kickoffs.len());
                // In kickoff order, without those that were removed.
                let mut finished = self.finished.values();
                for output in outputs {
                    assert!(finished.any(|worker| *worker == output.worker), "{event}");
                }
                *self = Self::default();
            }
            other => panic!("not told in this run: {other}"),
        }
    }
}
