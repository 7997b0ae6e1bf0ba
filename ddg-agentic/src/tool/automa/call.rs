//! The automa that calls an automa as a tool: `check` → `automa` → `result`, by ferries.

use std::sync::Arc;

use ddg_core::callback::Callback;
use ddg_core::graph::BuildError;
use ddg_core::run::RunScope;
use ddg_core::worker::AnyWorker;
use ddg_core::{Context, GraphAutoma, Value, WorkerError, free, start};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::OwnedSemaphorePermit;

use super::AutomaTool;
use crate::files::{File, records};
use crate::message::ToolCall;
use crate::message::cut;
use crate::scope::{CallAct, Scope};
use crate::tool::error::Halt;
use crate::tool::toolbox::{Admission, Admitted, Entry};
use crate::tool::{OnFailure, ToolOutput, ToolResult};

const CHECK: &str = "check";
const AUTOMA: &str = "automa";
const RESULT: &str = "result";

/// The local value of `check` with the call and the arguments that were admitted.
const CALLED: &str = "called";

/// A worker that makes calls of the automa `tool` of `entry`.
///
/// # Errors
/// If the automa is invalid.
pub(in crate::tool) fn call_automa(
    entry: &Arc<Entry>,
    tool: &AutomaTool,
) -> Result<AnyWorker, BuildError> {
    tool.automa.validate()?;
    let mut call = GraphAutoma::new(entry.name());
    call.add_worker(CHECK, check(entry, tool), start())?;
    let of = Arc::clone(entry);
    call.attach(move |run| {
        let called = run.local_space(CHECK).and_then(|space| space.get(CALLED));
        let (call, arguments): (ToolCall, Json) =
            called.unwrap_or_else(|| (ToolCall::new("", of.name(), Json::Null), Json::Null));
        CallAct::new(run, &of.spec, &call, &arguments)
    });
    call.run_scope(|run| {
        let Some(scope) = Scope::around(run) else { return RunScope::new() };
        // Before the call is admitted there is no act of it.
        let space = run.local_space(CHECK);
        let is_called = space.and_then(|space| space.get::<Value>(CALLED)).is_some();
        let act = is_called.then(|| run.attached::<CallAct>()).flatten();
        let span = act.map_or_else(|| scope.span().clone(), |act| act.span());
        scope.of_begun(span)
    });
    let mut options = free().callback(Conclude { entry: Arc::clone(entry), tool: tool.clone() });
    if let Some(timeout) = entry.options.timeout {
        options = options.timeout(timeout);
    }
    if entry.options.retries().waits().next().is_some() {
        options = options.retry(entry.options.retries());
    }
    call.add_worker(AUTOMA, tool.automa.clone(), options)?;
    let options = free().params(["ended", "call"]).from("call", CHECK).inline().output();
    call.add_worker(RESULT, result(entry, tool), options)?;
    Ok(AnyWorker::new(call))
}

/// The end of the automa.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ended {
    Gave(Value),
    /// A hook has given the result.
    Given(ToolOutput),
    Failed(ToolOutput),
}

/// A call that has been checked.
#[derive(Clone, Serialize, Deserialize)]
struct Checked {
    call: ToolCall,
    /// The arguments with which the automa runs; `None` if it does not.
    #[serde(default)]
    arguments: Option<Json>,
    /// The files that the call names.
    #[serde(default, serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    input: Vec<File>,
}

/// A place among the concurrent calls. The local space of the run holds it while the run lasts; it
/// is not saved.
#[derive(Clone, Serialize, Deserialize)]
struct Turn {
    #[serde(skip)]
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// Checks the call, and ferries to the automa, or to the result if the call is refused.
fn check(entry: &Arc<Entry>, tool: &AutomaTool) -> AnyWorker {
    let (entry, tool) = (Arc::clone(entry), tool.clone());
    AnyWorker::func(move |call: ToolCall, cx: Context| {
        let (entry, tool) = (Arc::clone(&entry), tool.clone());
        async move {
            let mut input = Vec::new();
            let ended = match entry.admit(&call, &cx).await {
                Ok(Admission::Call(Admitted { arguments, turn, files })) => {
                    input = files;
                    match tool.arguments(arguments.clone()) {
                        Ok(args) => {
                            cx.local().set("turn", Turn { _permit: turn.map(Arc::new) });
                            cx.local().set(CALLED, (call.clone(), arguments.clone()));
                            cx.attached::<CallAct>();
                            cx.ferry_to(AUTOMA, args);
                            return Ok(Checked { call, arguments: Some(arguments), input });
                        }
                        Err(error) => Ended::Failed(ToolOutput::text(error.to_string())),
                    }
                }
                Ok(Admission::Given(output)) => Ended::Given(output),
                Err(Halt::Tell(error)) => Ended::Failed(ToolOutput::text(error.to_string())),
                Err(Halt::Fail(error)) => return Err(error),
            };
            cx.ferry_to(RESULT, (ended,));
            Ok::<_, WorkerError>(Checked { call, arguments: None, input })
        }
    })
}

/// Gives the result of the call.
fn result(entry: &Arc<Entry>, tool: &AutomaTool) -> AnyWorker {
    let (entry, write) = (Arc::clone(entry), Arc::clone(&tool.write));
    AnyWorker::func(move |ended: Ended, call: Checked, cx: Context| {
        let (entry, write) = (Arc::clone(&entry), Arc::clone(&write));
        async move {
            let Checked { call, arguments, input } = call;
            let output = match ended {
                Ended::Gave(output) => {
                    write(&output).map_err(|error| ToolOutput::text(error.to_string()))
                }
                Ended::Given(output) => Ok(output),
                Ended::Failed(why) => Err(why),
            };
            let mut result = match output {
                Ok(mut output) => {
                    entry.complete(&mut output);
                    ToolResult::new(&call, output)
                }
                Err(why) => {
                    let mut result = ToolResult::error(&call, why.content);
                    (result.usage, result.files.output) = (why.usage, why.files);
                    result
                }
            };
            result.files.input = input;
            if let Some(arguments) = arguments {
                result = entry.passed_result(&call, arguments, result, &cx).await;
                if let Some(act) = cx.attached::<CallAct>() {
                    act.ended(&result.message);
                }
            }
            if let Some(finder) = &entry.finder {
                finder.say_ended(&call, result.message.is_error, &result.files.output, &cx);
            }
            result.message.content = cut(result.message.content, entry.options.max_output_bytes);
            result
        }
    })
}

/// Ferries to the result when the automa has ended or failed.
struct Conclude {
    entry: Arc<Entry>,
    tool: AutomaTool,
}

impl Callback for Conclude {
    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        cx.ferry_to(RESULT, (Ended::Gave(output.clone()),));
        Ok(())
    }

    async fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        if self.entry.options.on_failure == OnFailure::FailRun {
            return Ok(None);
        }
        cx.ferry_to(RESULT, (Ended::Failed(self.tool.told(error)),));
        Ok(Some(Value::null()))
    }
}
