//! Automata that the run has created: saved as their content.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use std::sync::Arc;

use super::{Added, Scope};
use crate::automa::GraphAutoma;
use crate::graph::{EditError, View};
use crate::key::Key;
use crate::machine::Pace;
use crate::saved::SnapshotError;
use crate::worker::{Body, WorkerOptions};

/// An automa with all of its workers, each resolved like any added worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrownAutoma {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_steps: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_concurrency: Option<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rolling: bool,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    inputs: BTreeSet<String>,
    workers: BTreeMap<Key, Added>,
}

impl GrownAutoma {
    /// The content of `automa`, whose graph at the end of the run is `view`.
    pub(super) fn of(
        automa: &GraphAutoma,
        view: &View<Arc<Body>>,
        scope: &Scope<'_>,
    ) -> Result<Self, SnapshotError> {
        let settings = automa.settings();
        if settings.keep_local {
            return Err(scope.unfindable(
                "it is an automa that keeps its local spaces across runs, created during the run; \
                 declare it with `declare_worker`, and add it by that name",
            ));
        }
        if !settings.callbacks.is_empty() {
            return Err(scope.unfindable(
                "it is an automa with callbacks, created during the run; declare it with \
                 `declare_worker`, and add it by that name",
            ));
        }
        let workers = view
            .workers()
            .zip(0..)
            .map(|((_, node), nth)| Ok((node.key().clone(), Added::of(nth, node, view, scope)?)));
        Ok(Self {
            name: automa.name().to_owned(),
            max_steps: settings.max_steps,
            max_concurrency: settings.max_concurrency,
            rolling: settings.pace == Pace::Rolling,
            inputs: automa.extra_inputs().iter().cloned().collect(),
            workers: workers.collect::<Result<_, SnapshotError>>()?,
        })
    }

    /// Creates the automa again.
    pub(super) fn make(&self, scope: &Scope<'_>) -> Result<GraphAutoma, SnapshotError> {
        let mut automa = GraphAutoma::new(&self.name);
        if let Some(steps) = self.max_steps {
            automa.set_max_steps(steps);
        }
        if let Some(workers) = self.max_concurrency {
            automa.set_max_concurrency(workers);
        }
        if self.rolling {
            automa.set_pace(Pace::Rolling);
        }
        for input in &self.inputs {
            automa.declare_input(input);
        }
        let mut workers: Vec<_> = self.workers.iter().collect();
        workers.sort_by_key(|(_, added)| added.nth);
        for (key, added) in workers {
            let worker = scope.get(key, &added.is)?;
            let dependencies = added.after.clone();
            let options = WorkerOptions { dependencies, ..added.options() };
            if let Err(error) = automa.add_worker(key, worker, options) {
                let fault = error.faults.into_iter().next().map(EditError::Fault);
                return Err(fault.map_or_else(|| scope.unknown(key), |fault| scope.misfit(fault)));
            }
        }
        Ok(automa)
    }
}
