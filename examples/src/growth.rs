//! Prints a run step by step: what ran and for how long, and how the graph has changed.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ddg_core::Key;
use ddg_core::context::GraphView;
use ddg_core::prelude::*;
use ddg_core::run::KickoffId;

/// The length of the bar of a worker that takes the whole step.
const BAR: f64 = 32.0;

/// A callback that prints each step as soon as it has settled.
///
/// A bar is a worker and the time that it took; `+` marks workers that the step added, `-` workers
/// that it removed.
#[derive(Clone, Default)]
pub struct Growth(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    step: u64,
    ran: Vec<Ran>,
    keys: Vec<Key>,
}

/// A kickoff of the step.
struct Ran {
    kickoff: KickoffId,
    key: Key,
    began: Instant,
    took: Duration,
}

impl Growth {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callback for Growth {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        if cx.path().parent().is_some() {
            // Workers of nested automata have steps of their own.
            return Ok(());
        }
        let mut seen = self.seen();
        if seen.step < cx.step() {
            seen.print(cx.automa());
        }
        let (kickoff, key) = (cx.kickoff_id(), cx.key().clone());
        seen.ran.push(Ran { kickoff, key, began: Instant::now(), took: Duration::ZERO });
        Ok(())
    }

    async fn did_run(&self, cx: &Context, _: &Value) -> Result<(), WorkerError> {
        let mut seen = self.seen();
        let is_this = |ran: &&mut Ran| ran.kickoff == cx.kickoff_id() && ran.key == *cx.key();
        if let Some(ran) = seen.ran.iter_mut().find(is_this) {
            ran.took = ran.began.elapsed();
        }
        Ok(())
    }

    async fn run_did_end(&self, outcome: &Outcome) -> Result<(), WorkerError> {
        self.seen().print(outcome.automa());
        Ok(())
    }
}

impl Seen {
    /// Prints the step that has settled. `automa` is the graph that it has left.
    fn print(&mut self, automa: GraphView<'_>) {
        let keys = automa.keys();
        if self.step == 0 {
            println!("declared  {}\n", listed(&keys));
        } else {
            print!("{}", self.step(automa));
        }
        *self = Self { step: self.step + 1, ran: Vec::new(), keys };
    }

    fn step(&self, automa: GraphView<'_>) -> String {
        let mut text = String::new();
        let first = self.ran.iter().map(|ran| ran.began).min();
        let last = self.ran.iter().map(|ran| ran.began + ran.took).max();
        let all = first.zip(last).map_or(Duration::ZERO, |(first, last)| last - first);
        let width = self.ran.iter().map(|ran| ran.key.as_str().len()).max().unwrap_or_default();
        for (place, ran) in self.ran.iter().enumerate() {
            let head = if place == 0 { format!("step {:<3}", self.step) } else { String::new() };
            let time = match (all.as_millis(), self.ran.len()) {
                (0, _) => String::new(),
                (_, 1) => format!("{} ms", ran.took.as_millis()),
                _ => format!("{}{} ms", bar(ran.took, all), ran.took.as_millis()),
            };
            let line = format!("{head:<8}  {:<width$}  {time}", ran.key.as_str());
            let _ = writeln!(text, "{}", line.trim_end());
        }
        match (self.ran.len(), all.as_millis()) {
            (0 | 1, _) => {}
            (n, 0) => {
                let _ = writeln!(text, "          {n} at once");
            }
            (n, all) => {
                let sum: Duration = self.ran.iter().map(|ran| ran.took).sum();
                let sum = sum.as_millis();
                let _ = writeln!(text, "          {n} at once: {all} ms, not {sum} ms");
            }
        }

        let keys = automa.keys();
        let is_new = |key: &&Key| !self.keys.contains(key);
        for key in keys.iter().filter(is_new) {
            let after = automa.dependencies(key.as_str()).unwrap_or_default();
            let after = match after.as_slice() {
                [] => String::new(),
                [one] => format!(", after {}", one.as_str()),
                all => format!(", after {} workers", all.len()),
            };
            let _ = writeln!(text, "        + {}{after}", key.as_str());
        }
        let gone: Vec<Key> = self.keys.iter().filter(|key| !keys.contains(key)).cloned().collect();
        if !gone.is_empty() {
            let _ = writeln!(text, "        - {}", listed(&gone));
        }
        text
    }
}

fn listed(keys: &[Key]) -> String {
    keys.iter().map(Key::as_str).collect::<Vec<_>>().join(", ")
}

fn bar(took: Duration, all: Duration) -> String {
    let share = took.as_secs_f64() / all.as_secs_f64().max(f64::MIN_POSITIVE);
    format!("{:<width$}  ", "━".repeat((share * BAR).round() as usize), width = BAR as usize)
}
