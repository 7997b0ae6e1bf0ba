//! Hooks of runs, and of workers that could not be called.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::call::panicked;
use super::{Effects, Kickoff, RunCore, instrument};
use crate::args::Args;
use crate::callback::DynCallback;
use crate::context::Context;
use crate::error::WorkerError;
use crate::machine::Unbound;
use crate::run::{Outcome, RunError};

impl RunCore {
    /// Whether the run has hooks. A nested run has the hooks of its worker instead.
    pub(super) fn has_run_hooks(&self) -> bool {
        !self.callbacks.is_empty() && self.is_outermost()
    }
}

/// Calls the hooks before the first step.
pub(super) async fn will_start(core: &Arc<RunCore>) {
    for hook in &core.callbacks {
        guard("run_will_start", core, || hook.run_will_start(core.automa())).await;
    }
}

/// Calls the hooks of a run that has ended or failed. A cancelled run has none.
pub(super) async fn did_end(core: &Arc<RunCore>, ended: &Result<Outcome, RunError>) {
    for hook in core.callbacks.iter().rev() {
        match ended {
            Ok(outcome) => guard("run_did_end", core, || hook.run_did_end(outcome)).await,
            Err(RunError::Cancelled { .. }) => {}
            Err(error) => {
                guard("run_did_fail", core, || hook.run_did_fail(core.automa(), error)).await;
            }
        }
    }
}

/// Calls the error hooks of workers that could not be called. The step has failed, so the value
/// that a hook returns is ignored.
pub(super) async fn could_not_be_called(core: &Arc<RunCore>, unbound: Vec<Unbound>) {
    for Unbound { id, worker, step, cause, error } in unbound {
        let body = {
            let machine = core.machine();
            let Some(node) = machine.view().get(worker) else { continue };
            Arc::clone(&node.payload)
        };
        let hooks: Vec<Arc<dyn DynCallback>> =
            core.callbacks.iter().chain(&body.callbacks).rev().cloned().collect();
        let kickoff = Kickoff { id, worker, body, cause, step };
        let cx = Context::new(Arc::clone(core), kickoff, &Args::new(), Effects::default(), None);
        for hook in hooks {
            instrument::guard("did_fail", &cx, || hook.did_fail(&cx, &error)).await;
        }
        cx.requests().close();
    }
}

/// Runs a hook. An error or a panic is logged and otherwise ignored.
async fn guard<'a>(
    name: &'static str,
    core: &RunCore,
    hook: impl FnOnce() -> BoxFuture<'a, Result<(), WorkerError>>,
) {
    let hook = async { hook().await };
    let error = match AssertUnwindSafe(hook).catch_unwind().await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(panic) => panicked(&*panic),
    };
    tracing::warn!(
        automa = %core.automa(),
        hook = name,
        %error,
        "a callback failed; the run continues"
    );
}
