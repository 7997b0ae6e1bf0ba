//! A run as it is seen from outside: by its hooks, by a subscriber, in its spans.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ddg_core::event::{Event, EventKind};
use ddg_core::prelude::*;
use ddg_core::run::KickoffId;

use crate::random_graphs::stage::number;
use crate::reference::engine::{called_with, json};
use crate::reference::{End, Execution};

/// Each kickoff, by its number.
pub(super) type Seen = BTreeMap<u64, String>;

/// Hooks that write down every kickoff with its arguments, and how it ended.
#[derive(Clone, Default)]
pub(super) struct Hooks(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    begun: Seen,
    ended: Seen,
}

impl Hooks {
    /// What was seen since the last call.
    pub(super) fn take(&self) -> Seen {
        let Log { begun, ended } = std::mem::take(&mut *self.0.lock().unwrap());
        let asked = "asked".to_owned();
        let end = |id| ended.get(&id).unwrap_or(&asked);
        begun.into_iter().map(|(id, line)| (id, format!("{line} = {}", end(id)))).collect()
    }

    fn ended(&self, kickoff: KickoffId, how: String) {
        let mut log = self.0.lock().unwrap();
        let id = number(kickoff);
        // A worker that could not be called did not begin.
        if log.begun.contains_key(&id) {
            let earlier = log.ended.insert(id, how);
            assert_eq!(earlier, None, "kickoff {id} ended twice");
        }
    }
}

impl Callback for Hooks {
    async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
        let called = called_with(args);
        let line = format!("step {}: {} ({}) {called}", cx.step(), cx.key(), cx.cause());
        let earlier = self.0.lock().unwrap().begun.insert(number(cx.kickoff_id()), line.clone());
        // A kickoff that has asked begins again as it was.
        assert!(earlier.is_none_or(|earlier| earlier == line));
        Ok(())
    }

    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        self.ended(cx.kickoff_id(), json(output).to_string());
        Ok(())
    }

    async fn did_fail(&self, cx: &Context, _: &WorkerError) -> Result<Option<Value>, WorkerError> {
        self.ended(cx.kickoff_id(), "failed".to_owned());
        Ok(None)
    }
}

/// A kickoff as hooks tell it.
pub(super) fn by_hooks(execution: &Execution) -> String {
    let Execution { step, worker, cause, called, end, .. } = execution;
    format!("step {step}: {} ({cause}) {called} = {}", worker.key, text(end))
}

/// A kickoff as events tell it.
pub(super) fn by_events(execution: &Execution) -> String {
    let Execution { step, worker, cause, end, .. } = execution;
    format!("step {step}: {} ({cause}) = {}", worker.key, text(end))
}

/// A kickoff as its span tells it.
pub(super) fn by_spans(execution: &Execution) -> String {
    let Execution { step, worker, cause, end, .. } = execution;
    let end = match end {
        End::Gave(_) => "finished",
        End::Failed => "failed",
        End::Asked => "interrupted",
    };
    format!("step {step}: {} ({cause}) = {end}", worker.key)
}

fn text(end: &End) -> String {
    match end {
        End::Gave(output) => output.to_string(),
        End::Failed => "failed".to_owned(),
        End::Asked => "asked".to_owned(),
    }
}

/// Adds the kickoffs that the events of a run tell of: of the nested one, if the program is nested.
pub(super) fn add_events(seen: &mut Seen, events: &[Arc<Event>], is_nested: bool) {
    for event in events.iter().filter(|event| event.automa.is_some() == is_nested) {
        let mut ended = |kickoff: &KickoffId, how: String| {
            let line =
                seen.get_mut(&number(*kickoff)).expect("it is told of at the start of a step");
            let (begin, _) = line.split_once(" = ").unwrap();
            *line = format!("{begin} = {how}");
        };
        match &event.kind {
            EventKind::StepStarted { kickoffs } => {
                for scheduled in kickoffs {
                    let (worker, cause) = (&scheduled.worker, &scheduled.cause);
                    let line = format!("step {}: {worker} ({cause}) = asked", event.step);
                    seen.insert(number(scheduled.kickoff), line);
                }
            }
            EventKind::WorkerFinished { kickoff, output, .. } => {
                ended(kickoff, json(output).to_string());
            }
            EventKind::WorkerFailed { kickoff, .. } => ended(kickoff, "failed".to_owned()),
            _ => {}
        }
    }
}

/// Adds the kickoffs that recorded spans tell of.
pub(super) fn add_spans(seen: &mut Seen, spans: &str) {
    let spans = spans.lines().map(str::trim_start);
    for span in spans.filter(|span| span.starts_with("worker ") && is_of_program(span)) {
        let field = |name: &str| {
            let (_, rest) = span.split_once(&format!(" {name}="))?;
            Some(rest.split(' ').next().unwrap().trim_matches('"'))
        };
        let cause = match field("ddg.ferried_by") {
            Some(by) => format!("ferry by `{by}`"),
            None => field("ddg.cause").unwrap().to_owned(),
        };
        let [step, worker, outcome] =
            ["ddg.step", "ddg.worker", "ddg.outcome"].map(|name| field(name).unwrap());
        let kickoff = field("ddg.kickoff").unwrap().parse().unwrap();
        seen.insert(kickoff, format!("step {step}: {worker} ({cause}) = {outcome}"));
    }
}

/// Whether it is in the automa of the program, and not in one around it.
fn is_of_program(span: &str) -> bool {
    span.contains(" ddg.automa=random ")
}
