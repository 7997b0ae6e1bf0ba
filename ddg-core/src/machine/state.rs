//! The state of a run: everything that is needed to continue it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{
    Elements, Ended, Held, Hosts, Interrupted, KickoffId, Mail, Outputs, ReadyList, Waits,
};
use crate::args::Inputs;
use crate::graph::{View, WorkerId};
use crate::key::Key;
use crate::values::Value;

/// The state of a run between two steps. A snapshot consists of it and of the local spaces, which
/// running workers share.
pub(crate) struct State<P: Hosts> {
    pub(crate) view: View<P>,
    pub(crate) inputs: Inputs,
    pub(crate) step: u64,
    pub(crate) next_kickoff: u64,
    /// The workers that run in the next step, in order.
    pub(crate) ready: ReadyList,
    /// Results of the step that is held by a question or a stop.
    pub(crate) held: Held,
    pub(crate) waits: Waits,
    pub(crate) outputs: Outputs,
    /// The last outputs of removed workers, until another worker takes their key.
    pub(crate) departed: FxHashMap<Key, Value>,
    /// Elements of scattered lists.
    pub(crate) dealt: Elements,
    /// Executions that wait for answers, in kickoff order. While there are any, the step has not
    /// ended, and no ready worker starts.
    pub(crate) interrupted: Vec<Interrupted<WorkerId, P::Paused>>,
    /// Executions of this step that were interrupted, answered, and have ended. They settle
    /// together when none is interrupted any more, so that the order of the answers does not
    /// matter.
    pub(crate) answered: Vec<Ended<P>>,
    /// What had begun when the run was left in the middle, until the run takes it up again.
    pub(crate) under_way: Option<Box<UnderWay<P>>>,
    /// The output worker of this run, set by its kickoff.
    pub(crate) output_worker: Option<Key>,
    pub(crate) result: Value,
    /// The signals that have reached this run. Those of nested runs are in the outermost one.
    pub(crate) mail: Mail,
}

/// What had begun when a run was left in the middle.
pub(crate) struct UnderWay<P: Hosts> {
    /// The executions that were running when the state was written, in kickoff order. They run
    /// again.
    pub(crate) running: Vec<Interrupted<WorkerId, P::Paused>>,
    /// The executions that have ended since. They do not run again.
    pub(crate) ended: BTreeMap<KickoffId, Ended<P>>,
    /// The runs of nested automata that have progressed since. They continue.
    pub(crate) inner: BTreeMap<KickoffId, P::Paused>,
}

impl<P: Hosts> State<P> {
    /// The state of a run of `view` in which nothing has happened and nothing is ready.
    pub(crate) fn new(view: View<P>, inputs: Inputs) -> Self {
        let n_workers = view.n_slots();
        let groups = Arc::clone(&view.base().groups);
        Self {
            view,
            inputs,
            step: 0,
            next_kickoff: 0,
            ready: ReadyList::default(),
            held: Held::default(),
            waits: Waits::new(n_workers, groups),
            outputs: Outputs::new(n_workers),
            departed: FxHashMap::default(),
            dealt: Elements::default(),
            interrupted: Vec::new(),
            answered: Vec::new(),
            under_way: None,
            output_worker: None,
            result: Value::null(),
            mail: Mail::default(),
        }
    }
}
