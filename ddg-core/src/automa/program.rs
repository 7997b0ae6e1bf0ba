//! The program that a declared automa compiles to: its topology, and what its runs share.

use std::sync::{Arc, Mutex, Once, OnceLock};

use rustc_hash::FxHashSet;

use super::needs::{self, Need};
use super::{GraphAutoma, Lints, Marks, Registry, Settings};
use crate::graph::{BuildError, Declared, Fault, Topology, View};
use crate::key::Key;
use crate::local::Spaces;
use crate::machine::Machine;
use crate::worker::{Body, Source, WorkerOptions};

/// A validated automa. It is shared by all runs and never changes.
pub(crate) struct Program {
    pub(crate) topology: Arc<Topology<Arc<Body>>>,
    pub(crate) inputs: Inputs,
    /// How many positional arguments a run takes at most.
    pub(crate) most_positional: usize,
    /// What a run must be given by name.
    pub(super) needs: Vec<Need>,
    pub(super) lints: Lints,
    /// Whether the lints were logged.
    told: Once,
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    /// Local spaces that outlive a run, if the automa keeps them.
    pub(crate) kept: Arc<Mutex<Spaces>>,
    /// The hashes that snapshots are compared with, computed when first needed.
    pub(crate) marks: OnceLock<Marks>,
}

/// The declarations that a run looks names up in: those of its automa, then those of the automata
/// around it, innermost first.
#[derive(Clone, Copy)]
pub(crate) struct Declarations<'a> {
    pub(crate) program: &'a Arc<Program>,
    pub(crate) around: &'a [Arc<Program>],
}

/// The names under which run inputs can reach a worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) names: FxHashSet<String>,
    /// Whether a worker takes inputs of any name.
    pub(crate) open: bool,
}

impl Program {
    pub(super) fn compile(automa: &GraphAutoma) -> Result<Arc<Self>, BuildError> {
        let mut faults = Vec::new();
        let declared = automa.declarations.values().map(|declaration| Declared {
            payload: &declaration.body,
            dependencies: &declaration.dependencies,
        });
        let topology = Topology::compile(Arc::clone(&automa.name), declared, &mut faults);
        let mut inputs = Inputs { names: automa.extra_inputs.clone(), open: false };
        let bodies = automa.declarations.iter().map(|(key, declaration)| (key, &declaration.body));
        for (key, body) in bodies.chain(automa.registry.iter()) {
            inputs.collect(key, body, &mut faults);
        }
        if !faults.is_empty() {
            return Err(BuildError { automa: automa.name().to_owned(), faults });
        }
        let topology = Arc::new(topology);
        Ok(Arc::new(Self {
            most_positional: Machine::most_taken(&View::of(Arc::clone(&topology)), &Vec::new()),
            needs: needs::needs(&topology),
            lints: Lints::of(&topology, automa.settings.max_steps),
            told: Once::new(),
            topology,
            inputs,
            registry: automa.registry.clone(),
            settings: automa.settings.clone(),
            kept: Arc::clone(&automa.kept),
            marks: OnceLock::new(),
        }))
    }

    /// Logs the lints, the first time.
    pub(crate) fn tell_lints(&self) {
        if !self.lints.found.is_empty() {
            let tell = |lint| tracing::warn!("{lint}");
            self.told.call_once(|| self.lints.found.iter().for_each(tell));
        }
    }

    /// The name of the automa.
    pub(crate) fn automa(&self) -> &Arc<str> {
        &self.topology.automa
    }

    /// The graph of a run that has not changed it.
    pub(crate) fn view(&self) -> View<Arc<Body>> {
        View::of(Arc::clone(&self.topology))
    }

    /// The worker that is declared as `name`, placed or not.
    pub(crate) fn declared(&self, name: &Key) -> Option<&Arc<Body>> {
        self.registry
            .get(name)
            .or_else(|| self.topology.find(name.as_str()).map(|node| &node.payload))
    }

    /// Creates the worker that a run adds as `key`. A name that is not declared here is passed to
    /// `elsewhere`, which looks it up in the automata around.
    ///
    /// # Errors
    /// If it is not declared, its options do not fit, or it is an automa with faults.
    pub(crate) fn place(
        &self,
        key: &Key,
        source: Source,
        options: WorkerOptions,
        elsewhere: impl FnOnce(&Key) -> Option<Arc<Body>>,
    ) -> Result<Arc<Body>, Fault> {
        let mut faults = Vec::new();
        let body = match source {
            Source::Here(worker) => Body::new(key, worker, options, &mut faults),
            Source::Declared(name) if options.says_parameters() => {
                return Err(Fault::ParametersAreDeclared { name, key: key.clone() });
            }
            Source::Declared(name) => {
                match self.declared(&name).cloned().or_else(|| elsewhere(&name)) {
                    Some(body) => body.placed(name, key.clone(), options),
                    None => return Err(Fault::NotDeclared { name }),
                }
            }
        };
        if let Some(nested) = body.worker.0.automa()
            && let Err(error) = nested.compiled()
        {
            faults.extend(nested_faults(key, error));
        }
        faults.into_iter().next().map_or(Ok(body), Err)
    }
}

impl Inputs {
    fn collect(&mut self, key: &Key, body: &Body, faults: &mut Vec<Fault>) {
        self.names.extend(body.role.inputs().map(|(name, _)| name.to_owned()));
        let Some(nested) = body.worker.0.automa() else {
            self.open |= body.role.open;
            return;
        };
        match nested.compiled() {
            Ok(nested) => {
                self.names.extend(nested.inputs.names.iter().cloned());
                self.open |= nested.inputs.open;
            }
            Err(error) => faults.extend(nested_faults(key, error)),
        }
    }
}

/// The faults of the nested automa `key`, as faults of the automa that contains it.
fn nested_faults(key: &Key, error: BuildError) -> impl Iterator<Item = Fault> {
    error.faults.into_iter().map(|fault| Fault::Nested { key: key.clone(), fault: Box::new(fault) })
}
