//! What a worker that is due is called with.

use std::sync::Arc;

use super::{Due, Machine};
use crate::graph::{Node, WorkerId};
use crate::key::Key;
use crate::run::binding::{Given, LastOutput, bind, map};
use crate::run::error::{Failure, FailureKind};
use crate::run::kickoff::{Job, Kickoff, KickoffId};
use crate::values::Value;
use crate::worker::Dealing;

impl Machine {
    /// Gives what is due its number and its arguments.
    pub(super) fn bind(&mut self, due: Due) -> Result<Job, Box<Failure>> {
        let node = self.view.node(due.worker);
        let spec = &node.spec;
        if spec.output {
            match &self.output_worker {
                Some(first) if *first != node.key => {
                    let kind = FailureKind::SecondOutput { first: first.clone() };
                    return Err(self.failure(&node.key, kind).into());
                }
                Some(_) => {}
                None => self.output_worker = Some(node.key.clone()),
            }
        }
        let bound = match due.args {
            Some(args) => Ok(args),
            None => map(spec.mapping, self.given_to(due.worker, node)),
        }
        .and_then(|args| {
            let last_output = |key: &Key| self.last_output(key);
            bind(spec, Given { args, inputs: &self.inputs }, last_output)
        });
        let args = bound.map_err(|error| self.failure(&node.key, FailureKind::Bind(error)))?;
        let id = KickoffId(self.next_kickoff);
        self.next_kickoff += 1;
        Ok(Job {
            kickoff: Kickoff {
                id,
                worker: due.worker,
                key: node.key.clone(),
                cause: due.cause,
                step: self.step,
            },
            args,
            spec: Arc::clone(spec),
        })
    }

    /// What the dependencies of `worker` hand on to it, in the order they were declared.
    fn given_to<'a>(
        &'a self,
        worker: WorkerId,
        node: &'a Node,
    ) -> impl Iterator<Item = (&'a Key, Value)> {
        node.live_dependencies().filter_map(move |(_, on)| {
            let dependency = self.view.node(on);
            if !dependency.spec.gives() {
                return None;
            }
            let output = match dependency.spec.dealing {
                Dealing::AsIs => self.outputs[on.index()].clone(),
                Dealing::InOrder => self.dealt.get(&(worker, on)).cloned(),
            };
            Some((&dependency.key, output.unwrap_or_default()))
        })
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
