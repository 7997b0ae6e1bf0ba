//! A tool of a toolbox, and its calls: checked, approved, limited, attempted.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ddg_core::worker::{Panicked, TimedOut};
use ddg_core::{Context, WorkerError};
use futures::FutureExt;
use futures::future::Either;
use serde_json::{Map, Value as Json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tracing::{Instrument, Span};

use super::ToolboxFault;
use super::gate::Passed;
use crate::files::File;
use crate::message::cut;
use crate::message::{ToolArguments, ToolCall, ToolMessage};
use crate::schema::Validator;
use crate::scope::{Scope, ToolAct};
use crate::tool::error::Halt;
use crate::tool::files::FileFinder;
use crate::tool::func::watched;
use crate::tool::{
    MissingState, OnFailure, States, Tool, ToolError, ToolOptions, ToolOutput, ToolSpec,
};

/// A tool with its options.
pub(in crate::tool) struct Entry {
    pub(in crate::tool) tool: Arc<dyn Tool>,
    pub(in crate::tool) spec: ToolSpec,
    pub(in crate::tool) options: ToolOptions,
    pub(super) validator: Arc<Validator>,
    turns: Option<Arc<Semaphore>>,
    /// Finds the files of calls, if there is a file manager.
    pub(in crate::tool) finder: Option<FileFinder>,
}

/// What becomes of a call.
pub(in crate::tool) enum Admission {
    Call(Admitted),
    /// A hook has given the result.
    Given(ToolOutput),
}

/// A call that was admitted.
pub(in crate::tool) struct Admitted {
    pub(in crate::tool) arguments: Json,
    /// Its place among the concurrent calls.
    pub(in crate::tool) turn: Option<OwnedSemaphorePermit>,
    /// The files that the arguments name.
    pub(in crate::tool) files: Vec<File>,
}

impl Entry {
    /// Creates an entry, and adds the faults of the tool to `faults`.
    pub(super) fn new(
        tool: Arc<dyn Tool>,
        options: ToolOptions,
        states: &States,
        faults: &mut Vec<ToolboxFault>,
    ) -> Option<Self> {
        let n_before = faults.len();
        let spec = tool.spec().clone();
        check_spec(&spec, faults);
        let name = || spec.name.clone();
        let validator = Validator::new(&spec.parameters)
            .map_err(|reason| faults.push(ToolboxFault::Schema { tool: name(), reason }))
            .ok()?;
        let tool = match tool.with_states(states) {
            Ok(with_states) => with_states.unwrap_or(tool),
            Err(missing) => {
                faults.push(ToolboxFault::MissingState { tool: name(), ty: missing.ty });
                tool
            }
        };
        let turns = options.max_concurrency.map(|calls| Arc::new(Semaphore::new(calls)));
        let validator = Arc::new(validator);
        let mut entry = Self { tool, spec, options, validator, turns, finder: None };
        entry.find_files(states);
        (faults.len() == n_before).then_some(entry)
    }

    /// The same tool with these states. Both share one limit of concurrent calls.
    pub(super) fn with_states(&self, states: &States) -> Result<Self, MissingState> {
        let tool = self.tool.with_states(states)?.unwrap_or_else(|| Arc::clone(&self.tool));
        let mut entry = Self {
            tool,
            spec: self.spec.clone(),
            options: self.options.clone(),
            validator: Arc::clone(&self.validator),
            turns: self.turns.clone(),
            finder: None,
        };
        entry.find_files(states);
        Ok(entry)
    }

    /// The same tool with the places of concurrent calls in `turns`, or its own if there are none.
    pub(super) fn sharing_turns(self, turns: &mut BTreeMap<String, Arc<Semaphore>>) -> Self {
        let shared = |own| Arc::clone(turns.entry(self.spec.name.clone()).or_insert(own));
        Self { turns: self.turns.clone().map(shared), ..self }
    }

    fn find_files(&mut self, states: &States) {
        let finder = |files| FileFinder::new(files, &*self.tool, self.options.at_provider);
        self.finder = states.files().map(finder);
    }

    pub(in crate::tool) fn name(&self) -> &str {
        &self.spec.name
    }

    /// Calls the tool. The files that the call names are put into `input` first.
    pub(super) async fn output(
        &self,
        call: &ToolCall,
        cx: &Context,
        input: &mut Vec<File>,
    ) -> Result<ToolOutput, Halt> {
        let output = match self.admit(call, cx).await {
            Ok(Admission::Call(admitted)) => {
                input.clone_from(&admitted.files);
                self.run(call, admitted, cx).await
            }
            Ok(Admission::Given(output)) => Ok(output),
            Err(halt) => Err(halt),
        };
        if !matches!(output, Err(Halt::Fail(_))) {
            Self::forget(call, cx);
        }
        output
    }

    /// Admits a call if its arguments fit, hooks and a person allow it, and there is room for
    /// another call.
    pub(in crate::tool) async fn admit(
        &self,
        call: &ToolCall,
        cx: &Context,
    ) -> Result<Admission, Halt> {
        let arguments = self.read(&call.arguments)?;
        // Nobody is asked about a call that names a file which does not exist.
        self.input_files(&arguments)?;
        let arguments = match self.pass(call, arguments, cx).await? {
            Passed::Call(arguments) => arguments,
            Passed::Given(output) => return Ok(Admission::Given(output)),
        };
        let files = self.input_files(&arguments)?;
        let turn = match &self.turns {
            None => None,
            Some(turns) => {
                let turn = Arc::clone(turns).acquire_owned().await;
                Some(turn.expect("nobody closes the semaphore"))
            }
        };
        if let Some(finder) = &self.finder {
            finder.say_called(call, &arguments, &files, cx);
        }
        Ok(Admission::Call(Admitted { arguments, turn, files }))
    }

    /// Calls the tool, and retries as its options say. Hooks decide about the result.
    async fn run(
        &self,
        call: &ToolCall,
        admitted: Admitted,
        cx: &Context,
    ) -> Result<ToolOutput, Halt> {
        let Admitted { arguments, turn, files: _ } = admitted;
        let act = ToolAct::new(&self.spec, call, &arguments, cx);
        let attempts = self.attempts(&arguments, cx).instrument(act.span());
        let output = match attempts.await {
            // A tool that waits for a person has not ended.
            Err(Halt::Fail(error)) if cx.is_waiting() => return Err(Halt::Fail(error)),
            Err(Halt::Fail(error)) => {
                act.ended(&ToolMessage::error(call, error.to_string()));
                return Err(Halt::Fail(error));
            }
            Ok(output) => Ok(output),
            Err(Halt::Tell(error)) => Err(error),
        };
        drop(turn);
        let output = self.passed_on(call, arguments, output, cx).await;
        act.ended(&match &output {
            Ok(output) => ToolMessage::new(call, &output.content),
            Err(error) => ToolMessage::error(call, error.to_string()),
        });
        let mut output = output?;
        output.content = cut(output.content, self.options.max_output_bytes);
        Ok(output)
    }

    async fn attempts(&self, arguments: &Json, cx: &Context) -> Result<ToolOutput, Halt> {
        let mut waits = self.options.retries().waits();
        let error = loop {
            let error = match self.attempt(arguments.clone(), cx).await {
                Ok(mut output) => {
                    self.complete(&mut output);
                    return Ok(output);
                }
                Err(error) if cx.is_waiting() => return Err(Halt::Fail(error)),
                Err(error) => ToolError::of(self.name(), error),
            };
            match error {
                ToolError::Arguments { .. } => return Err(Halt::Tell(error)),
                // Called once more it would act twice at once.
                ToolError::StillRuns { .. } => break error,
                error => match waits.next() {
                    None => break error,
                    // A clock is not needed to try at once.
                    Some(Duration::ZERO) => {}
                    Some(wait) => sleep(wait).await,
                },
            }
        };
        Err(match self.options.on_failure {
            OnFailure::FailRun => Halt::Fail(error.into()),
            OnFailure::TellModel | OnFailure::Retry { .. } => Halt::Tell(error),
        })
    }

    /// The files that the arguments name.
    fn input_files(&self, arguments: &Json) -> Result<Vec<File>, ToolError> {
        match &self.finder {
            Some(finder) => finder.input(self.name(), &self.spec.parameters, arguments),
            None => Ok(Vec::new()),
        }
    }

    /// Adds the files that the result names.
    pub(in crate::tool) fn complete(&self, output: &mut ToolOutput) {
        if let Some(finder) = &self.finder {
            finder.complete(output);
        }
    }

    async fn attempt(&self, arguments: Json, cx: &Context) -> Result<ToolOutput, WorkerError> {
        let attempt = async {
            let call = async { self.tool.call(arguments, cx).await };
            // Runs that the tool begins by itself are inside this run.
            let call = match Scope::of(cx) {
                Some(scope) => Either::Left(scope.of_begun(Span::current()).enter(call)),
                None => Either::Right(call),
            };
            let Some(after) = self.options.timeout else { return call.await };
            let still_runs = Arc::default();
            match timeout(after, watched(&still_runs, call)).await {
                Ok(output) => output,
                Err(_) if still_runs.load(Ordering::Acquire) => {
                    Err(ToolError::StillRuns { tool: self.name().to_owned(), after }.into())
                }
                Err(_) => Err(TimedOut::new(after).into()),
            }
        };
        let output = AssertUnwindSafe(attempt).catch_unwind().await;
        output.unwrap_or_else(|panic| Err(Panicked::new(message(&*panic)).into()))
    }

    fn read(&self, arguments: &ToolArguments) -> Result<Json, ToolError> {
        match arguments {
            ToolArguments::Json(Json::Null) => self.checked(Json::Object(Map::new())),
            ToolArguments::Json(json) => self.checked(json.clone()),
            ToolArguments::Malformed(text) => {
                let reason = match serde_json::from_str::<Json>(text) {
                    Err(error) => error.to_string(),
                    Ok(_) => format!("nested deeper than {}", ToolArguments::DEEPEST),
                };
                Err(ToolError::Malformed { tool: self.name().to_owned(), reason })
            }
        }
    }

    fn checked(&self, arguments: Json) -> Result<Json, ToolError> {
        match self.validator.check(&arguments) {
            Ok(()) => Ok(arguments),
            Err(faults) => Err(ToolError::Arguments { tool: self.name().to_owned(), faults }),
        }
    }
}

fn check_spec(spec: &ToolSpec, faults: &mut Vec<ToolboxFault>) {
    let ToolSpec { name, description, parameters, strict: _ } = spec;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !matches!(name.len(), 1..=64) || !name.bytes().all(is_allowed) {
        faults.push(ToolboxFault::Name { name: name.clone() });
    }
    if description.trim().is_empty() {
        faults.push(ToolboxFault::NoDescription { tool: name.clone() });
    }
    if parameters["type"] != "object" {
        let reason = "its `type` is not \"object\"".to_owned();
        faults.push(ToolboxFault::Schema { tool: name.clone(), reason });
    }
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is no text".to_owned())
}
