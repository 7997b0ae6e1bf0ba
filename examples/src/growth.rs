//! Prints the graph of a run as it grows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ddg_core::Key;
use ddg_core::context::GraphView;
use ddg_core::prelude::*;

/// A callback that prints the graph after each step, just before the next one.
///
/// `▶` marks workers that ran in the step, `+` workers that it added, `-` workers that it removed.
#[derive(Clone, Default)]
pub struct Growth(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    step: u64,
    ran: BTreeMap<Key, String>,
    keys: Vec<Key>,
}

impl Growth {
    /// Prints the last step of a run that has ended.
    pub fn last(&self, outcome: &Outcome) {
        self.seen().print(outcome.automa());
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Callback for Growth {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        let mut seen = self.seen();
        if seen.step < cx.step() {
            seen.print(cx.automa());
        }
        seen.ran.insert(cx.key().clone(), cx.cause().to_string());
        Ok(())
    }
}

impl Seen {
    fn print(&mut self, automa: GraphView<'_>) {
        let keys = automa.keys();
        let (step, n_workers) = (self.step, keys.len());
        let gone: Vec<_> = self.keys.iter().filter(|key| !keys.contains(key)).collect();
        let n_new = keys.iter().filter(|key| !self.keys.contains(key)).count();
        let lost = if gone.is_empty() { String::new() } else { format!(", -{}", gone.len()) };
        let at_once = match self.ran.len() {
            0 | 1 => String::new(),
            n_ran => format!("; {n_ran} ran at once"),
        };
        println!("\nafter step {step}: {n_workers} workers (+{n_new}{lost}{at_once})");
        for key in &keys {
            let after = automa.dependencies(key.as_str()).unwrap_or_default();
            let after = after.iter().map(Key::as_str).collect::<Vec<_>>().join(", ");
            let (mark, cause) = match self.ran.get(key) {
                Some(cause) => ('▶', cause.clone()),
                None => (if self.keys.contains(key) { ' ' } else { '+' }, String::new()),
            };
            let why = if after.is_empty() { cause } else { format!("after {after}") };
            println!("{}", format!("  {mark} {:<24} {why}", key.as_str()).trim_end());
        }
        for key in gone {
            let mark = if self.ran.contains_key(key) { '▶' } else { '-' };
            println!("  {mark} {:<24} removed", key.as_str());
        }
        *self = Self { step: self.step + 1, ran: BTreeMap::new(), keys };
    }
}
