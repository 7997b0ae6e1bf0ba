//! Begins a step: binds the arguments of ready workers and returns them as jobs.

use super::bind::{LastOutput, bind, map, merge};
use super::error::{BindError, FailureKind, StepFailure};
use super::ready_list::Given;
use super::{
    Cause, Effects, End, Hosts, Interrupted, Job, Jobs, KickoffId, Machine, MachineError, Next,
};
use crate::error::WorkerError;
use crate::graph::{Gives, Mapping, Node, WorkerId};
use crate::key::Key;
use crate::values::{Value, ValueType};

/// The list that was merged last in a step, with the first of the workers whose dependencies it is
/// made of, and the type of its parameter.
struct LastMerged(Option<(WorkerId, Option<ValueType>, Value)>);

/// A kickoff whose worker could not be called.
pub(crate) struct Unbound {
    pub(crate) id: KickoffId,
    pub(crate) worker: WorkerId,
    pub(crate) step: u64,
    pub(crate) cause: Cause,
    pub(crate) error: WorkerError,
}

impl<P: Hosts> Machine<P> {
    /// Decides what to do when everything that has ended is settled.
    ///
    /// # Errors
    /// If the step limit is reached, or if a worker cannot be called; no job is returned then.
    #[inline]
    pub(super) fn begin(&mut self, jobs: &mut Jobs<P>) -> Result<Next, Box<MachineError>> {
        jobs.clear();
        if self.stopping || self.is_paused() {
            if !self.running.is_empty() {
                return Ok(Next::Wait(self.n_awaited()));
            }
            if self.is_paused() {
                return Ok(self.resume(jobs));
            }
            self.end_hold()?;
            let is_done = self.state.ready.is_empty();
            return Ok(Next::Done(if is_done { End::Finished } else { End::Stopped }));
        }
        if !self.state.held.is_empty() {
            // The interrupted workers were removed, so nothing holds the step any more.
            self.end_hold()?;
        }
        if self.state.ready.is_empty() {
            return Ok(match self.running.len() {
                0 => Next::Done(End::Finished),
                _ => Next::Wait(self.n_awaited()),
            });
        }
        // Checked here, when it is known that there would be a further step.
        if self.state.step >= self.max_steps {
            let key = |worker: WorkerId| self.state.view.node(worker).key().clone();
            let ready = self.state.ready.iter().map(|ready| key(ready.worker)).collect();
            let (automa, limit) = (self.automa(), self.max_steps);
            return Err(Box::new(MachineError::StepLimit { automa, limit, ready }));
        }
        self.state.step += 1;
        // Fast path for chains and loops: no list has to be moved.
        if let Some((worker, given)) = self.state.ready.take_only() {
            return match self.bind(worker, given, jobs, &mut LastMerged(None)) {
                Ok(()) => Ok(Next::Run),
                Err(failure) => Err(self.step_error(vec![*failure])),
            };
        }
        jobs.reserve(self.state.ready.len());
        let mut failures = Vec::new();
        let mut merged = LastMerged(None);
        let mut ready = std::mem::take(&mut self.state.ready);
        ready.drain(|worker, given| {
            if let Err(failure) = self.bind(worker, given, jobs, &mut merged) {
                failures.push(*failure);
            }
        });
        // Puts the empty list back, so that its memory is used again.
        self.state.ready = ready;
        if failures.is_empty() {
            return Ok(Next::Run);
        }
        jobs.clear();
        Err(self.step_error(failures))
    }

    /// Releases the step when nothing holds it any more.
    pub(super) fn end_hold(&mut self) -> Result<(), Box<MachineError>> {
        let failures = self.release();
        self.state.held.forget_latest();
        // At a rolling pace others may be running if the hold has ended because its workers were
        // removed.
        if self.state.ready.is_empty() && self.running.is_empty() {
            self.begin_after_loops();
        }
        match failures.is_empty() {
            true => Ok(()),
            false => Err(self.step_error(failures)),
        }
    }

    /// Numbers the kickoff of a ready worker, binds its arguments, and adds it to `jobs`.
    #[inline(always)]
    fn bind(
        &mut self,
        worker: WorkerId,
        given: Option<Given>,
        jobs: &mut Jobs<P>,
        merged: &mut LastMerged,
    ) -> Result<(), Box<StepFailure>> {
        // The arguments are bound where the job is, which is never moved.
        let job = jobs.add();
        let given = match given {
            // A place keeps the cause of the last job, which is nearly always this one.
            None if matches!(job.cause, Cause::Dependencies) => None,
            None => {
                job.cause = Cause::Dependencies;
                None
            }
            Some(given) => {
                job.cause = given.cause;
                given.args
            }
        };
        // From its kickoff on, the worker waits for all of its dependencies again.
        self.state.waits.reset(worker, matches!(job.cause, Cause::Dependencies));
        let node = self.state.view.node(worker);
        let role = node.role();
        if role.wiring.output {
            match &self.state.output_worker {
                Some(first) if first != node.key() => {
                    let kind = FailureKind::SecondOutput { first: first.clone() };
                    return Err(self.unbound(worker, jobs, kind));
                }
                Some(_) => {}
                None => self.state.output_worker = Some(node.key().clone()),
            }
        }
        let args = &mut job.args;
        let mapped = match given {
            Some(given) if job.cause == Cause::Start && role.wiring.mapping == Mapping::Unpack => {
                map(role, given.positional.iter(), args)
            }
            Some(given) => {
                *args = given;
                Ok(())
            }
            None if role.wiring.mapping == Mapping::Merge => {
                args.push_value(self.merged(worker, node, merged));
                Ok(())
            }
            None => map(role, self.handed_on(worker, node), args),
        };
        let bound = match mapped {
            Ok(()) => {
                let ferried = matches!(job.cause, Cause::Ferry { .. });
                bind(role, args, ferried, &self.state.inputs, |key| self.last_output(key))
            }
            Err(found) if job.cause == Cause::Start => {
                Err(Box::new(BindError::ArgumentNotUnpackable { found }))
            }
            Err(found) => Err(self.not_unpackable(node, found)),
        };
        if let Err(error) = bound {
            return Err(self.unbound(worker, jobs, FailureKind::Bind(*error)));
        }
        let id = KickoffId(self.state.next_kickoff);
        self.state.next_kickoff += 1;
        self.running.push(id, worker);
        job.id = id;
        job.worker = worker;
        job.step = self.state.step;
        if let Some(payload) = self.state.view.own_payload(worker) {
            job.payload = Some(payload.clone());
        }
        if self.spare.has_memory() {
            job.effects = std::mem::take(&mut self.spare);
        }
        Ok(())
    }

    /// Notes that a ready worker, whose job was added last, cannot be called.
    #[cold]
    fn unbound(
        &mut self,
        worker: WorkerId,
        jobs: &mut Jobs<P>,
        kind: FailureKind,
    ) -> Box<StepFailure> {
        let cause = jobs.pop().map_or(Cause::Dependencies, |job| job.cause);
        let failure = self.failure(self.state.view.node(worker).key(), kind);
        let error = match &failure.kind {
            FailureKind::Bind(error) => error.clone().into(),
            _ => WorkerError::msg(failure.to_string()),
        };
        let (id, step) = (KickoffId(self.state.next_kickoff), self.state.step);
        self.state.next_kickoff += 1;
        self.unbound.push(Unbound { id, worker, step, cause, error });
        failure.into()
    }

    /// Runs the interrupted executions again that were answered, within the same step.
    fn resume(&mut self, jobs: &mut Jobs<P>) -> Next {
        if self.stopping {
            return Next::Done(End::Paused);
        }
        let interrupted = std::mem::take(&mut self.state.interrupted);
        let (answered, waiting): (Vec<_>, Vec<_>) =
            interrupted.into_iter().partition(Interrupted::can_resume);
        self.state.interrupted = waiting;
        for interrupted in answered {
            let job = self.again(interrupted);
            jobs.push(job);
        }
        if jobs.is_empty() {
            return Next::Done(End::Paused);
        }
        self.resuming = true;
        Next::Run
    }

    /// Runs an execution again that had begun before, as the same kickoff of the same step.
    pub(super) fn again(&mut self, interrupted: Interrupted<WorkerId, P::Paused>) -> Job<P> {
        let (id, worker) = (KickoffId(interrupted.kickoff), interrupted.worker);
        let step = interrupted.step;
        let (cause, args, replay) = interrupted.into_replay();
        self.running.push(id, worker);
        Job {
            id,
            worker,
            step,
            payload: self.state.view.own_payload(worker).cloned(),
            cause,
            args,
            effects: Effects::default(),
            replay: Some(Box::new(replay)),
        }
    }

    /// One list of what the dependencies of `worker` pass on. Workers of a step with the same
    /// dependencies share it.
    fn merged(&self, worker: WorkerId, node: &Node<P>, last: &mut LastMerged) -> Value {
        let role = node.role();
        let ty = match &*role.params {
            [param] => Some(param.ty),
            _ => None,
        };
        let alike = self.state.view.alike(worker);
        if let (Some(alike), Some((same, as_ty, list))) = (alike, &last.0)
            && (*same, *as_ty) == (alike, ty)
        {
            return list.clone();
        }
        let list = merge(role, self.handed_on(worker, node).collect());
        // Elements are dealt to each worker, so such lists differ.
        let shared = node.dependencies.iter().all(|edge| edge.gives != Gives::Element);
        last.0 = alike.filter(|_| shared).map(|alike| (alike, ty, list.clone()));
        list
    }

    /// What the dependencies of `worker` pass on, in declared order. In a merged list, a dependency
    /// with a unit output has an element as well, so that the elements correspond to the
    /// dependencies.
    fn handed_on<'a>(
        &'a self,
        worker: WorkerId,
        node: &'a Node<P>,
    ) -> impl Iterator<Item = &'a Value> {
        static NULL: Value = Value::null();
        let is_merged = node.role().wiring.mapping == Mapping::Merge;
        node.dependencies.iter().filter_map(move |edge| {
            if edge.on == WorkerId::VACANT {
                return None;
            }
            let output = match edge.gives {
                Gives::Output => self.state.outputs.get(edge.on),
                Gives::Element => self.state.dealt.get(worker, edge.on),
                Gives::Nothing if is_merged => None,
                Gives::Nothing => return None,
            };
            Some(output.unwrap_or(&NULL))
        })
    }

    fn not_unpackable(&self, node: &Node<P>, found: String) -> Box<BindError> {
        let on = node.live_dependencies().next().map(|(_, on)| self.state.view.node(on).key());
        let dependency = on.cloned().unwrap_or(Key::from_static(""));
        Box::new(BindError::NotUnpackable { dependency, found })
    }

    fn last_output(&self, key: &Key) -> LastOutput {
        match self.state.view.find(key.as_str()) {
            None => {
                let departed = self.state.departed.get(key).cloned();
                departed.map_or(LastOutput::NoSuchWorker, LastOutput::Is)
            }
            Some(worker) => {
                self.state.outputs.get(worker).cloned().map_or(LastOutput::NotYet, LastOutput::Is)
            }
        }
    }
}
