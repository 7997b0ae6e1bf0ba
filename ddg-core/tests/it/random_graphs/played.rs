//! Plays a program in as many lives as it needs: whenever it has stopped or asks a question, it is
//! saved, serialised and resumed elsewhere.

use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use ddg_core::run::Kickoff;
use ddg_core::snapshot::Snapshot;

use super::stage::{Log, Stage, answer_to};
use super::{Dice, Difference, difference};
use crate::reference::engine::args;
use crate::reference::{Ask, Graph, Group, Program, Report};

/// How a program is played.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// Whether some of the questions are times and signals instead.
    pub(super) waits: bool,
    /// Whether the run is also stopped by its handle, at any moment.
    pub(super) by_handle: bool,
    /// The graph as it is declared and what is changed about it, if the program runs nested.
    pub(super) nested: Option<(Graph, Vec<Ask>)>,
}

/// What happened to programs, so that they are known to reach what is to be shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lives {
    pub(crate) n_programs: usize,
    pub(crate) n_kickoffs: usize,
    pub(crate) n_answered: usize,
    /// How often only some of the questions were answered.
    pub(crate) n_parts: usize,
    pub(crate) n_stops: usize,
    pub(crate) n_failed: usize,
    /// How often a part of what was running settled.
    pub(crate) n_rolled: usize,
}

pub(super) struct Untouched;

impl Callback for Untouched {}

/// More lives than any program has.
const MOST_LIVES: usize = 400;

/// Plays `program`; the error says how that differs from what is `expected`.
pub(super) async fn played(
    program: &Program,
    expected: &Report,
    groups: Vec<Group>,
    way: &Way,
    seed: u64,
) -> Result<Lives, Difference> {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let mut lives = Lives { n_programs: 1, ..Lives::default() };
    lives.n_rolled = groups.iter().filter(|group| !group.is_all).count();
    let mut log = Log::of_groups(groups);
    log.waits = way.waits;
    let log = Arc::new(Mutex::new(log));
    let program = Arc::new(program.clone());
    let ended = live(&program, way, &log, &mut dice, &mut lives).await?;
    let log = std::mem::take(&mut *log.lock().unwrap());
    lives.n_kickoffs = expected.trace.iter().filter(|line| line.contains(" (")).count();
    lives.n_failed = usize::from(ended.is_err());
    let order = if program.rolling.is_some() { log.order() } else { String::new() };
    let seen = match way.nested {
        None => log.report(ended),
        Some(_) => reported(expected, ended, log),
    };
    if seen == *expected { Ok(lives) } else { Err(difference("played", expected, &seen) + &order) }
}

async fn live(
    program: &Arc<Program>,
    way: &Way,
    log: &Arc<Mutex<Log>>,
    dice: &mut Dice,
    lives: &mut Lives,
) -> Result<Result<Outcome, RunError>, Difference> {
    let mut last: Option<Snapshot> = None;
    for _ in 0..MOST_LIVES {
        // Nothing is shared with the life before but the log.
        let automa = match &way.nested {
            None => Stage::new(program, log).automa(Untouched),
            Some((declared, changes)) => {
                let stage = Stage::nested(declared.clone(), changes.clone(), program, log);
                stage.outer_automa(Untouched)
            }
        };
        let run = match last.take() {
            None => automa.run(args(&program.input)),
            Some(snapshot) => automa.resume(snapshot),
        };
        let ended = match dice.below(3) {
            _ if program.rolling.is_some() => {
                let choose = |ready: &[Kickoff]| {
                    let choice = log.lock().unwrap().choose(ready, dice);
                    choice.unwrap_or(usize::MAX)
                };
                run.pace(Pace::Rolling).simulate(choose).await
            }
            0 if way.by_handle => {
                let handle = run.spawn();
                for _ in 0..dice.below(12) {
                    tokio::task::yield_now().await;
                }
                handle.stop();
                handle.await
            }
            1 => run.simulate(|ready| dice.below(ready.len())).await,
            _ => run.await,
        };
        let outcome = match ended {
            Ok(outcome) if outcome.is_paused() || outcome.stopped() => outcome,
            ended => return Ok(ended),
        };
        lives.n_stops += usize::from(outcome.stopped());
        let mut snapshot = outcome.snapshot().map_err(|error| error.to_string())?;
        answer(&mut snapshot, dice, lives);
        let json = serde_json::to_string(&snapshot).map_err(|error| error.to_string())?;
        last = Some(serde_json::from_str(&json).map_err(|error| error.to_string())?);
    }
    Err("it does not come to an end".to_owned())
}

/// Answers some of the questions of a paused run, in any order.
pub(crate) fn answer(snapshot: &mut Snapshot, dice: &mut Dice, lives: &mut Lives) {
    let signals = snapshot.awaits().into_iter().map(|name| (None, name));
    let questions = snapshot.questions().into_iter();
    let questions = questions.map(|one| (Some(one.id), one.content.get::<String>().unwrap()));
    let mut questions: Vec<_> = questions.chain(signals).collect();
    if questions.is_empty() {
        return;
    }
    let n = match dice.chance(50) {
        true => questions.len(),
        false => 1 + dice.below(questions.len()),
    };
    lives.n_parts += usize::from(n < questions.len());
    lives.n_answered += n;
    for _ in 0..n {
        let (question, asked) = questions.swap_remove(dice.below(questions.len()));
        match question {
            Some(id) => snapshot.answer(&id, answer_to(&asked)).unwrap(),
            None => snapshot.signal(asked.clone(), answer_to(&asked)),
        }
    }
}

/// The report of a nested program. Its run is gone, except for its output and its failures: if these
/// are as expected, so is its end.
pub(crate) fn reported(expected: &Report, ended: Result<Outcome, RunError>, log: Log) -> Report {
    let (end, seen) = (inner_end(&ended), log.report(ended));
    let is_same = match end {
        Ok(output) => expected.end.starts_with(&format!("output {output} after")),
        Err(error) => {
            expected.end.contains("then due")
                || expected.end.contains("failed:") && error.contains("inner")
        }
    };
    let end = if is_same { expected.end.clone() } else { seen.end };
    Report { end, ..seen }
}

/// What a nested run has given to the outer one.
fn inner_end(ended: &Result<Outcome, RunError>) -> Result<String, String> {
    match ended {
        Ok(outcome) => Ok(outcome.output().to_json().unwrap().to_string()),
        Err(error) => Err(error.to_string()),
    }
}

impl std::ops::AddAssign for Lives {
    fn add_assign(&mut self, other: Self) {
        self.n_programs += other.n_programs;
        self.n_kickoffs += other.n_kickoffs;
        self.n_answered += other.n_answered;
        self.n_parts += other.n_parts;
        self.n_stops += other.n_stops;
        self.n_failed += other.n_failed;
        self.n_rolled += other.n_rolled;
    }
}
