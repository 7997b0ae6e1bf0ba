//! The heart: a pure state machine that decides what runs next.
//!
//! It knows the graph, what each worker waits for, and what has been given and asked for. It has
//! no clock, no tasks and no order that depends on a hash map: told the same completions in any
//! order, it decides the same. A driver asks for the kickoffs of a step ([`Machine::begin`]),
//! tells how each ended ([`Machine::complete`]), and lets the step settle ([`Machine::settle`]).

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Waiting;
use super::binding::{Given, LastOutput, bind, map};
use super::error::{Failure, FailureKind, RunError, StepError};
use super::kickoff::{Ask, Cause, End, Job, Kickoff, KickoffId};
use super::waits::Waits;
use crate::args::{Args, Named};
use crate::context::{LocalSpace, LocalSpaces};
use crate::graph::{Edit, Node, View, WorkerId, some_keys};
use crate::key::Key;
use crate::path::Path;
use crate::values::{Dealt, Value};
use crate::worker::Dealing;

/// The state of one run and the rules by which it changes.
pub(crate) struct Machine {
    view: View,
    /// The automata around this one, for messages.
    parent: Option<Arc<Path>>,
    inputs: Arc<Named>,
    step: u64,
    next_kickoff: u64,
    /// What runs in the next step, in order.
    due: Vec<Due>,
    /// What runs now, in kickoff order.
    running: Vec<Running>,
    waits: Waits,
    outputs: Vec<Option<Value>>,
    /// Elements that are dealt out, by successor and dealer.
    dealt: FxHashMap<(WorkerId, WorkerId), Value>,
    /// Workers that wait for nothing more, until they are made due.
    ready: Vec<WorkerId>,
    /// Workers that were removed and are still running.
    removed: Vec<WorkerId>,
    /// Room for what ends in a step, kept for the next.
    done: Vec<Done>,
    locals: LocalSpaces,
    /// The output worker of this run, from its kickoff on.
    output_worker: Option<Key>,
    result: Value,
}

/// A worker that is to run in the next step.
struct Due {
    worker: WorkerId,
    cause: Cause,
    /// What it is called with, where that is not what its dependencies give.
    args: Option<Args>,
}

/// A worker that is running.
struct Running {
    id: KickoffId,
    worker: WorkerId,
    key: Key,
    end: Option<End>,
}

/// What a worker that is done has given and asked for.
struct Done {
    worker: WorkerId,
    key: Key,
    output: Value,
    ferries: Vec<(Key, Args)>,
    /// Its place among all that ended, for the order of failures.
    place: usize,
}

/// Failures with the place of their worker among all that ended.
type Failures = Vec<(usize, Failure)>;

impl Machine {
    /// A run of `view` that is about to begin.
    pub(crate) fn new(
        view: View,
        parent: Option<Arc<Path>>,
        args: Args,
        inputs: Arc<Named>,
        locals: LocalSpaces,
    ) -> Self {
        let n_workers = view.n_slots();
        let by_position = Args { positional: args.positional, named: None };
        let due = view
            .starts()
            .map(|worker| Due { worker, cause: Cause::Start, args: Some(by_position.clone()) })
            .collect();
        Self {
            parent,
            inputs,
            step: 0,
            next_kickoff: 0,
            due,
            running: Vec::new(),
            waits: Waits::new(n_workers),
            outputs: vec![None; n_workers],
            dealt: FxHashMap::default(),
            ready: Vec::new(),
            removed: Vec::new(),
            done: Vec::new(),
            locals,
            output_worker: None,
            result: Value::null(),
            view,
        }
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn steps(&self) -> u64 {
        self.step
    }

    pub(crate) fn result(&self) -> &Value {
        &self.result
    }

    pub(crate) fn locals(&self) -> &LocalSpaces {
        &self.locals
    }

    /// The last output of the worker `key`.
    pub(crate) fn output(&self, key: &str) -> Option<Value> {
        self.outputs[self.view.find(key)?.index()].clone()
    }

    /// The local space of the worker `key`.
    pub(crate) fn local(&mut self, key: &Key) -> LocalSpace {
        self.locals.entry(key.clone()).or_default().clone()
    }

    /// Begins the next step: binds all that is due and hands it out through `jobs`. None means
    /// that the run has ended, once nothing is running any more.
    ///
    /// # Errors
    /// The step limit is reached, or something cannot be bound or must not run; then nothing is
    /// handed out.
    pub(crate) fn begin(&mut self, jobs: &mut Vec<Job>) -> Result<(), RunError> {
        jobs.clear();
        if self.due.is_empty() {
            return Ok(());
        }
        if let Some(limit) = self.view.base().settings.max_steps
            && self.step >= limit
        {
            return Err(RunError::StepLimit {
                automa: self.automa(),
                limit,
                due: self.due.iter().map(|due| self.view.node(due.worker).key.clone()).collect(),
            });
        }
        self.step += 1;
        let mut failures = Vec::new();
        let mut due = std::mem::take(&mut self.due);
        for due in due.drain(..) {
            match self.bind(due) {
                Ok(job) => {
                    self.running.push(Running {
                        id: job.kickoff.id,
                        worker: job.kickoff.worker,
                        key: job.kickoff.key.clone(),
                        end: None,
                    });
                    jobs.push(job);
                }
                Err(failure) => failures.push(*failure),
            }
        }
        self.due = due;
        if failures.is_empty() {
            return Ok(());
        }
        jobs.clear();
        Err(self.step_error(failures))
    }

    /// Tells how a kickoff ended.
    pub(crate) fn complete(&mut self, id: KickoffId, end: End) {
        let place = self.running.binary_search_by_key(&id, |running| running.id);
        let place = place.expect("a driver completes what is running, once");
        self.running[place].end = Some(end);
    }

    /// Settles the step for all that has ended since: changes the graph, takes results, and
    /// decides what is due next.
    ///
    /// # Errors
    /// Everything that went wrong in the step, in kickoff order.
    pub(crate) fn settle(&mut self) -> Result<(), RunError> {
        let mut failures = Failures::new();
        let mut done = std::mem::take(&mut self.done);
        let edits = self.take_ended(&mut done, &mut failures);
        if !edits.is_empty() {
            self.edit(&done, edits, &mut failures);
        }
        self.take_results(&mut done, &mut failures);
        self.ferry(&mut done, &mut failures);
        done.clear();
        self.done = done;
        if failures.is_empty() {
            self.make_due();
            return Ok(());
        }
        failures.sort_by_key(|(place, _)| *place);
        Err(self.step_error(failures.into_iter().map(|(_, failure)| failure).collect()))
    }

    /// Whether nothing is due.
    pub(crate) fn is_idle(&self) -> bool {
        self.due.is_empty()
    }

    /// The workers that wait for others, and for which: in a finished run, what never came.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        let waits = |(id, node): (WorkerId, &Node)| {
            let missing: Vec<_> = node
                .live_dependencies()
                .filter(|(place, _)| !self.waits.is_crossed(id, *place))
                .map(|(_, on)| self.view.node(on).key.clone())
                .collect();
            let ran = self.outputs[id.index()].is_some();
            let partly = missing.len() < node.n_dependencies as usize;
            let waits = node.n_dependencies > 0 && !missing.is_empty() && (partly || !ran);
            waits.then(|| Waiting { worker: node.key.clone(), missing })
        };
        self.view.workers().filter_map(waits).collect()
    }

    /// Takes what has ended out of what is running, in kickoff order.
    fn take_ended(&mut self, done: &mut Vec<Done>, failures: &mut Failures) -> Vec<(usize, Edit)> {
        let mut edits = Vec::new();
        let mut place = 0;
        let parent = &self.parent;
        self.running.retain_mut(|running| {
            let Some(end) = running.end.take() else {
                return true;
            };
            let key = std::mem::replace(&mut running.key, Key::from_static(""));
            match end {
                End::Done { output, asks } => {
                    let mut ferries = Vec::new();
                    for ask in asks {
                        match ask {
                            Ask::Ferry { to, args } => ferries.push((to, args)),
                            Ask::Edit(edit) => edits.push((done.len(), edit)),
                        }
                    }
                    done.push(Done { worker: running.worker, key, output, ferries, place });
                }
                End::Failed(error) => {
                    let worker = Path::new(parent.clone(), key);
                    failures.push((place, Failure { worker, kind: FailureKind::Worker(error) }));
                }
            }
            place += 1;
            false
        });
        edits
    }

    /// Changes the graph as asked for, all or nothing.
    fn edit(&mut self, done: &[Done], edits: Vec<(usize, Edit)>, failures: &mut Failures) {
        match self.view.apply(edits) {
            Ok(applied) => {
                self.waits.grow(self.view.n_slots());
                self.outputs.resize(self.view.n_slots(), None);
                for (worker, place) in applied.unlinked {
                    self.waits.uncross(worker, place);
                }
                self.removed.extend(applied.removed);
            }
            Err((asker, error)) => {
                let asker = &done[asker];
                failures.push((asker.place, self.failure(&asker.key, FailureKind::Edit(error))));
            }
        }
    }

    /// Keeps the outputs and crosses the workers that gave them off their successors.
    fn take_results(&mut self, done: &mut [Done], failures: &mut Failures) {
        for done in done {
            let Some(node) = self.view.get(done.worker) else {
                continue;
            };
            let output = std::mem::take(&mut done.output);
            let dealt = match node.spec.dealing {
                Dealing::AsIs => None,
                Dealing::InOrder => match deal(node, &output) {
                    Ok(dealt) => Some(dealt),
                    Err(kind) => {
                        failures.push((done.place, self.failure(&done.key, kind)));
                        continue;
                    }
                },
            };
            for (index, successor) in node.live_successors().enumerate() {
                if let Some(dealt) = &dealt {
                    let element = Value::element(Arc::clone(dealt), index);
                    self.dealt.insert((successor.worker, done.worker), element);
                }
                let crossed = self.waits.cross(successor.worker, successor.place);
                if crossed == self.view.node(successor.worker).n_dependencies
                    && self.waits.mark_due(successor.worker)
                {
                    self.ready.push(successor.worker);
                }
            }
            if node.spec.output {
                self.result = output.clone();
            }
            self.outputs[done.worker.index()] = Some(output);
        }
        if !self.removed.is_empty() {
            self.forget_removed();
        }
    }

    /// Lets go of removed workers, but for those that are still running.
    fn forget_removed(&mut self) {
        let running: FxHashSet<_> = self.running.iter().map(|running| running.worker).collect();
        let (waits, outputs, view) = (&mut self.waits, &mut self.outputs, &mut self.view);
        self.removed.retain(|worker| {
            waits.forget(*worker);
            outputs[worker.index()] = None;
            let still_running = running.contains(worker);
            if !still_running {
                view.recycle(*worker);
            }
            still_running
        });
    }

    /// Makes the targets of ferries due, in the order they were asked for.
    fn ferry(&mut self, done: &mut [Done], failures: &mut Failures) {
        for done in done {
            for (target, args) in done.ferries.drain(..) {
                match self.view.find(target.as_str()) {
                    Some(worker) => {
                        let cause = Cause::Ferry { by: done.key.clone() };
                        self.due.push(Due { worker, cause, args: Some(args) });
                    }
                    None => {
                        let known = some_keys(self.view.keys());
                        let kind = FailureKind::UnknownFerryTarget { target, known };
                        let worker = Path::new(self.parent.clone(), done.key.clone());
                        failures.push((done.place, Failure { worker, kind }));
                    }
                }
            }
        }
    }

    /// Makes those due that wait for nothing more, after the ferries; all of them wait for all
    /// their dependencies again.
    fn make_due(&mut self) {
        let by_dependencies = |worker| Due { worker, cause: Cause::Dependencies, args: None };
        self.due.extend(self.ready.drain(..).map(by_dependencies));
        for due in &self.due {
            self.waits.reset(due.worker);
        }
    }

    /// Gives what is due its number and its arguments.
    fn bind(&mut self, due: Due) -> Result<Job, Box<Failure>> {
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

    fn failure(&self, key: &Key, kind: FailureKind) -> Failure {
        Failure { worker: Path::new(self.parent.clone(), key.clone()), kind }
    }

    fn step_error(&self, failures: Vec<Failure>) -> RunError {
        StepError { automa: self.automa(), step: self.step, failures }.into()
    }

    fn automa(&self) -> String {
        self.view.base().automa.to_string()
    }
}

/// The output of `node` as a list with one element for each of its successors.
fn deal(node: &Node, output: &Value) -> Result<Arc<Dealt>, FailureKind> {
    let successors = node.live_successors().count();
    match output.list_len() {
        Some(len) if len == successors => Ok(Dealt::new(output.clone())),
        Some(len) => Err(FailureKind::InOrder { successors, found: format!("a list of {len}") }),
        None => Err(FailureKind::InOrder { successors, found: output.type_name() }),
    }
}
