//! Nested automata: an automa as a worker, and its run within the outer run.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{Pending, RunCore, RunGuard, drive};
use crate::args::Args;
use crate::automa::{GraphAutoma, Program};
use crate::context::Context;
use crate::durable::States;
use crate::error::WorkerError;
use crate::graph::View;
use crate::run::RunError;
use crate::values::{Value, ValueType};
use crate::worker::{AnyWorker, Body, Callable, IntoWorker, Signature, Start, begin};

/// An automa inside another one. Edits by the outer run are kept in a view of its graph.
pub(crate) struct Nested {
    automa: Arc<GraphAutoma>,
    edited: Option<Edited>,
}

/// A graph that the run has changed.
struct Edited {
    view: View<Arc<Body>>,
    /// The automa before it was changed.
    origin: AnyWorker,
}

impl Nested {
    async fn run(&self, args: Args, cx: &Context) -> Result<Value, RunError> {
        let program = self.automa.compiled()?;
        let view = match &self.edited {
            Some(edited) => edited.view.clone(),
            None => program.view(),
        };
        run_nested(program, view, args, cx).await
    }

    /// The type that all of its output workers give, if it is the same.
    fn output(&self) -> Option<ValueType> {
        let mut outputs =
            self.automa.declared().map(|(body, _)| &body.role).filter(|role| role.wiring.output);
        let first = outputs.next()?.returns?;
        outputs.all(|role| role.returns == Some(first)).then_some(first)
    }
}

impl Callable for Nested {
    fn signature(&self) -> Signature {
        Signature {
            context: true,
            output: self.output(),
            most_positional: self.automa.compiled().ok().map(|program| program.most_positional),
            ..Signature::open()
        }
    }

    fn start(&self) -> Start {
        |callee, args, rooms, task| {
            let args = std::mem::take(args);
            let run = async move {
                let nested: &Self = callee.worker();
                let output = nested.run(args, callee.context()).await;
                (output.map_err(WorkerError::from), Some(callee))
            };
            begin(run, rooms, task)
        }
    }

    fn automa(&self) -> Option<&Arc<GraphAutoma>> {
        Some(&self.automa)
    }

    fn view(&self) -> Option<&View<Arc<Body>>> {
        self.edited.as_ref().map(|edited| &edited.view)
    }

    fn with_graph(&self, origin: &AnyWorker, view: View<Arc<Body>>) -> Option<AnyWorker> {
        let edited = Some(Edited { view, origin: origin.clone() });
        Some(AnyWorker(Arc::new(Self { automa: Arc::clone(&self.automa), edited })))
    }

    fn origin(&self) -> Option<&AnyWorker> {
        self.edited.as_ref().map(|edited| &edited.origin)
    }
}

/// Marks a nested automa.
#[doc(hidden)]
pub struct Inner;

impl IntoWorker<Inner> for GraphAutoma {
    fn into_worker(self) -> AnyWorker {
        // Inner automata are compiled first, when they are added, so that no depth of nesting makes
        // the compilation recurse deeply. Faults are kept, and reported together with those of the
        // outer automa.
        _ = self.compiled();
        AnyWorker(Arc::new(Nested { automa: Arc::new(self), edited: None }))
    }
}

/// Number of levels after which a nested run becomes a task of its own, with a stack of its own. So
/// any depth of nesting works.
const LEVELS_PER_TASK: u32 = 8;

/// Maximum depth of nesting without a runtime to spawn tasks on.
const MOST_LEVELS: u32 = 32;

/// Sets where the states of a nested run are written.
#[cold]
fn keep_steps(core: &mut Arc<RunCore>, states: &States, cx: &Context, continues: bool) {
    let Some(states) = states.inside(cx.kickoff_id()) else { return };
    states.begin(core, cx.key(), continues);
    Arc::get_mut(core).expect("nobody else has a run that has not begun").states = Some(states);
}

/// Runs `view` with the arguments of the worker whose context is `cx`.
async fn run_nested(
    program: Arc<Program>,
    view: View<Arc<Body>>,
    args: Args,
    cx: &Context,
) -> Result<Value, RunError> {
    let outer = (cx.core(), cx.worker());
    let (mut core, continues) = match cx.inner() {
        Some(saved) => (RunCore::nested_again(program, cx.path(), saved, outer)?, true),
        None => (RunCore::nested(program, view, cx.path(), args, outer)?, false),
    };
    if let Some(core) = Arc::get_mut(&mut core) {
        core.kickoff = Some(cx.kickoff_id());
    }
    if let Some(states) = &cx.core().states {
        keep_steps(&mut core, states, cx, continues);
    }
    let (depth, automa) = (core.depth, Arc::clone(core.automa()));
    let guard = RunGuard::new(core);
    let outcome = match Handle::try_current() {
        Ok(runtime) if depth.is_multiple_of(LEVELS_PER_TASK) => {
            let core = Arc::clone(&guard.core);
            let run = async move { drive(guard).await }.in_current_span();
            let task = match core.acting() {
                Some(acting) => runtime.spawn(acting.tasks.track_future(run)),
                None => runtime.spawn(run),
            };
            match AbortOnDropHandle::new(task).await {
                Ok(outcome) => outcome?,
                Err(error) => match error.try_into_panic() {
                    // The panic continues in the worker, where it is caught and becomes its error.
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
