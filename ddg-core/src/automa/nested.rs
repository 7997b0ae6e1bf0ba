//! An automa as a worker of another.

use std::sync::Arc;

use super::{GraphAutoma, Program};
use crate::args::Args;
use crate::context::Context;
use crate::engine::run_nested;
use crate::error::WorkerError;
use crate::graph::View;
use crate::run::RunError;
use crate::values::{Type, Value};
use crate::worker::{AnyWorker, Body, Callable, IntoWorker, Signature, Start, begin};

/// An automa inside another. Changes that the outer run makes to it are kept in a view of it.
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

    /// The one type that all its output workers give.
    fn output(&self) -> Option<Type> {
        let mut outputs =
            self.automa.declared().map(|(body, _)| &body.role).filter(|role| role.wiring.output);
        let first = outputs.next()?.returns?;
        outputs.all(|role| role.returns == Some(first)).then_some(first)
    }
}

impl AnyWorker {
    /// The automa that it is, compiled; `None` where it is no automa, or one that is at fault.
    pub(crate) fn program(&self) -> Option<Arc<Program>> {
        self.0.automa()?.compiled().ok()
    }

    /// The automa's graph, as the run has left it; `None` where this is no automa.
    pub(crate) fn graph(&self) -> Option<View<Arc<Body>>> {
        match (self.0.view(), self.0.automa()) {
            (Some(view), _) => Some(view.clone()),
            (None, Some(automa)) => automa.compiled().ok().map(|program| program.view()),
            (None, None) => None,
        }
    }

    /// The same automa with another graph; a worker that is no automa stays as it is.
    pub(crate) fn with_graph(&self, view: View<Arc<Body>>) -> Self {
        let Some(automa) = self.0.automa() else { return self.clone() };
        let edited = Edited { view, origin: self.origin().clone() };
        Self(Arc::new(Nested { automa: Arc::clone(automa), edited: Some(edited) }))
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

    fn automa(&self) -> Option<&Arc<GraphAutoma>> {
        Some(&self.automa)
    }

    fn view(&self) -> Option<&View<Arc<Body>>> {
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
        AnyWorker(Arc::new(Nested { automa: Arc::new(self), edited: None }))
    }
}
