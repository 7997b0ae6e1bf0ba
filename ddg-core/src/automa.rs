//! `GraphAutoma`: a graph that is being declared, and the entry point of the engine.

mod attachments;
mod declaration;
mod digest;
mod lints;
mod marks;
mod needs;
mod program;
mod registry;
mod settings;
mod typed;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

use self::declaration::Declaration;

pub(crate) use self::attachments::{AnyAttachment, Attachments, MakeAttachment};
pub(crate) use self::digest::{Digest, Hasher};
pub(crate) use self::lints::Lints;
pub(crate) use self::marks::{Mark, Marks, digest_of_worker};
pub(crate) use self::program::{Declarations, Program};
pub(crate) use self::registry::Registry;
pub(crate) use self::settings::Settings;
pub use self::typed::{Automa, TypedAutoma};
use crate::graph::{BuildError, View};
use crate::key::Key;
use crate::local::Spaces;
use crate::worker::Body;

/// A graph of workers. Declare it, then [run](Self::run) it any number of times, also concurrently.
///
/// A run never changes it: each run works on its own view of the graph, with fresh state.
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
    registry: Registry,
    extra_inputs: FxHashSet<String>,
    settings: Settings,
    /// Local spaces that outlive a run, if the automa keeps them.
    kept: Arc<Mutex<Spaces>>,
    compiled: OnceLock<Result<Arc<Program>, BuildError>>,
}

impl GraphAutoma {
    pub(crate) fn compiled(&self) -> Result<Arc<Program>, BuildError> {
        self.compiled.get_or_init(|| Program::compile(self)).clone()
    }

    /// The workers in order, each with the keys of its dependencies, which may not be validated.
    pub(crate) fn declared(&self) -> impl Iterator<Item = (&Arc<Body>, &[Key])> {
        self.declarations.values().map(|worker| (&worker.body, &*worker.dependencies))
    }

    /// The names of workers that are declared but not placed.
    pub(crate) fn detached(&self) -> impl Iterator<Item = &Key> {
        self.registry.iter().map(|(name, _)| name)
    }

    /// The names of run inputs that were declared for workers added at run time.
    pub(crate) fn extra_inputs(&self) -> &FxHashSet<String> {
        &self.extra_inputs
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The graph at the end of a run of `program`, as one that can be run and changed.
    pub(crate) fn grown(program: &Program, view: &View<Arc<Body>>) -> Self {
        let declarations = view
            .workers()
            .map(|(_, node)| {
                let dependencies =
                    node.live_dependencies().map(|(_, on)| view.node(on).key().clone()).collect();
                let body = Arc::clone(&node.payload);
                (node.key().clone(), Declaration { body, dependencies })
            })
            .collect();
        Self {
            name: Arc::clone(program.automa()),
            declarations,
            registry: program.registry.clone(),
            extra_inputs: program.inputs.names.clone(),
            settings: program.settings.clone(),
            kept: Arc::default(),
            compiled: OnceLock::new(),
        }
    }
}

impl Clone for GraphAutoma {
    /// Copies the declaration. Later changes of one copy do not affect the other, and
    /// [kept](Self::keep_local_spaces) local spaces are not shared.
    fn clone(&self) -> Self {
        let (kept, compiled) = if self.settings.keep_local {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            (Arc::new(Mutex::new(kept.clone())), OnceLock::new())
        } else {
            (Arc::default(), self.compiled.clone())
        };
        Self {
            name: Arc::clone(&self.name),
            declarations: self.declarations.clone(),
            registry: self.registry.clone(),
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
