//! An automa as a worker of another.

use std::sync::Arc;

use super::{GraphAutoma, View};
use crate::args::Args;
use crate::context::Context;
use crate::run::{RunError, run_nested};
use crate::values::{Type, Value};
use crate::worker::{AnyWorker, Callable, IntoWorker, Signature, Start, WorkerError, begin};

/// An automa inside another. Changes that the outer run makes to it are kept in a view of it.
pub(crate) struct Nested {
    automa: GraphAutoma,
    edited: Option<Edited>,
}

/// A graph that the run has changed.
struct Edited {
    view: View,
    /// The automa before it was changed.
    origin: AnyWorker,
}

impl Nested {
    /// The automa that is `worker`, with its graph changed.
    pub(super) fn edited(worker: &AnyWorker, automa: GraphAutoma, view: View) -> Self {
        Self { automa, edited: Some(Edited { view, origin: worker.origin().clone() }) }
    }

    async fn run(&self, args: Args, cx: &Context) -> Result<Value, RunError> {
        let view = match &self.edited {
            Some(edited) => edited.view.clone(),
            None => View::of(self.automa.compiled()?),
        };
        run_nested(view, args, cx).await
    }

    /// The one type that all its output workers give.
    fn output(&self) -> Option<Type> {
        let mut outputs = self.automa.declarations().values().filter(|worker| worker.spec.output);
        let first = outputs.next()?.spec.returns?;
        outputs.all(|worker| worker.spec.returns == Some(first)).then_some(first)
    }
}

impl AnyWorker {
    /// The automa's graph, as the run has left it; `None` where this is no automa.
    pub(super) fn graph(&self) -> Option<View> {
        match (self.0.view(), self.0.automa()) {
            (Some(view), _) => Some(view.clone()),
            (None, Some(automa)) => automa.compiled().ok().map(View::of),
            (None, None) => None,
        }
    }
}

impl Callable for Nested {
    fn signature(&self) -> Signature {
        Signature { context: true, output: self.output(), ..Signature::open() }
    }

    fn start(&self) -> Start {
        |callee, args, task| {
            let args = std::mem::take(args);
            let run = async move {
                let nested: &Self = callee.worker();
                let output = nested.run(args, callee.context()).await;
                (output.map_err(WorkerError::from), callee.into_context())
            };
            begin(run, task)
        }
    }

    fn automa(&self) -> Option<&GraphAutoma> {
        Some(&self.automa)
    }

    fn view(&self) -> Option<&View> {
        self.edited.as_ref().map(|edited| &edited.view)
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
        // Compiled from the inside out, automata nested to any depth never make a deep recursion.
        // What is wrong is kept, and reported together with the outer automa's faults.
        _ = self.compiled();
        AnyWorker(Arc::new(Nested { automa: self, edited: None }))
    }
}
