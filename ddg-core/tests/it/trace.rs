//! A run as text for comparison in tests: one line for each kickoff, in the order in which they
//! began, and the end of the run.
//!
//! ```text
//! step 1: plan (start) ("Tokyo") → 3
//! step 2: book (ferry by `plan`) (3) failed: sold out
//! error: automa `trip`, step 2: worker `book` failed: sold out
//! ```

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use ddg_core::args::IntoArgs;
use ddg_core::prelude::*;

/// Records every kickoff of an automa and of the automata nested in it. It only watches.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Vec<Line>>>);

struct Line {
    text: String,
    /// Which context the kickoff has, until it has ended.
    open: Option<usize>,
}

impl Trace {
    /// Traces `automa` from now on.
    pub(crate) fn of(automa: &mut GraphAutoma) -> Self {
        let trace = Self::default();
        automa.add_callback(trace.clone());
        trace
    }

    /// The lines so far; they are forgotten here.
    pub(crate) fn take(&self) -> String {
        let lines = std::mem::take(&mut *self.0.lock().unwrap());
        lines.into_iter().map(|line| line.text + "\n").collect()
    }

    fn end(&self, cx: &Context, how: &str) {
        let mut lines = self.0.lock().unwrap();
        if let Some(line) = lines.iter_mut().find(|line| line.open == Some(identity(cx))) {
            line.text += how;
            line.open = None;
        }
    }
}

/// Tells the kickoffs that are running from each other: all hooks of one see one context.
fn identity(cx: &Context) -> usize {
    std::ptr::from_ref(cx).addr()
}

impl Callback for Trace {
    async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
        let text = format!("step {}: {} ({}) {args:?}", cx.step(), cx.path(), cx.cause());
        self.0.lock().unwrap().push(Line { text, open: Some(identity(cx)) });
        Ok(())
    }

    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        self.end(cx, &format!(" → {output:?}"));
        Ok(())
    }

    async fn did_fail(
        &self,
        cx: &Context,
        error: &WorkerError,
    ) -> Result<Option<Value>, WorkerError> {
        self.end(cx, &format!(" failed: {error}"));
        Ok(None)
    }
}

/// Runs `automa` twice, unwatched and watched, which must end the same; gives the trace and the
/// end.
pub(crate) async fn trace(automa: &GraphAutoma, args: impl IntoArgs) -> String {
    let args = args.into_args();
    let unwatched = end(automa.run(args.clone()).await);
    let mut automa = automa.clone();
    let trace = Trace::of(&mut automa);
    let watched = end(automa.run(args).await);
    assert_eq!(unwatched, watched, "a callback that only watches changes nothing");
    trace.take() + &watched
}

/// How a run ended: its output and who was left waiting, or its error.
pub(crate) fn end(ended: Result<Outcome, RunError>) -> String {
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(error) => return format!("error: {error}\n"),
    };
    let mut text = match outcome.stopped() {
        true => format!("stopped: {:?}\n", outcome.output()),
        false => format!("output: {:?}\n", outcome.output()),
    };
    for waiting in outcome.waiting() {
        writeln!(text, "waiting: {waiting}").unwrap();
    }
    text
}

/// An async function of no parameters that gives its own key.
pub(crate) async fn name(cx: Context) -> String {
    cx.key().to_string()
}

/// Adds a worker that takes nothing from its dependencies and gives its own key.
pub(crate) fn add(automa: &mut GraphAutoma, key: &str, options: WorkerOptions) {
    automa.add_func_as_worker(key, name, options.suppressed()).unwrap();
}
