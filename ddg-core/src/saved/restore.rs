//! Restores a machine from a saved state.

use std::sync::Arc;

use super::graph::Scope;
use super::{Saved, SnapshotError};
use crate::automa::Program;
use crate::graph::{View, WorkerId};
use crate::key::Key;
use crate::local::Locals;
use crate::machine::{KickoffId, Machine, Ready, State};
use crate::path::WorkerPath;
use crate::worker::Body;

/// Upper bound of step and kickoff numbers, which no run reaches. Larger ones mean damaged data.
const MOST: u64 = 1 << 53;

/// A state that is being restored.
struct Restoring<'a> {
    program: &'a Arc<Program>,
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
        program: &Arc<Program>,
        mut view: View<Arc<Body>>,
        path: Option<Arc<WorkerPath>>,
    ) -> Result<(Machine<Arc<Body>>, Locals), SnapshotError> {
        let lenient = self.check(program)?;
        view.grow(&self.graph, program, &Scope::top(program), lenient)?;
        let state = State::new(view, Arc::new(self.inputs.clone()));
        let mut restoring = Restoring { program, state, locals: Locals::default(), lenient };
        restoring.progress(self)?;
        let Restoring { state, locals, .. } = restoring;
        let settings = &program.settings;
        Ok((Machine::of(state, path, settings.pace, settings.max_steps), locals))
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
    /// Restores the progress of the run.
    fn progress(&mut self, saved: Saved) -> Result<(), SnapshotError> {
        self.state.step = saved.step;
        self.state.next_kickoff = saved.next_kickoff;
        self.state.output_worker = saved.output_worker;
        self.state.result = saved.result;
        for due in saved.due {
            let worker = self.find(&due.worker)?;
            self.state.ready.push(Ready { worker, cause: due.cause, args: due.args });
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
            self.state.held.workers.push(worker);
        }
        for (key, kickoff) in saved.latest {
            self.state.held.latest.insert(self.find(&key)?, KickoffId(kickoff));
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
                    Some(by) => _ = self.state.dealt.insert((id, by), value),
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
            let (ended, _) = answered.result.into_ended(self.program, view, id, worker)?;
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
        let automa = self.program.automa().to_string();
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
                automa: self.program.automa().to_string(),
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
