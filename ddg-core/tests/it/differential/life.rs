//! Plays a program in one way, in as many lives as it needs: whenever it has stopped or asks, it is
//! saved and continued.

use std::sync::{Arc, Mutex};

use ddg_core::checkpoint::{CheckpointPolicy, CheckpointStore, MemoryStore, StoredRuns};
use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::run::{Question, RunBuilder};
use ddg_core::snapshot::Snapshot;
use tracing::Level;

use super::Case;
use super::expected::Expected;
use super::observed::{Hooks, Seen, add_events, add_spans};
use super::way::{Drive, Stored, TWO_THREADS, Way};
use crate::random_graphs::played::{Lives, answer, reported};
use crate::random_graphs::stage::{Log, Stage};
use crate::random_graphs::{Dice, Difference};
use crate::recording::record;
use crate::reference::engine::{args, json};
use crate::reference::{Report, joined};

/// What was seen of a program that was played.
pub(super) struct Played {
    /// By its workers.
    pub(super) report: Report,
    /// How each life ended, with its questions and its state.
    pub(super) lives: Vec<String>,
    pub(super) hooks: Option<Seen>,
    pub(super) events: Option<Seen>,
    pub(super) spans: Option<Seen>,
    pub(super) n: Lives,
}

/// More lives than any program has.
const MOST_LIVES: usize = 400;

/// Plays a program in one way; twice if the way says so.
pub(super) async fn played(
    case: &Case,
    way: &Way,
    expected: &Expected,
) -> Result<Vec<Played>, Difference> {
    let stage = Theatre::new(case, way).await;
    let kept = way.again.then(|| stage.automa());
    let mut rounds = Vec::new();
    for round in 0..1 + usize::from(way.again) {
        rounds.push(stage.play(round, kept.as_ref(), expected).await?);
    }
    Ok(rounds)
}

/// Where one program is played in one way.
struct Theatre<'a> {
    case: &'a Case,
    way: &'a Way,
    program: Arc<crate::reference::Program>,
    log: Arc<Mutex<Log>>,
    hooks: Hooks,
    store: Option<(Arc<dyn CheckpointStore>, CheckpointPolicy)>,
    /// Where the store is, if it is in a file.
    _folder: Option<tempfile::TempDir>,
}

impl<'a> Theatre<'a> {
    async fn new(case: &'a Case, way: &'a Way) -> Self {
        let mut folder = None;
        let store: Option<(Arc<dyn CheckpointStore>, _)> = match way.stored {
            Stored::Nowhere => None,
            Stored::InMemory(policy) => Some((Arc::new(MemoryStore::new()), policy)),
            #[cfg(feature = "sqlite")]
            Stored::InSqlite { .. } => {
                let folder = folder.insert(tempfile::tempdir().unwrap());
                let path = folder.path().join("runs.db");
                let store = ddg_core::checkpoint::SqliteStore::open(path).await.unwrap();
                Some((Arc::new(store), CheckpointPolicy::EveryStep))
            }
        };
        Self {
            case,
            way,
            program: Arc::new(case.program.clone()),
            log: Arc::default(),
            hooks: Hooks::default(),
            store,
            _folder: folder,
        }
    }

    /// An automa that shares nothing with another one but the log.
    fn automa(&self) -> GraphAutoma {
        let stage = match &self.case.nested {
            None => Stage::new(&self.program, &self.log),
            Some((declared, changes)) => {
                Stage::nested(declared.clone(), changes.clone(), &self.program, &self.log)
            }
        };
        let mut automa = stage.bare_automa();
        if self.way.hooked {
            automa.add_callback(self.hooks.clone());
        }
        if let Some(n) = self.way.at_most {
            automa.set_max_concurrency(n);
        }
        if self.case.nested.is_some() { stage.around(automa) } else { automa }
    }

    async fn play(
        &self,
        round: usize,
        kept: Option<&GraphAutoma>,
        expected: &Expected,
    ) -> Result<Played, Difference> {
        let Way { watched, hooked, traced, .. } = *self.way;
        let mut answers = Dice::new(self.case.seed ^ 0x5eed);
        let mut choices = Dice::new(self.case.seed ^ 0xc401ce ^ round as u64);
        let mut lives = Vec::new();
        let mut n = Lives::default();
        let mut events = watched.then(Seen::new);
        let mut spans = traced.then(Seen::new);
        let mut last: Option<Snapshot> = None;
        for _ in 0..MOST_LIVES {
            let fresh;
            let automa = match kept {
                Some(automa) => automa,
                None => {
                    fresh = self.automa();
                    &fresh
                }
            };
            let run = match last.take() {
                None => automa.run(args(&self.program.input)),
                Some(snapshot) => automa.resume(snapshot),
            };
            let run = match &self.store {
                None => run,
                Some((store, policy)) => run.stored_in(store, "run").checkpoints(*policy),
            };
            let (ended, recorded) = self.drive(run, events.as_mut(), &mut choices).await;
            if let Some(spans) = &mut spans {
                add_spans(spans, &recorded);
            }
            lives.push(life(&ended)?);
            match ended {
                Ok(outcome) if outcome.is_paused() || outcome.stopped() => {
                    n.n_stops += usize::from(outcome.stopped());
                    match &self.store {
                        Some((store, _)) if outcome.is_paused() => {
                            let runs = StoredRuns::new(store);
                            let answered = |snapshot: &mut _| {
                                answer(snapshot, &mut answers, &mut n);
                                Ok(())
                            };
                            runs.edit("run", answered).await.map_err(|error| error.to_string())?;
                        }
                        Some(_) => {}
                        None => {
                            let mut snapshot =
                                outcome.snapshot().map_err(|error| error.to_string())?;
                            answer(&mut snapshot, &mut answers, &mut n);
                            let json = serde_json::to_string(&snapshot).unwrap();
                            last = Some(serde_json::from_str(&json).unwrap());
                        }
                    }
                }
                ended => {
                    let log = std::mem::take(&mut *self.log.lock().unwrap());
                    let report = match self.case.nested {
                        None => log.report(ended),
                        Some(_) => reported(&expected.inside, ended, log),
                    };
                    let hooks = hooked.then(|| self.hooks.take());
                    return Ok(Played { report, lives, hooks, events, spans, n });
                }
            }
        }
        Err("it does not come to an end".to_owned())
    }

    /// Drives a run. Gives how it ended, and its spans.
    async fn drive(
        &self,
        run: RunBuilder,
        events: Option<&mut Seen>,
        choices: &mut Dice,
    ) -> (Result<Outcome, RunError>, String) {
        let run = if self.way.rolling { run.pace(Pace::Rolling) } else { run };
        let stream = events.is_some().then(|| run.events(EventFilter::all().buffer(usize::MAX)));
        let driven = async {
            match self.way.drive {
                Drive::InPlace => run.await,
                Drive::Simulated => {
                    let rolling = usize::from(self.way.rolling);
                    run.simulate(|ready| choices.below(ready.len() + rolling)).await
                }
                Drive::TwoThreads => {
                    let handle = {
                        let _inside = TWO_THREADS.enter();
                        run.spawn()
                    };
                    handle.await
                }
            }
        };
        let mut ended = None;
        let recorded = match self.way.traced {
            true => record(Level::DEBUG, async { ended = Some(driven.await) }).await,
            false => {
                ended = Some(driven.await);
                String::new()
            }
        };
        if let (Some(seen), Some(mut stream)) = (events, stream) {
            let mut events = Vec::new();
            while let Some(event) = stream.next().await {
                events.push(event.unwrap());
            }
            add_events(seen, &events, self.case.nested.is_some());
        }
        (ended.unwrap(), recorded)
    }
}

/// How a life has ended: everything that can be asked about it.
fn life(ended: &Result<Outcome, RunError>) -> Result<String, Difference> {
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(error) => return Ok(format!("failed: {error}")),
    };
    let how = match (outcome.is_paused(), outcome.stopped()) {
        (true, _) => "paused",
        (_, true) => "stopped",
        _ => "finished",
    };
    let asked = |question: Question| format!("{} {}", question.id, json(&question.content));
    let snapshot = outcome.snapshot().map_err(|error| error.to_string())?;
    Ok(format!(
        "{how} after {} steps with {}\nquestions: {}\nwaiting: {}\nstate: {}",
        outcome.steps(),
        json(outcome.output()),
        joined(outcome.questions().into_iter().map(asked)),
        joined(outcome.waiting()),
        serde_json::to_string(&snapshot).unwrap(),
    ))
}

impl Played {
    /// The first life that differs from the other one's.
    pub(super) fn differs_from(&self, other: &Self) -> Option<Difference> {
        for place in 0..self.lives.len().max(other.lives.len()) {
            let (seen, first) = (self.lives.get(place), other.lives.get(place));
            if seen != first {
                return Some(format!("life {place}:\n- {first:?}\n+ {seen:?}"));
            }
        }
        None
    }
}
