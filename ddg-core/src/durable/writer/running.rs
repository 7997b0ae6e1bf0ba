//! The kickoffs that are running while a rolling run settles others.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::engine::{Job, RunCore};
use crate::graph::WorkerId;
use crate::key::Key;
use crate::local::KeptSpaces;
use crate::machine::{Interrupted, KickoffId, Pending};
use crate::saved::{Saved, is_same_space};
use crate::values::Value;

/// The running kickoffs, with what is needed to run them again.
///
/// A kickoff that runs again repeats its changes of its worker's local space. So the local space is
/// written as it was when the kickoff began. If kickoffs of one worker overlap, and one of them has
/// ended and changed the local space, it is unknown which kickoff made which change. Then no state
/// is written until all of them have ended.
#[derive(Default)]
pub(super) struct Running {
    kickoffs: BTreeMap<KickoffId, (WorkerId, Interrupted<Key, Saved>)>,
    workers: FxHashMap<WorkerId, Before>,
}

/// The local spaces of a worker when the first of its running kickoffs began.
struct Before {
    key: Key,
    values: BTreeMap<String, Value>,
    kept: Option<KeptSpaces>,
    /// Whether a kickoff has ended that changed them, while others were running.
    mixed: bool,
}

impl Running {
    /// Records kickoffs that are about to begin.
    pub(super) fn begun(&mut self, core: &RunCore, jobs: &[Job]) {
        for job in jobs {
            let key = core.body(job).role.key.clone();
            let replay = job.replay.as_ref();
            let execution = Interrupted {
                worker: key.clone(),
                kickoff: job.id.0,
                step: job.step,
                cause: job.cause.clone(),
                args: job.args.clone(),
                answers: replay.map(|replay| replay.answers.clone()).unwrap_or_default(),
                begun: replay.map(|replay| replay.begun.clone()).unwrap_or_default(),
                pending: Pending::Several(Vec::new()),
            };
            self.kickoffs.insert(job.id, (job.worker, execution));
            self.workers.entry(job.worker).or_insert_with(|| {
                let (values, kept) = core.spaces(job.worker);
                Before { key, values, kept, mixed: false }
            });
        }
    }

    /// Adds what is running to the state `saved`. Returns whether the state can be written.
    pub(super) fn settled(&mut self, core: &RunCore, saved: Option<&mut Saved>) -> bool {
        let machine = core.machine();
        let still: BTreeSet<_> = machine.running().map(|(id, _)| id).collect();
        let ended: Vec<_> = self
            .kickoffs
            .extract_if(.., |id, _| !still.contains(id))
            .map(|(_, (worker, _))| worker)
            .collect();
        let running: BTreeSet<_> =
            self.kickoffs.values().map(|(worker, _)| worker.index()).collect();
        // A worker that was removed while it is running has no key any more.
        let mut is_whole =
            self.kickoffs.values().all(|(worker, _)| machine.view().get(*worker).is_some());
        drop(machine);
        for worker in ended {
            if !running.contains(&worker.index()) {
                self.workers.remove(&worker);
            } else if let Some(before) = self.workers.get_mut(&worker) {
                let (values, _) = core.spaces(worker);
                before.mixed |= !is_same_space(&values, &before.values) || before.kept.is_some();
            }
        }
        is_whole &= self.workers.values().all(|before| !before.mixed);
        if let (true, Some(saved)) = (is_whole, saved) {
            for before in self.workers.values() {
                saved.set_local(&before.key, before.values.clone(), before.kept.clone());
            }
            let running =
                self.kickoffs.iter().map(|(id, (_, execution))| (id.0, execution.clone()));
            saved.set_running(running.collect());
        }
        is_whole
    }
}
