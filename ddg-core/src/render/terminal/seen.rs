//! The state of a view: what is running, and the lines to write.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::line::{Line, Tone};
use super::progress::{Told, about, value};
use super::running::Running;
use super::text::{count, one_line, some};
use crate::event::{ChangeKind, Event, EventKind, Missed, ScheduledKickoff};
use crate::machine::{Cause, KickoffId};
use crate::path::WorkerPath;
use crate::render::duration;
use crate::values::Value;

/// Maximum number of bytes of chunks that are collected into one line.
const LONGEST_LINE: usize = 1000;

/// Time between two lines that show the progress of one worker.
const PROGRESS: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Seen {
    /// The lines to write.
    pub(super) lines: Vec<Line>,
    pub(super) running: Running,
    name: Option<String>,
    /// The current step of the outermost run.
    pub(super) step: u64,
    n_steps: u64,
    /// Number of kickoffs in the step of the outermost run; `n_done` of them have ended.
    n_due: u64,
    n_done: u64,
    n_ended: u64,
    pub(super) n_retries: u64,
    /// The start of the run, by the clock of the view.
    began: Option<Instant>,
    /// The time of the last event, since the start of the run.
    at: Duration,
}

impl Seen {
    /// The time since the start of the run.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        self.began.map_or(self.at, |began| now.saturating_duration_since(began))
    }

    /// Number of kickoffs of the step that have ended, and of all, if the step was seen.
    pub(super) fn of_step(&self) -> Option<(u64, u64)> {
        (self.n_due > 0).then(|| (self.n_done.min(self.n_due), self.n_due))
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("run")
    }

    pub(super) fn take(&mut self, event: Result<Arc<Event>, Missed>) {
        let event = match event {
            Ok(event) => Arc::unwrap_or_clone(event),
            Err(missed) => return self.forget(missed),
        };
        self.at = event.at;
        // The estimate is too late by the time that an event took to get here, so the earliest of
        // all estimates is the best.
        let began = Instant::now().checked_sub(event.at);
        self.began = [self.began, began].into_iter().flatten().min();
        match event.kind.worker().cloned() {
            Some(worker) => self.of_worker(&WorkerPath::new(event.automa, worker), event.kind),
            None => self.of_automa(event.automa.as_deref(), event.step, event.kind),
        }
    }

    /// Workers that were running when events were missed may have ended since.
    fn forget(&mut self, missed: Missed) {
        self.running.clear();
        (self.n_due, self.n_done) = (0, 0);
        self.say(self.name().to_owned(), Tone::Warning, missed.to_string());
    }

    fn of_worker(&mut self, path: &WorkerPath, kind: EventKind) {
        match kind {
            EventKind::WorkerStarted { kickoff, .. } => {
                self.running.begin(path, kickoff, Some(self.at));
            }
            EventKind::WorkerFinished { kickoff, .. } => {
                self.end(path, kickoff, Tone::Good, "done", None);
            }
            EventKind::WorkerFailed { kickoff, error, .. } => {
                self.end(path, kickoff, Tone::Bad, "failed", Some(&error));
            }
            EventKind::WorkerInterrupted { kickoff, .. } => {
                self.end(path, kickoff, Tone::Warning, "interrupted", Some("waits for an answer"));
            }
            EventKind::AttemptFailed { kickoff, error, .. } => {
                self.end_line(path, kickoff);
                self.running.telling(path, kickoff).error = one_line(&error);
            }
            EventKind::WorkerRetrying { kickoff, attempt, wait, .. } => {
                self.retry(path, kickoff, attempt, wait);
            }
            EventKind::Chunk { kickoff, chunk, .. } => self.chunk(path, kickoff, &chunk),
            // An event about a run inside this one, which is no worker that is running.
            EventKind::Custom { kickoff: KickoffId(u64::MAX), name, data, .. } => {
                self.say(one_line(&path.to_string()), Tone::Plain, about(&name, &data));
            }
            EventKind::Custom { kickoff, name, data, .. } => {
                let told = Told::new(&name, &data);
                let at = self.at;
                let row = self.running.telling(path, kickoff);
                row.told = Some(told.clone());
                let is_due = told.part.is_none() || {
                    let since = row.said.or(row.began).unwrap_or_default();
                    at.saturating_sub(since) >= PROGRESS
                };
                if is_due {
                    row.said = told.part.map(|_| at).or(row.said);
                    self.say(one_line(&path.to_string()), Tone::Detail, told.text);
                }
            }
            _ => {}
        }
    }

    /// Reports the end of a worker, with its duration if the start was seen.
    fn end(
        &mut self,
        path: &WorkerPath,
        kickoff: KickoffId,
        tone: Tone,
        how: &str,
        why: Option<&str>,
    ) {
        self.end_line(path, kickoff);
        self.n_ended += 1;
        self.n_done += u64::from(path.parent().is_none());
        let mut says = how.to_owned();
        if let Some(began) = self.running.remove(path, kickoff).and_then(|row| row.began) {
            says += &format!(" in {}", duration::text(self.at.saturating_sub(began)));
        }
        if let Some(why) = why {
            says += &format!(": {}", one_line(why));
        }
        self.say(one_line(&path.to_string()), tone, says);
    }

    fn retry(&mut self, path: &WorkerPath, kickoff: KickoffId, attempt: u32, wait: Duration) {
        self.n_retries += 1;
        let row = self.running.telling(path, kickoff);
        let error = std::mem::take(&mut row.error);
        row.attempt = attempt;
        row.told = None;
        let mut says = format!("attempt {} failed: {error}; attempt {attempt}", attempt - 1);
        if !wait.is_zero() {
            says += &format!(" in {}", duration::text(wait));
        }
        self.say(one_line(&path.to_string()), Tone::Warning, says);
    }

    /// Collects text into lines. A chunk of any other kind is a line, except that of several chunks
    /// in a row that are the same variant of an enum, only the first is shown: they are pieces.
    fn chunk(&mut self, path: &WorkerPath, kickoff: KickoffId, chunk: &Value) {
        let row = self.running.telling(path, kickoff);
        let lines: Vec<_> = match Piece::of(chunk) {
            Piece::Text(text) => {
                row.pieces = None;
                row.line += &text;
                let end = match row.line.rfind('\n') {
                    Some(end) => end + 1,
                    None if row.line.len() > LONGEST_LINE => row.line.len(),
                    None => return,
                };
                let rest = row.line.split_off(end);
                std::mem::replace(&mut row.line, rest).lines().map(one_line).collect()
            }
            Piece::Of(variant) if row.pieces.as_ref() == Some(&variant) => return,
            Piece::Of(variant) => {
                row.pieces = Some(variant);
                vec![value(chunk)]
            }
            Piece::Other => vec![value(chunk)],
        };
        for line in lines {
            self.say(one_line(&path.to_string()), Tone::Detail, format!("| {line}"));
        }
    }

    /// Ends the line that chunks have left open.
    fn end_line(&mut self, path: &WorkerPath, kickoff: KickoffId) {
        let row = self.running.row(path, kickoff);
        let line = row.map(|row| std::mem::take(&mut row.line)).unwrap_or_default();
        if !line.is_empty() {
            self.say(one_line(&path.to_string()), Tone::Detail, format!("| {}", one_line(&line)));
        }
    }

    fn of_automa(&mut self, automa: Option<&WorkerPath>, step: u64, kind: EventKind) {
        let of = match (automa, &kind) {
            (None, EventKind::RunStarted { name }) => self.name.insert(one_line(name)).clone(),
            (None, _) => self.name().to_owned(),
            (Some(path), _) => one_line(&path.to_string()),
        };
        match (automa, kind) {
            (_, EventKind::StepStarted { kickoffs }) => {
                self.reach(automa, step);
                if automa.is_none() {
                    // At a rolling pace, kickoffs of earlier steps may still be running beside the
                    // new ones.
                    self.n_due = self.n_due.saturating_sub(self.n_done) + kickoffs.len() as u64;
                    self.n_done = 0;
                }
                self.say(of, Tone::Plain, format!("step {step}: {}", some(&in_short(&kickoffs))));
            }
            (_, EventKind::GraphChanged { changes }) => {
                let changes: Vec<_> = changes.iter().map(|change| short(&change.what)).collect();
                let says = format!("step {step}: graph changed: {}", some(&changes));
                self.say(of, Tone::Plain, says);
            }
            (_, EventKind::StepSettled { .. }) => {
                self.reach(automa, step);
                self.end_unseen(|it| it == automa);
            }
            (None, EventKind::RunStarted { .. }) => self.say(of, Tone::Plain, "started".to_owned()),
            (None, EventKind::RunPaused { questions }) => {
                self.end_run(of.clone(), Tone::Warning, "paused", None);
                for question in questions {
                    let asked = format!("asks {}: {}", question.id, value(&question.content));
                    self.say(of.clone(), Tone::Warning, one_line(&asked));
                }
            }
            (None, EventKind::RunFinished { stopped, .. }) => {
                let how = if stopped { "stopped" } else { "finished" };
                self.end_run(of, Tone::Good, how, None);
            }
            (None, EventKind::RunFailed { error }) => {
                self.end_run(of, Tone::Bad, "failed", Some(&error));
            }
            (None, EventKind::RunCancelled) => self.end_run(of, Tone::Warning, "cancelled", None),
            // The end of a nested run is reported as the end of the worker that runs it.
            _ => {}
        }
    }

    fn reach(&mut self, automa: Option<&WorkerPath>, step: u64) {
        match automa {
            None => {
                self.n_steps += u64::from(step > self.step);
                self.step = step;
            }
            Some(path) => {
                if let Some(row) = self.running.last_of(path) {
                    row.told = Some(Told { text: format!("step {step}"), part: None });
                }
            }
        }
    }

    /// Forgets kickoffs whose start was not seen. If they still run, what they emit brings them
    /// back.
    fn end_unseen(&mut self, is_such: impl Fn(Option<&WorkerPath>) -> bool) {
        for (path, kickoff) in self.running.take_unseen(is_such) {
            self.end_line(&path, kickoff);
            self.running.remove(&path, kickoff);
        }
    }

    fn end_run(&mut self, of: String, tone: Tone, how: &str, why: Option<&str>) {
        self.end_unseen(|_| true);
        let counts = [(self.n_steps, "step"), (self.n_ended, "kickoff"), (self.n_retries, "retry")];
        let counts = counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let mut parts = vec![format!("{how} in {}", duration::text(self.at))];
        parts.extend((!counts.is_empty()).then_some(counts));
        parts.extend(why.map(one_line));
        self.say(of, tone, parts.join(": "));
    }

    fn say(&mut self, of: String, tone: Tone, says: String) {
        self.lines.push(Line { at: self.at, of, says, tone });
    }
}

/// The kickoffs as text, with the worker that ferried to each. Of consecutive ones with the same
/// cause, only the last names the cause.
fn in_short(kickoffs: &[ScheduledKickoff]) -> Vec<String> {
    let mut workers = Vec::with_capacity(kickoffs.len());
    for (place, ScheduledKickoff { worker, cause, .. }) in kickoffs.iter().enumerate() {
        let next = kickoffs.get(place + 1).map(|next| &next.cause);
        workers.push(match cause {
            Cause::Ferry { by } if next != Some(cause) => format!("{worker} (ferry by {by})"),
            _ => worker.to_string(),
        });
    }
    workers
}

/// A change of the graph as text.
fn short(change: &ChangeKind) -> String {
    match change {
        ChangeKind::WorkerAdded { worker, .. } => format!("+{worker}"),
        ChangeKind::WorkerRemoved { worker } => format!("-{worker}"),
        ChangeKind::DependencyAdded { worker, dependency } => {
            format!("+({worker} after {dependency})")
        }
        ChangeKind::DependencyRemoved { worker, dependency } => {
            format!("-({worker} after {dependency})")
        }
        ChangeKind::Nested { automa, change } => format!("in {automa}: {}", short(change)),
    }
}

/// What a chunk is to somebody who reads along.
enum Piece {
    /// A part of a text: a string, or a variant `text` with one, as models of agents have it.
    Text(String),
    /// A variant of an enum, by name.
    Of(String),
    Other,
}

impl Piece {
    fn of(chunk: &Value) -> Self {
        if let Ok(text) = chunk.get::<String>() {
            return Self::Text(text);
        }
        let Ok(Json::Object(fields)) = chunk.to_json() else { return Self::Other };
        let mut fields = fields.into_iter();
        match (fields.next(), fields.next()) {
            (Some((name, Json::String(text))), None) if name == "text" => Self::Text(text),
            (Some((name, _)), None) => Self::Of(name),
            _ => Self::Other,
        }
    }
}
