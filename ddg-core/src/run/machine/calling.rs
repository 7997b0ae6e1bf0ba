//! What a worker that is due is called with.

use std::sync::Arc;

use super::{Due, Machine, Running};
use crate::args::Args;
use crate::graph::{Gives, Node, WorkerId};
use crate::key::Key;
use crate::run::Interrupted;
use crate::run::binding::{LastOutput, bind, map};
use crate::run::error::{BindError, Failure, FailureKind};
use crate::run::kickoff::{Cause, Job, Kickoff, KickoffId};
use crate::values::Value;

impl Machine {
    /// Gives what is due its number and its arguments, and puts it among `jobs`.
    pub(super) fn bind(&mut self, due: Due, jobs: &mut Vec<Job>) -> Result<(), Box<Failure>> {
        let node = self.view.node(due.worker);
        let spec = &node.spec;
        if spec.output {
            match &self.output_worker {
                Some(first) if first != node.key() => {
                    let kind = FailureKind::SecondOutput { first: first.clone() };
                    return Err(self.failure(node.key(), kind).into());
                }
                Some(_) => {}
                None => self.output_worker = Some(node.key().clone()),
            }
        }
        let ferried = matches!(due.cause, Cause::Ferry { .. });
        let mut args = Args::new();
        let mapped = match due.args {
            Some(given) => {
                args = given;
                Ok(())
            }
            None => map(spec, self.handed_on(due.worker, node), &mut args),
        };
        let bound = match mapped {
            Ok(()) => bind(spec, &mut args, ferried, &self.inputs, |key| self.last_output(key)),
            Err(found) => Err(self.not_unpackable(node, found)),
        };
        if let Err(error) = bound {
            return Err(self.failure(node.key(), FailureKind::Bind(*error)).into());
        }
        let id = KickoffId(self.next_kickoff);
        self.next_kickoff += 1;
        self.running.push(Running { id, worker: due.worker });
        jobs.push(Job {
            kickoff: Kickoff {
                id,
                worker: due.worker,
                spec: Arc::clone(spec),
                cause: due.cause,
                step: self.step,
            },
            args,
            again: None,
        });
        Ok(())
    }

    /// Runs again what was interrupted and can go on, within the same step.
    pub(super) fn begin_again(&mut self, jobs: &mut Vec<Job>) {
        let (again, still): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.interrupted).into_iter().partition(Interrupted::can_go_on);
        self.interrupted = still;
        for interrupted in again {
            let (id, worker) = (KickoffId(interrupted.kickoff), interrupted.worker);
            let (cause, args, again) = interrupted.go_on();
            self.running.push(Running { id, worker });
            let spec = Arc::clone(&self.view.node(worker).spec);
            jobs.push(Job {
                kickoff: Kickoff { id, worker, spec, cause, step: self.step },
                args,
                again: Some(Box::new(again)),
            });
        }
    }

    /// What the dependencies of `worker` hand on to it, in the order they were declared.
    fn handed_on<'a>(
        &'a self,
        worker: WorkerId,
        node: &'a Node,
    ) -> impl Iterator<Item = &'a Value> {
        static NULL: Value = Value::null();
        node.dependencies.iter().filter_map(move |edge| {
            if edge.on == WorkerId::VACANT {
                return None;
            }
            let output = match edge.gives {
                Gives::Output => self.outputs.get(edge.on),
                Gives::Element => self.dealt.get(&(worker, edge.on)),
                Gives::Nothing => return None,
            };
            Some(output.unwrap_or(&NULL))
        })
    }

    fn not_unpackable(&self, node: &Node, found: String) -> Box<BindError> {
        let dependency = node.live_dependencies().next().map(|(_, on)| self.view.node(on).key());
        let dependency = dependency.cloned().unwrap_or(Key::from_static(""));
        Box::new(BindError::NotUnpackable { dependency, found })
    }

    fn last_output(&self, key: &Key) -> LastOutput {
        match self.view.find(key.as_str()) {
            None => LastOutput::NoSuchWorker,
            Some(worker) => {
                self.outputs.get(worker).cloned().map_or(LastOutput::NotYet, LastOutput::Is)
            }
        }
    }
}
