//! Runs an automa as a worker of another.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{Pending, RunCore, RunGuard, drive};
use crate::args::Args;
use crate::automa::Program;
use crate::context::Context;
use crate::graph::View;
use crate::run::RunError;
use crate::values::Value;
use crate::worker::Body;

/// Every so many levels a nested run becomes a task of its own, so that automata can be nested to
/// any depth without the stack growing with it.
const LEVELS_PER_TASK: u32 = 8;

/// How deep automata may be nested where there is no runtime to spawn tasks on.
const MOST_LEVELS: u32 = 32;

/// Runs `view` with what the worker was called with; `cx` is that of the worker.
pub(crate) async fn run_nested(
    program: Arc<Program>,
    view: View<Arc<Body>>,
    args: Args,
    cx: &Context,
) -> Result<Value, RunError> {
    let outer = (cx.core(), cx.worker());
    let core = match cx.inner() {
        Some(saved) => RunCore::nested_again(program, cx.path(), saved, outer)?,
        None => RunCore::nested(program, view, cx.path(), args, outer)?,
    };
    let (depth, automa) = (core.depth, Arc::clone(core.automa()));
    let guard = RunGuard::new(core);
    let outcome = match Handle::try_current() {
        Ok(runtime) if depth.is_multiple_of(LEVELS_PER_TASK) => {
            let task = runtime.spawn(async move { drive(guard).await }.in_current_span());
            match AbortOnDropHandle::new(task).await {
                Ok(outcome) => outcome?,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => {
                        return Err(RunError::Cancelled { automa: cx.path().to_string() });
                    }
                },
            }
        }
        Err(_) if depth > MOST_LEVELS => {
            return Err(RunError::TooDeep { automa: automa.to_string(), levels: MOST_LEVELS });
        }
        _ => drive(guard).await?,
    };
    if outcome.is_paused() {
        cx.requests().wait_for(Pending::Inner(Box::new(outcome.save()?)));
        return Err(RunError::Paused { outcome: Box::new(outcome) });
    }
    Ok(outcome.into_value())
}
