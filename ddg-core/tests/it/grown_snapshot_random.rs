//! Random programs that edit their graphs, saved after every step and resumed elsewhere, do what
//! the naive reference does. The delta of each step leads from one saved state to the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use ddg_core::snapshot::{Snapshot, SnapshotDelta};

use crate::random_graphs::generate;
use crate::random_graphs::stage::{Log, Stage};
use crate::reference::engine::args;
use crate::reference::{self, Program, Report};

const PROGRAMS: u64 = 500;

/// Stops the run after each step.
struct StopAlways;

impl Callback for StopAlways {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        cx.stop();
        Ok(())
    }
}

/// What the programs did, so that they are known to reach what is to be shown.
#[derive(Default)]
struct Tally {
    n_saved: usize,
    n_grown: BTreeMap<&'static str, usize>,
}

impl Tally {
    const REACHED: [(&str, usize); 6] = [
        ("\"removed\":", 500),
        ("\"added\":", 1000),
        ("\"rewired\":", 500),
        ("\"declared\":\"actor", 400),
        ("\"same_as\":\"tool", 150),
        ("\"registered\":", 800),
    ];

    fn add(&mut self, json: &str) {
        self.n_saved += 1;
        for (what, _) in Self::REACHED {
            *self.n_grown.entry(what).or_default() += usize::from(json.contains(what));
        }
    }

    fn check(&self) {
        assert!(self.n_saved > 2000, "only {} saved states", self.n_saved);
        for (what, at_least) in Self::REACHED {
            let n = self.n_grown[what];
            assert!(n >= at_least, "only {n} saved states have `{what}`");
        }
    }
}

/// Runs `program`, saved after each step and continued in an automa of its own.
async fn saved_after_every_step(program: &Arc<Program>, tally: &mut Tally) -> Report {
    let log = Arc::<Mutex<Log>>::default();
    let mut last: Option<Snapshot> = None;
    let ended = loop {
        let automa = Stage::new(program, &log).automa(StopAlways);
        let ended = match &last {
            None => automa.run(args(&program.input)).await,
            Some(snapshot) => automa.resume(snapshot.clone()).await,
        };
        let Ok(outcome) = ended else { break ended };
        if !outcome.stopped() {
            break Ok(outcome);
        }
        let next = outcome.snapshot().unwrap();
        let json = serde_json::to_string(&next).unwrap();
        tally.add(&json);
        if let Some(last) = last.take() {
            let changes = serde_json::to_string(&next.changes_since(&last).unwrap()).unwrap();
            let changes: SnapshotDelta = serde_json::from_str(&changes).unwrap();
            let again = last.with_changes([changes]).unwrap();
            assert_eq!(serde_json::to_string(&again).unwrap(), json);
        }
        last = Some(serde_json::from_str(&json).unwrap());
    };
    let log = std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(log.n_again, 0);
    log.report(ended)
}

/// [X4]
#[tokio::test]
async fn saved_after_every_step_a_run_does_what_the_reference_does() {
    let mut tally = Tally::default();
    for seed in 0..PROGRAMS {
        let program = Arc::new(generate::program(seed));
        let expected = reference::run(&program);
        let seen = saved_after_every_step(&program, &mut tally).await;
        assert_eq!(seen, expected, "seed {seed}:\n{program}");
    }
    tally.check();
}
