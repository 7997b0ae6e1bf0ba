//! States that tools share and no model sees: connections, settings, clients.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::files::FileManager;

/// A parameter of a [`#[tool]`](macro@crate::tool) that no model fills. Its value is the state with
/// this type that the toolbox was given with [`state`](super::ToolboxBuilder::state).
///
/// ```
/// use ddg_agentic::{Toolbox, tool};
/// use ddg_agentic::tool::State;
///
/// struct Prices { per_night: u32 }
///
/// /// What a hotel costs.
/// #[tool]
/// async fn hotel(nights: u32, prices: State<Prices>) -> u32 {
///     nights * prices.per_night
/// }
///
/// let tools = Toolbox::builder().with(hotel::tool()).state(Prices { per_night: 80 }).build()?;
/// assert!(tools.specs()[0].parameters["properties"].get("prices").is_none());
///
/// let error = Toolbox::builder().with(hotel::tool()).build().unwrap_err();
/// assert!(error.to_string().contains("tool `hotel` needs the state"));
/// # Ok::<(), ddg_agentic::tool::ToolboxError>(())
/// ```
pub struct State<T>(
    /// The state.
    pub Arc<T>,
);

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The states of a toolbox by type. Cheap to clone.
#[derive(Clone, Default)]
pub struct States(Arc<FxHashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

/// A tool needs a state that its toolbox does not have.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("needs the state `{ty}`, which the toolbox has not: give it with `state`")]
#[non_exhaustive]
pub struct MissingState {
    /// The type.
    pub ty: &'static str,
}

impl States {
    /// The state of type `T`.
    ///
    /// # Errors
    /// If there is none.
    pub fn get<T: Send + Sync + 'static>(&self) -> Result<State<T>, MissingState> {
        let state = self.0.get(&TypeId::of::<T>()).cloned();
        let state = state.and_then(|state| state.downcast().ok());
        state.map(State).ok_or(MissingState { ty: type_name::<T>() })
    }

    /// The file manager, if there is one.
    pub(crate) fn files(&self) -> Option<FileManager> {
        self.get::<FileManager>().ok().map(|files| (*files).clone())
    }

    /// Replaces the file manager.
    pub(super) fn with_files(mut self, files: FileManager) -> Self {
        self.insert(Arc::new(files));
        self
    }

    /// Adds a state. Returns whether there was none with its type.
    pub(super) fn insert<T: Send + Sync + 'static>(&mut self, state: Arc<T>) -> bool {
        Arc::make_mut(&mut self.0).insert(TypeId::of::<T>(), state).is_none()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

ddg_core::__report::debug_is_display!(MissingState);
