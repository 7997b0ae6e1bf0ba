//! Restores a machine from a saved state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::graph::Scope;
use super::{KickoffPath, Progress, Saved, SnapshotError};
use crate::automa::{Declarations, Program};
use crate::graph::{View, WorkerId};
use crate::key::Key;
use crate::local::Locals;
use crate::machine::{KickoffId, Machine, State, UnderWay};
use crate::path::WorkerPath;
use crate::worker::Body;

/// Upper bound of step and kickoff numbers, which no run reaches. Larger ones mean damaged data.
const MOST: u64 = 1 << 53;

/// A state that is being restored.
struct Restoring<'a> {
    names: Declarations<'a>,
    state: State<Arc<Body>>,
    locals: Locals,
    /// Whether state that the declaration does not have any more is left out.
    lenient: bool,
}

impl Saved {
    /// A run of `program` with the graph `view` that continues from this state.
    ///
    /// # Errors
    /// If the graph differs from that of the saved run.
    pub(crate) fn restore(
        self,
        names: Declarations<'_>,
        mut view: View<Arc<Body>>,
        path: Option<Arc<WorkerPath>>,
    ) -> Result<(Machine<Arc<Body>>, Locals), SnapshotError> {
        let program = names.program;
        let lenient = self.check(program)?;
        let stopping = self.stopping;
        view.grow(&self.graph, program, &Scope::top(names), lenient)?;
        let state = State::new(view, self.inputs.clone().into());
        let mut restoring = Restoring { names, state, locals: Locals::default(), lenient };
        restoring.progress(self)?;
        let Restoring { state, locals, .. } = restoring;
        let settings = &program.settings;
        let mut machine = Machine::of(state, path, settings.pace, settings.max_steps);
        if stopping {
            machine.stop();
        }
        Ok((machine, locals))
    }

    /// Checks that the automa is that of the saved run. Returns whether differences are accepted.
    fn check(&self, program: &Program) -> Result<bool, SnapshotError> {
        let automa = program.automa().to_string();
        if automa != self.automa {
            return Err(SnapshotError::OtherAutoma { automa, saved: self.automa.clone() });
        }
        for (what, number) in [
            ("the number of its step", self.step),
            ("the number of its next kickoff", self.next_kickoff),
            ("the number of a worker that was added", self.graph.latest()),
        ] {
            if number > MOST {
                return Err(SnapshotError::Damaged { automa, what, number });
            }
        }
        let Some(declared) = &self.declared else { return Ok(true) };
        let differences = declared.differences(program);
        if differences.is_empty() {
            return Ok(false);
        }
        Err(SnapshotError::Redeclared { automa, differences })
    }
}

impl Restoring<'_> {
    /// Restores what had begun after the state was reached.
    fn under_way(&mut self, saved: &mut Saved) -> Result<(), SnapshotError> {
        if saved.running.is_empty() && saved.progress.is_empty() {
            return Ok(());
        }
        let (mut ended, mut inner) = (BTreeMap::new(), BTreeMap::new());
        let top = KickoffPath::default();
        let ids: BTreeSet<_> =
            saved.progress.keys().filter_map(|path| path.kickoff_in(&top)).collect();
        for id in ids {
            let Some(progress) = saved.progress.remove(&top.to(id)) else {
                return Err(self.stray(Key::from(saved.automa.as_str()), id, saved.step));
            };
            let key = progress.worker().clone();
            if saved.worker_of(id) != Some(&key) {
                return Err(self.stray(key, id, saved.step));
            }
            match progress {
                Progress::Inner { mut run, .. } => {
                    saved.complete_inner(id, &mut run);
                    inner.insert(id, *run);
                }
                Progress::Ended(result) => {
                    let (worker, view) = (self.find(&key)?, &self.state.view);
                    let (end, local) = result.into_ended(self.names, view, id, worker)?;
                    if let Some(values) = local {
                        saved.locals.insert(key, values);
                    }
                    ended.insert(id, end);
                }
            }
        }
        let mut running = Vec::new();
        for (id, execution) in std::mem::take(&mut saved.running) {
            let worker = self.find(&execution.worker)?;
            if execution.kickoff != id {
                return Err(self.stray(execution.worker, KickoffId(id), saved.step));
            }
            running.push(execution.with_worker(worker));
        }
        self.state.under_way = Some(Box::new(UnderWay { running, ended, inner }));
        Ok(())
    }

    /// The error for something that has been reached by a worker that does not run next.
    fn stray(&self, worker: Key, id: KickoffId, step: u64) -> SnapshotError {
        let automa = self.names.program.automa().to_string();
        SnapshotError::StrayResult { automa, worker, kickoff: id.0, step }
    }

    /// Restores the progress of the run.
    fn progress(&mut self, mut saved: Saved) -> Result<(), SnapshotError> {
        self.under_way(&mut saved)?;
        self.state.step = saved.step;
        self.state.next_kickoff = saved.next_kickoff;
        self.state.output_worker = saved.output_worker;
        self.state.result = saved.result;
        self.state.mail = saved.mail;
        for due in saved.due {
            let worker = self.find(&due.worker)?;
            self.state.ready.push_given(worker, due.cause, due.args);
        }
        for (worker, crossed) in saved.crossed {
            for dependency in crossed {
                if let Some((id, place)) = self.edge(&worker, &dependency)? {
                    self.state.waits.cross(id, place);
                }
            }
        }
        for key in saved.held {
            let worker = self.find(&key)?;
            self.state.held.push(worker);
        }
        for key in saved.after_nobody {
            let worker = self.find(&key)?;
            self.state.held.push_after_nobody([worker]);
        }
        for (key, kickoff) in saved.latest {
            let worker = self.find(&key)?;
            self.state.held.is_latest(worker, KickoffId(kickoff));
        }
        for (key, output) in saved.outputs {
            let id = self.find(&key)?;
            self.state.outputs.set(id, output);
        }
        self.state.departed = saved.departed.into_iter().collect();
        for (to, dealt) in saved.dealt {
            let id = self.find(&to)?;
            for (by, value) in dealt {
                match self.state.view.find(by.as_str()) {
                    Some(by) => self.state.dealt.set(id, by, value),
                    None if self.lenient => {}
                    None => return Err(self.unknown(&by)),
                }
            }
        }
        for interrupted in saved.interrupted {
            let worker = self.find(&interrupted.worker)?;
            self.state.interrupted.push(interrupted.with_worker(worker));
        }
        for answered in saved.answered {
            let worker = self.find(answered.result.worker())?;
            let id = KickoffId(answered.kickoff);
            let view = &self.state.view;
            let (ended, _) = answered.result.into_ended(self.names, view, id, worker)?;
            self.state.answered.push(ended);
        }
        // Workers that were removed have no state.
        for (key, values) in saved.locals {
            if let Some(worker) = self.state.view.find(key.as_str()) {
                self.locals.insert(worker, values);
            }
        }
        for (key, kept) in saved.kept {
            if let Some(worker) = self.state.view.find(key.as_str()) {
                self.locals.keep(worker, kept);
            }
        }
        Ok(())
    }

    fn find(&self, key: &Key) -> Result<WorkerId, SnapshotError> {
        self.state.view.find(key.as_str()).ok_or_else(|| self.unknown(key))
    }

    fn unknown(&self, key: &Key) -> SnapshotError {
        let automa = self.names.program.automa().to_string();
        SnapshotError::UnknownWorker { automa, key: key.clone() }
    }

    /// The edge from `dependency` to `worker`: the id of the worker, and the index of the edge
    /// there.
    fn edge(
        &self,
        worker: &Key,
        dependency: &Key,
    ) -> Result<Option<(WorkerId, u32)>, SnapshotError> {
        let id = self.find(worker)?;
        match self.place_of(id, dependency) {
            Some(place) => Ok(Some((id, place as u32))),
            None if self.lenient => Ok(None),
            None => Err(SnapshotError::UnknownDependency {
                automa: self.names.program.automa().to_string(),
                worker: worker.clone(),
                dependency: dependency.clone(),
            }),
        }
    }

    /// The index of `dependency` among the dependencies of `worker`.
    fn place_of(&self, worker: WorkerId, dependency: &Key) -> Option<usize> {
        let on = self.state.view.find(dependency.as_str())?;
        let mut dependencies = self.state.view.node(worker).live_dependencies();
        dependencies.find(|(_, have)| *have == on).map(|(place, _)| place)
    }
}
