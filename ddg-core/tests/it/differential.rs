//! A thousand random programs do the same in every way in which a run can be driven: lean, watched,
//! hooked, traced, stored, simulated, on one thread and on several, for the first time and again.
//!
//! What the same is, the naive reference says: which workers ran, when, why, with which arguments,
//! and what they gave. The ways have to agree with each other on the rest: the questions and the
//! saved state at each pause, stop and end.

mod expected;
mod life;
mod observed;
mod rolling;
mod tally;
mod way;

use self::expected::Expected;
use self::life::Played;
use self::tally::Tally;
use self::way::Way;
use crate::random_graphs::generate::{self, Flavour, Questions};
use crate::random_graphs::{Dice, Difference, shrink};
use crate::reference::{self, Ask, Graph, Program};

/// A program, and how it is declared if it runs nested in another one.
struct Case {
    seed: u64,
    program: Program,
    nested: Option<(Graph, Vec<Ask>)>,
}

impl Case {
    /// The case of a seed, with a random selection of what programs can have.
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0xd1ff);
        // Many random programs fail, which ends them early, so one that does is mostly replaced.
        let mut case = Self::random(seed, &mut dice);
        for _ in 0..2 {
            if reference::run(&case.program).end.contains("failed: ") {
                case = Self::random(seed, &mut dice);
            }
        }
        case
    }

    fn random(seed: u64, dice: &mut Dice) -> Self {
        let flavour = Flavour {
            calm: if dice.chance(50) { 50 } else { 0 },
            questions: dice.chance(50).then_some(Questions::Anybody),
            stops: dice.chance(30),
            failed_attempts: dice.chance(30),
            replaced: dice.chance(40),
            plain: true,
            ..Flavour::default()
        };
        let seed_of_program = seed << 32 | dice.below(1 << 30) as u64;
        let (nested, mut program) = match dice.chance(15) {
            true => {
                // A stop of a nested run does not stop the one around it.
                let flavour = Flavour { stops: false, ..flavour };
                let (declared, changes, program) = generate::nested(seed_of_program, flavour);
                (Some((declared, changes)), program)
            }
            false => (None, generate::flavoured(seed_of_program, flavour)),
        };
        program.counts = true;
        Self { seed, program, nested }
    }
}

/// How many programs are tried: a thousand at night.
fn seeds() -> std::ops::Range<u64> {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1");
    0..if is_night { 1000 } else { 80 }
}

/// Plays the program in every way. Gives what it has reached if all ways agree, else how one of them
/// differs.
async fn compared(case: &Case, ways: &[Way]) -> Result<Tally, Difference> {
    let expected = Expected::of(case);
    let mut first: Option<Played> = None;
    let mut tally = Tally::default();
    let is_lone = expected.is_lone();
    for way in ways.iter().filter(|way| way.is_due(case.seed, is_lone)) {
        let rounds = life::played(case, way, &expected).await?;
        for (round, played) in rounds.into_iter().enumerate() {
            let name = format!("{way}, round {}", round + 1);
            if let Some(found) = expected.difference(&name, &played) {
                return Err(found);
            }
            match &first {
                None => {
                    tally = Tally::of(case, &expected, &played);
                    first = Some(played);
                }
                Some(first) => {
                    if let Some(found) = played.differs_from(first) {
                        return Err(format!("{name}, unlike the first way:\n{found}"));
                    }
                }
            }
        }
    }
    Ok(tally)
}

/// [S3] [S4] [S6] [S16] [R2] [V1] [C2] [X4] [X5] [Q1] [Q2] [Q5] [W1]
#[tokio::test]
async fn every_way_to_drive_a_run_does_the_same() {
    let mut tally = Tally::default();
    for seed in seeds() {
        let case = Case::new(seed);
        let ways = way::all();
        match compared(&case, &ways).await {
            Ok(reached) => tally += reached,
            Err(found) if case.nested.is_some() => {
                panic!("seed {seed}, nested:\n{}\n{found}", case.program)
            }
            Err(_) => {
                let compared = async |program: &Program| {
                    let case = Case { seed, program: program.clone(), nested: None };
                    compared(&case, &ways).await.map(drop)
                };
                panic!("{}", shrink::explained(seed, case.program, compared).await)
            }
        }
    }
    tally.check();
}
