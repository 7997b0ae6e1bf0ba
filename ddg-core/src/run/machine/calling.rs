//! What a worker that is due is called with.

use std::sync::Arc;

use super::{Due, Machine};
use crate::graph::{Gives, Node, WorkerId};
use crate::key::Key;
use crate::run::binding::{LastOutput, bind, map};
use crate::run::error::{BindError, Failure, FailureKind};
use crate::run::kickoff::{Cause, Job, Kickoff, KickoffId};
use crate::values::Value;

impl Machine {
    /// Gives what is due its number and its arguments.
    pub(super) fn bind(&mut self, due: Due) -> Result<Job, Box<Failure>> {
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
        let args = match due.args {
            Some(args) => Ok(args),
            None => map(spec.mapping, self.handed_on(due.worker, node))
                .map_err(|found| self.not_unpackable(node, found)),
        };
        let args = args
            .and_then(|args| {
                let ferried = matches!(due.cause, Cause::Ferry { .. });
                bind(spec, args, ferried, &self.inputs, |key| self.last_output(key))
            })
            .map_err(|error| self.failure(node.key(), FailureKind::Bind(*error)))?;
        let id = KickoffId(self.next_kickoff);
        self.next_kickoff += 1;
        Ok(Job {
            kickoff: Kickoff {
                id,
                worker: due.worker,
                spec: Arc::clone(spec),
                cause: due.cause,
                step: self.step,
            },
            args,
        })
    }

    /// What the dependencies of `worker` hand on to it, in the order they were declared.
    fn handed_on(&self, worker: WorkerId, node: &Node) -> impl Iterator<Item = Value> {
        node.dependencies.iter().filter_map(move |edge| {
            if edge.on == WorkerId::VACANT {
                return None;
            }
            let output = match edge.gives {
                Gives::Output => self.outputs[edge.on.index()].clone(),
                Gives::Element => self.dealt.get(&(worker, edge.on)).cloned(),
                Gives::Nothing => return None,
            };
            Some(output.unwrap_or_default())
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
                self.outputs[worker.index()].clone().map_or(LastOutput::NotYet, LastOutput::Is)
            }
        }
    }
}
