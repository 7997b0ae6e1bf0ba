//! Functions as tools, for the code that `#[tool]` generates.

use std::any::TypeId;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ddg_core::run::RunScope;
use ddg_core::worker::BoxError;
use ddg_core::{Context, Data, WorkerError};
use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::error::failure;
use super::spec::parameters_of;
use super::{
    FileUse, InputError, IntoToolOutput, MissingState, State, States, Tool, ToolError, ToolInput,
    ToolOutput, ToolSpec,
};
use crate::files::{FileManager, has_files, reading};

/// A function `F` as a tool whose arguments are deserialised as an `A`.
pub struct FuncTool<A, F> {
    spec: ToolSpec,
    needs: Vec<Need>,
    needs_manager: bool,
    inputs: Vec<ToolInput>,
    states: States,
    function: Arc<F>,
    arguments: PhantomData<fn(A)>,
}

/// The values that a function is given in addition to its arguments.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    cx: &'a Context,
    states: &'a States,
}

/// Checks that there is a state that the function needs.
type Need = fn(&States) -> Result<(), MissingState>;

type Called<'a> = BoxFuture<'a, Result<ToolOutput, WorkerError>>;

impl<A, F> FuncTool<A, F>
where
    A: DeserializeOwned + JsonSchema + 'static,
    F: for<'a> Fn(A, Given<'a>) -> Called<'a> + Send + Sync + 'static,
{
    /// Creates the tool `name`.
    pub fn new(name: &str, description: &str, function: F) -> Self {
        let parameters = parameters_of::<A>();
        Self {
            needs_manager: has_files(&parameters),
            spec: ToolSpec::new(name, description, parameters),
            needs: Vec::new(),
            inputs: Vec::new(),
            states: States::default(),
            function: Arc::new(function),
            arguments: PhantomData,
        }
    }

    /// Declares that the tool needs the state `T`.
    #[must_use]
    pub fn needs<T: Send + Sync + 'static>(mut self) -> Self {
        // An agent always has a file manager: its own, or a private one.
        match TypeId::of::<T>() == TypeId::of::<FileManager>() {
            true => self.needs_manager = true,
            false => self.needs.push(|states| states.get::<T>().map(|_| ())),
        }
        self
    }
}

impl<A, F> FuncTool<A, F> {
    /// Declares that the tool reads an input of the run.
    #[must_use]
    pub fn reads<T: Data>(mut self, name: &'static str, description: &'static str) -> Self {
        self.inputs.push(ToolInput::new::<T>(name, description));
        self
    }
}

impl<A, F> Tool for FuncTool<A, F>
where
    A: DeserializeOwned + JsonSchema + 'static,
    F: for<'a> Fn(A, Given<'a>) -> Called<'a> + Send + Sync + 'static,
{
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn call<'a>(&'a self, arguments: Json, cx: &'a Context) -> Called<'a> {
        let files = self.states.files();
        match reading(files.as_ref(), || serde_json::from_value(arguments)) {
            Ok(arguments) => (self.function)(arguments, Given { cx, states: &self.states }),
            Err(error) => {
                let error = ToolError::unreadable(&self.spec.name, &error);
                Box::pin(async move { Err(error.into()) })
            }
        }
    }

    fn with_states(&self, states: &States) -> Result<Option<Arc<dyn Tool>>, MissingState> {
        if self.needs.is_empty() && states.files().is_none() {
            return Ok(None);
        }
        self.needs.iter().try_for_each(|needs| needs(states))?;
        Ok(Some(Arc::new(Self {
            spec: self.spec.clone(),
            needs: self.needs.clone(),
            needs_manager: self.needs_manager,
            inputs: self.inputs.clone(),
            states: states.clone(),
            function: Arc::clone(&self.function),
            arguments: PhantomData,
        })))
    }

    fn inputs(&self) -> &[ToolInput] {
        &self.inputs
    }

    fn file_use(&self) -> FileUse {
        FileUse { typed: true, needs_manager: self.needs_manager }
    }
}

impl<'a> Given<'a> {
    /// The context of the worker that makes the call.
    pub fn context(self) -> &'a Context {
        self.cx
    }

    /// The state of type `T`.
    ///
    /// # Errors
    /// If the tool is called without a toolbox that has one.
    pub fn state<T: Send + Sync + 'static>(self) -> Result<State<T>, MissingState> {
        self.states.get()
    }

    /// The input of the run that is called `name`.
    ///
    /// # Errors
    /// If there is none, or it is not a `T`.
    pub fn input<T: Data>(self, name: &'static str) -> Result<T, InputError> {
        ToolInput::new::<T>(name, "").read(self.cx)
    }
}

/// Converts the result of a function.
///
/// # Errors
/// If it cannot be serialised as JSON.
pub fn output(given: impl IntoToolOutput) -> Result<ToolOutput, WorkerError> {
    given.into_tool_output()
}

/// Converts the result of a fallible function, whose error is any error, or text.
///
/// # Errors
/// If the function failed, or its result cannot be serialised as JSON.
pub fn result<T: IntoToolOutput, E: Into<BoxError>>(
    given: Result<T, E>,
) -> Result<ToolOutput, WorkerError> {
    given.map_err(failure)?.into_tool_output()
}

tokio::task_local! {
    /// Whether a blocking function of the current call is still running.
    static STILL_RUNS: Arc<AtomicBool>;
}

/// Awaits `call`. `still_runs` says whether a blocking function of it is still running.
pub(super) async fn watched<F: Future>(still_runs: &Arc<AtomicBool>, call: F) -> F::Output {
    STILL_RUNS.scope(Arc::clone(still_runs), call).await
}

/// Calls a synchronous function on the blocking pool.
///
/// # Errors
/// Those of the function, and if the runtime shuts down.
///
/// # Cancel safety
/// The function runs to its end, and its result is dropped.
pub async fn blocking(
    function: impl FnOnce() -> Result<ToolOutput, WorkerError> + Send + 'static,
) -> Result<ToolOutput, WorkerError> {
    let still_runs = STILL_RUNS.try_with(Arc::clone).unwrap_or_default();
    still_runs.store(true, Ordering::Release);
    let scope = RunScope::current();
    let function = move || {
        let _ended = Ended(still_runs);
        scope.in_scope(function)
    };
    match tokio::task::spawn_blocking(function).await {
        Ok(output) => output,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(error.into()),
        },
    }
}

/// Says that a function has ended, however it has.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
