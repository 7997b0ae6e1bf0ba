//! The `tracing` spans of a run: their names and their fields.
//!
//! | span | level | parent |
//! | --- | --- | --- |
//! | `run` | info | for a nested automa the `worker` that it is; else the span of the caller |
//! | `step` | debug | its `run` |
//! | `worker` | debug | the `step` that it began in |
//!
//! Fields that `tracing-opentelemetry` reads (`otel.…`) set the name of a span and, after a
//! failure, its status. All others are attributes. The guide has a table of them.

use tracing::field::{Empty, display};
use tracing::{Span, debug_span, info_span};

use super::RunCore;
use crate::context::Context;
use crate::error::{Panicked, TimedOut, WorkerError};
use crate::machine::Cause;
use crate::run::{Outcome, RunError};

/// A span that also records that its subject was dropped before its end.
pub(super) struct Spanned {
    span: Span,
    ended: bool,
}

pub(super) fn run(core: &RunCore) -> Spanned {
    Spanned::new(info_span!(
        "run",
        otel.name = %format_args!("run {}", core.automa()),
        ddg.automa = %core.automa(),
        ddg.path = core.path.as_deref().map(display),
        ddg.run = core.journal().map(|journal| display(journal.run())),
        ddg.steps = Empty,
        ddg.outcome = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
    ))
}

pub(super) fn step(core: &RunCore, step: Option<u64>, n_kickoffs: usize) -> Span {
    debug_span!("step", ddg.automa = %core.automa(), ddg.step = step, ddg.kickoffs = n_kickoffs)
}

pub(super) fn worker(cx: &Context) -> Spanned {
    let (cause, ferried_by) = match cx.cause() {
        Cause::Start => ("start", None),
        Cause::Dependencies => ("dependencies", None),
        Cause::Ferry { by } => ("ferry", Some(display(by))),
    };
    Spanned::new(debug_span!(
        "worker",
        otel.name = %format_args!("worker {}", cx.key()),
        ddg.automa = %cx.core().automa(),
        ddg.worker = %cx.key(),
        ddg.path = %cx.path(),
        ddg.step = cx.step(),
        ddg.kickoff = cx.kickoff_id().0,
        ddg.cause = cause,
        ddg.ferried_by = ferried_by,
        ddg.attempts = Empty,
        ddg.outcome = Empty,
        error.type = Empty,
        otel.status_code = Empty,
        otel.status_description = Empty,
    ))
}

/// Number of attempts of a worker, recorded in the current span if it is not one.
pub(super) struct Attempts(pub(super) u32);

impl Drop for Attempts {
    fn drop(&mut self) {
        if self.0 > 1 {
            Span::current().record("ddg.attempts", self.0);
        }
    }
}

impl Spanned {
    fn new(span: Span) -> Self {
        Self { span, ended: false }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn run_ended(self, ended: &Result<Outcome, RunError>) {
        if self.span.is_disabled() {
            return;
        }
        match ended {
            Ok(outcome) => {
                self.span.record("ddg.steps", outcome.steps());
                self.ended(match () {
                    () if outcome.is_paused() => "paused",
                    () if outcome.stopped() => "stopped",
                    () => "finished",
                });
            }
            Err(RunError::Cancelled { .. }) => self.ended("cancelled"),
            Err(error) => self.failed(error),
        }
    }

    /// Records the end. An error counts as a failure unless the worker waits for an answer.
    pub(super) fn worker_ended(self, error: Option<&WorkerError>, waits: bool) {
        if self.span.is_disabled() {
            return;
        }
        match error {
            _ if waits => self.ended("interrupted"),
            None => self.ended("finished"),
            Some(error) => {
                self.span.record("error.type", kind_of(error));
                self.failed(error);
            }
        }
    }

    fn failed(self, error: &impl std::fmt::Display) {
        self.span.record("otel.status_code", "ERROR");
        self.span.record("otel.status_description", display(error));
        self.ended("failed");
    }

    fn ended(mut self, outcome: &'static str) {
        self.ended = true;
        self.span.record("ddg.outcome", outcome);
    }
}

impl Drop for Spanned {
    fn drop(&mut self) {
        if !self.ended && !self.span.is_disabled() {
            self.span.record("ddg.outcome", "cancelled");
        }
    }
}

/// `_OTHER` is OpenTelemetry's value for an error without a known type.
fn kind_of(error: &WorkerError) -> &'static str {
    if error.downcast_ref::<TimedOut>().is_some() {
        "timeout"
    } else if error.downcast_ref::<Panicked>().is_some() {
        "panic"
    } else {
        "_OTHER"
    }
}
