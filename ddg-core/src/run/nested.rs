//! Runs an automa as a worker of another.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::live::Live;
use super::{Pending, RunCore, RunError, driver};
use crate::args::Args;
use crate::context::Context;
use crate::graph::View;
use crate::values::Value;

/// Every so many levels a nested run becomes a task of its own, so that automata can be nested to
/// any depth without the stack growing with it.
const LEVELS_PER_TASK: u32 = 8;

/// How deep automata may be nested where there is no runtime to spawn tasks on.
const MOST_LEVELS: u32 = 32;

/// Runs `view` with what the worker was called with; `cx` is that of the worker.
pub(crate) async fn run_nested(view: View, args: Args, cx: &Context) -> Result<Value, RunError> {
    let core = match cx.inner() {
        Some(saved) => RunCore::nested_again(&view, cx.path(), saved, cx.core())?,
        None => RunCore::nested(view, cx.path(), args, cx.core())?,
    };
    let (depth, automa) = (core.depth, Arc::clone(core.automa()));
    let live = Live::new(core);
    let outcome = match Handle::try_current() {
        Ok(runtime) if depth.is_multiple_of(LEVELS_PER_TASK) => {
            let task = runtime.spawn(async move { driver::drive(live).await }.in_current_span());
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
        _ => driver::drive(live).await?,
    };
    if outcome.is_paused() {
        cx.asks().wait_for(Pending::Inner(Box::new(outcome.save()?)));
        return Err(RunError::Paused { outcome: Box::new(outcome) });
    }
    Ok(outcome.into_value())
}
