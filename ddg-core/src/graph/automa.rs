//! A graph that is being declared: the face of the engine.

mod declaration;
mod runs;
mod settings;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

pub(super) use self::declaration::Declaration;
pub(super) use self::settings::Settings;
use super::{BuildError, Catalogue, Spec, Topology};
use crate::context::{LocalSpaces, fork};
use crate::key::Key;

/// A graph of workers: declare it, then [run](Self::run) it as often and as concurrently as you
/// like.
///
/// Running never changes it: each run works on its own view, with fresh state.
///
/// ```
/// use ddg_core::prelude::*;
///
/// async fn double(x: i64) -> i64 { x * 2 }
/// async fn sum(a: i64, b: i64) -> i64 { a + b }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut automa = GraphAutoma::new("numbers");
/// automa.add_func_as_worker("first", double, start())?;
/// automa.add_func_as_worker("second", double, after(["first"]))?;
/// automa.add_func_as_worker("sum", sum, after(["first", "second"]).output())?;
/// let y: i64 = automa.run(args!(5)).output().await?;
/// assert_eq!(y, 30);
/// # Ok(())
/// # }
/// ```
pub struct GraphAutoma {
    name: Arc<str>,
    declarations: IndexMap<Key, Declaration, FxBuildHasher>,
    catalogue: Catalogue,
    extra_inputs: FxHashSet<String>,
    settings: Settings,
    /// Local spaces that outlive a run, where they do.
    kept: Arc<Mutex<LocalSpaces>>,
    compiled: OnceLock<Result<Arc<Topology>, BuildError>>,
}

impl GraphAutoma {
    pub(crate) fn compiled(&self) -> Result<Arc<Topology>, BuildError> {
        self.compiled.get_or_init(|| Topology::compile(self)).clone()
    }

    pub(super) fn declarations(&self) -> &IndexMap<Key, Declaration, FxBuildHasher> {
        &self.declarations
    }

    /// The workers in order, each with the keys of its dependencies, checked or not.
    pub(crate) fn declared(&self) -> impl Iterator<Item = (&Arc<Spec>, &[Key])> {
        self.declarations.values().map(|worker| (&worker.spec, &*worker.dependencies))
    }

    /// The names of what is declared without being placed.
    pub(crate) fn detached(&self) -> impl Iterator<Item = &Key> {
        self.catalogue.iter().map(|(name, _)| name)
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(super) fn extra_inputs(&self) -> &FxHashSet<String> {
        &self.extra_inputs
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn kept(&self) -> &Arc<Mutex<LocalSpaces>> {
        &self.kept
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.name
    }

    /// The graph that a run has grown, as one that can be run and changed.
    pub(crate) fn grown(view: &super::View) -> Self {
        let base = view.base();
        let declarations = view
            .workers()
            .map(|(_, node)| {
                let dependencies =
                    node.live_dependencies().map(|(_, on)| view.node(on).key().clone()).collect();
                let spec = Arc::clone(&node.spec);
                (node.key().clone(), Declaration { spec, dependencies })
            })
            .collect();
        Self {
            name: Arc::clone(&base.automa),
            declarations,
            catalogue: base.catalogue.clone(),
            extra_inputs: base.inputs.names.clone(),
            settings: base.settings.clone(),
            kept: Arc::default(),
            compiled: OnceLock::new(),
        }
    }
}

impl Clone for GraphAutoma {
    /// The same graph, declared on its own: changes of the one do not reach the other, and neither
    /// do [kept](Self::keep_local_spaces) local spaces.
    fn clone(&self) -> Self {
        let (kept, compiled) = if self.settings.keep_local {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            (Arc::new(Mutex::new(fork(&kept))), OnceLock::new())
        } else {
            (Arc::default(), self.compiled.clone())
        };
        Self {
            name: Arc::clone(&self.name),
            declarations: self.declarations.clone(),
            catalogue: self.catalogue.clone(),
            extra_inputs: self.extra_inputs.clone(),
            settings: self.settings.clone(),
            kept,
            compiled,
        }
    }
}

impl fmt::Debug for GraphAutoma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "automa {:?}", &*self.name)?;
        for (key, declaration) in &self.declarations {
            writeln!(f, "  {key:?} after {:?}", declaration.dependencies)?;
        }
        Ok(())
    }
}
