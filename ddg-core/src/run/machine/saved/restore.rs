//! A machine that goes on from a saved state.

use std::sync::Arc;

use super::super::{Due, Machine};
use super::Saved;
use crate::args::Args;
use crate::context::LocalSpace;
use crate::graph::{Scope, View, WorkerId};
use crate::key::Key;
use crate::path::Path;
use crate::snapshot::SnapshotError;

/// More steps and kickoffs than any run has.
const MOST: u64 = 1 << 53;

impl Machine {
    /// Goes on from `saved` with the graph of `view`.
    ///
    /// # Errors
    /// The graph is another one than that of the saved run.
    pub(crate) fn restore(
        mut view: View,
        path: Option<Arc<Path>>,
        saved: Saved,
    ) -> Result<Self, SnapshotError> {
        let lenient = saved.check(&view)?;
        let base = Arc::clone(view.base());
        view.grow(&saved.graph, &Scope::top(&base), lenient)?;
        let automa = saved.automa;
        let find = |view: &View, key: &Key| {
            view.find(key.as_str()).ok_or_else(|| SnapshotError::UnknownWorker {
                automa: automa.clone(),
                key: key.clone(),
            })
        };
        let locals = saved.locals.into_iter().map(|(key, values)| (key, LocalSpace::of(values)));
        let mut machine = Self::new(view, path, Args::new(), &saved.inputs, locals.collect());
        machine.step = saved.step;
        machine.next_kickoff = saved.next_kickoff;
        machine.due.clear();
        for due in saved.due {
            let worker = find(&machine.view, &due.worker)?;
            machine.due.push(Due { worker, cause: due.cause, args: due.args });
        }
        for (worker, crossed) in saved.crossed {
            let id = find(&machine.view, &worker)?;
            for dependency in crossed {
                match machine.place_of(id, &dependency) {
                    Some(place) => _ = machine.waits.cross(id, place as u32),
                    None if lenient => {}
                    None => {
                        return Err(SnapshotError::UnknownDependency {
                            automa,
                            worker,
                            dependency,
                        });
                    }
                }
            }
        }
        for (key, output) in saved.outputs {
            let id = find(&machine.view, &key)?;
            machine.outputs.set(id, output);
        }
        for (to, dealt) in saved.dealt {
            let id = find(&machine.view, &to)?;
            for (by, value) in dealt {
                match machine.view.find(by.as_str()) {
                    Some(by) => _ = machine.dealt.insert((id, by), value),
                    None if lenient => {}
                    None => return Err(SnapshotError::UnknownWorker { automa, key: by }),
                }
            }
        }
        for interrupted in saved.interrupted {
            let worker = find(&machine.view, &interrupted.worker)?;
            machine.interrupted.push(interrupted.with_worker(worker));
        }
        machine.output_worker = saved.output_worker;
        machine.result = saved.result;
        Ok(machine)
    }

    /// The place of `dependency` among those of `worker`.
    fn place_of(&self, worker: WorkerId, dependency: &Key) -> Option<usize> {
        let on = self.view.find(dependency.as_str())?;
        let mut dependencies = self.view.node(worker).live_dependencies();
        dependencies.find(|(_, have)| *have == on).map(|(place, _)| place)
    }
}

impl Saved {
    /// Whether the declared graph of `view` is that of the saved run; tells whether it need not be.
    fn check(&self, view: &View) -> Result<bool, SnapshotError> {
        let automa = view.base().automa.to_string();
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
        let differences = declared.differences(view.base());
        if differences.is_empty() {
            return Ok(false);
        }
        Err(SnapshotError::Redeclared { automa, differences })
    }
}
