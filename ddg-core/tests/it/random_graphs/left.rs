//! Random programs in a store that are left at any of their writes, nested ones too, do what the
//! naive reference does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointPolicy, StoredRuns};
use ddg_core::prelude::*;

use super::generate::{self, Flavour, Questions};
use super::played::{Untouched, answer, reported};
use super::stage::{Log, Stage};
use super::{Dice, Difference, difference};
use crate::gated_store::GatedStore;
use crate::reference::engine::args;
use crate::reference::{self, Ask, Graph, Program};

/// More lives than any program has.
const MOST_LIVES: usize = 2_000;

/// How many programs are tried; many more at night.
fn seeds() -> std::ops::Range<u64> {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1");
    0..if is_night { 10_000 } else { 60 }
}

#[derive(Debug, Default)]
struct Tally {
    n_left: usize,
    /// How often a state was left in which a nested automa was running.
    n_inside: usize,
    n_answered: usize,
}

/// Plays `program`, nested in another one that changes it first. Each life of the run ends at one of
/// its next writes, before that is done.
async fn in_many_lives(
    (declared, changes): (&Graph, &[Ask]),
    program: &Arc<Program>,
    policy: CheckpointPolicy,
    seed: u64,
    tally: &mut Tally,
) -> Result<(), Difference> {
    let expected = reference::run(program);
    let mut dice = Dice::new(seed ^ 0x1ef7);
    let log = Arc::<Mutex<Log>>::default();
    let store = GatedStore::open_for(0);
    let runs = StoredRuns::new(&store);
    for _ in 0..MOST_LIVES {
        store.let_through(dice.below(5));
        let stage = Stage::nested(declared.clone(), changes.to_vec(), program, &log);
        let automa = stage.outer_automa(Untouched);
        let run = automa.run(args(&program.input)).stored_in(&store, "run").checkpoints(policy);
        let mut run = run.spawn();
        // The clock stands still while anything can make progress.
        let patience = Duration::from_secs(1);
        let mut ended = tokio::time::timeout(patience, &mut run).await;
        if ended.is_err() {
            run.cancel();
            ended = tokio::time::timeout(patience, &mut run).await;
        }
        let ended = match ended {
            Ok(ended) => ended,
            Err(_) => {
                // Only its end is left to write.
                store.let_through(1);
                run.await
            }
        };
        store.close();
        match ended {
            Err(RunError::Cancelled { .. }) => {
                tally.n_left += 1;
                if let Ok(left) = runs.snapshot("run").await {
                    tally.n_inside += left.nested("inner").len();
                }
            }
            Ok(outcome) if outcome.is_paused() => {
                let mut lives = Default::default();
                store.let_through(1);
                let answers = |snapshot: &mut _| {
                    answer(snapshot, &mut dice, &mut lives);
                    Ok(())
                };
                runs.edit("run", answers).await.map_err(|error| error.to_string())?;
                tally.n_answered += lives.n_answered;
            }
            ended => {
                let log = std::mem::take(&mut *log.lock().unwrap());
                let seen = reported(&expected, ended, log);
                return match seen == expected {
                    true => Ok(()),
                    false => Err(difference("left", &expected, &seen)),
                };
            }
        }
    }
    Err("it does not come to an end".to_owned())
}

async fn left_at_every_write(policy: CheckpointPolicy) -> Tally {
    let mut tally = Tally::default();
    let flavour = Flavour { questions: Some(Questions::Anybody), ..Flavour::default() };
    for seed in seeds() {
        let (declared, changes, mut program) = generate::nested(seed, flavour);
        program.counts = true;
        let program = Arc::new(program);
        let played = in_many_lives((&declared, &changes), &program, policy, seed, &mut tally);
        if let Err(difference) = played.await {
            panic!("seed {seed}:\n{program}\n{difference}");
        }
    }
    tally
}

/// [X9] [Q8]
#[tokio::test(start_paused = true)]
async fn a_nested_program_that_is_left_at_any_write_does_what_the_reference_does() {
    let tally = left_at_every_write(CheckpointPolicy::EveryStep).await;
    assert!(tally.n_left > 80 && tally.n_inside > 40 && tally.n_answered > 40, "{tally:?}");
}

/// [X9] [X10] [Q8]
#[tokio::test(start_paused = true)]
async fn a_nested_program_whose_results_are_written_does_what_the_reference_does() {
    let tally = left_at_every_write(CheckpointPolicy::EveryWorker).await;
    assert!(tally.n_left > 80 && tally.n_inside > 40 && tally.n_answered > 40, "{tally:?}");
}
