//! Random programs that ask, stop, fail now and then, settle at a rolling pace or nest do what the
//! naive reference does, in any number of lives.

use super::generate::{self, Flavour, Questions};
use super::played::{Lives, Way, played};
use super::{Difference, shrink};
use crate::reference::{self, Program, Report, Turn};

/// How many programs are tried of each kind; many more at night.
fn seeds() -> std::ops::Range<u64> {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some_and(|value| value == "1");
    let rounds = if is_night { 50 } else { 1 };
    0..1000 * rounds
}

/// Plays `program` as it is and compares it with the reference.
async fn compared(program: &Program, way: &Way, seed: u64) -> Result<Lives, Difference> {
    let (expected, mut groups) = reference::grouped(program);
    if program.rolling.is_none() {
        // All of a step settles together anyhow.
        groups.clear();
    }
    played(program, &expected, groups, way, seed).await
}

/// Plays programs of a flavour; panics with the smallest that differs.
async fn all_do_what_the_reference_does(flavour: Flavour, way: Way) -> Lives {
    let mut lives = Lives::default();
    for seed in seeds() {
        let mut program = generate::flavoured(seed, flavour);
        program.counts = !flavour.rolling;
        match compared(&program, &way, seed).await {
            Ok(these) => lives += these,
            Err(_) => {
                let compared =
                    async |program: &Program| compared(program, &way, seed).await.map(drop);
                panic!("{}", shrink::explained(seed, program, compared).await)
            }
        }
    }
    lives
}

/// The same program with some of what its workers do left out.
fn without(program: &Program, leave_out: impl Fn(&mut Turn)) -> Program {
    let mut program = program.clone();
    program.script.values_mut().flatten().for_each(leave_out);
    program
}

/// [Q1] [Q2] [Q3] [Q5] [Q11] [Q12] [F4]
#[tokio::test]
async fn asked_and_answered_in_any_order_and_in_parts_a_run_does_what_the_reference_does() {
    let questions = Some(Questions::Anybody);
    let flavour = Flavour { questions, replaced: true, ..Flavour::default() };
    let lives = all_do_what_the_reference_does(flavour, Way::default()).await;
    assert!(lives.n_answered > 1000 && lives.n_parts > 100, "{lives:?}");
}

/// [T1] [T4] [T5] Two of three questions are a time or a signal instead: the reference does the same.
#[tokio::test]
async fn with_times_and_signals_a_run_does_what_the_reference_does_with_questions() {
    let questions = Some(Questions::Anybody);
    let flavour = Flavour { questions, replaced: true, ..Flavour::default() };
    let way = || Way { waits: true, ..Way::default() };
    let lives = all_do_what_the_reference_does(flavour, way()).await;
    assert!(lives.n_answered > 700 && lives.n_parts > 70, "{lives:?}");

    // [T6] The same at a rolling pace, and with stops.
    let flavour = Flavour { rolling: true, stops: true, ..flavour };
    let lives = all_do_what_the_reference_does(flavour, way()).await;
    assert!(lives.n_rolled > 1000 && lives.n_answered > 300, "{lives:?}");
}

/// [T7] [Q8]
#[tokio::test]
async fn a_nested_program_with_times_and_signals_does_what_the_reference_does() {
    let flavour = Flavour { questions: Some(Questions::Anybody), ..Flavour::default() };
    let mut lives = Lives::default();
    for seed in seeds() {
        let (declared, changes, mut program) = generate::nested(seed, flavour);
        program.counts = true;
        let nested = Some((declared, changes));
        let way = Way { nested, waits: true, ..Way::default() };
        match compared(&program, &way, seed).await {
            Ok(these) => lives += these,
            Err(difference) => panic!("seed {seed}, {way:?}:\n{program}\n{difference}"),
        }
    }
    assert!(lives.n_answered > 700, "{lives:?}");
}

/// [Q1] [Q2] [Q5]
#[tokio::test]
async fn questions_of_the_last_of_a_step_change_nothing() {
    let questions = Some(Questions::Last);
    let flavour = Flavour { questions, ..Flavour::default() };
    let expected = |program: &Program| -> Report {
        reference::run(&without(program, |turn| turn.n_questions = 0))
    };
    let mut lives = Lives::default();
    for seed in seeds() {
        let mut program = generate::flavoured(seed, flavour);
        program.counts = true;
        let compared = async |program: &Program| {
            played(program, &expected(program), Vec::new(), &Way::default(), seed).await
        };
        match compared(&program).await {
            Ok(these) => lives += these,
            Err(_) => {
                let compared = async |program: &Program| compared(program).await.map(drop);
                panic!("{}", shrink::explained(seed, program, compared).await)
            }
        }
    }
    assert!(lives.n_answered > 1000 && lives.n_parts > 100, "{lives:?}");
}

/// [X3] [X4] [L1]
#[tokio::test]
async fn stopped_at_any_moment_and_resumed_a_run_ends_as_if_it_had_not_been_stopped() {
    let flavour = Flavour { stops: true, replaced: true, ..Flavour::default() };
    let way = Way { by_handle: true, ..Way::default() };
    let lives = all_do_what_the_reference_does(flavour, way).await;
    assert!(lives.n_stops > 1000, "{lives:?}");
    // The reference knows no stop in lockstep: leaving it out changes nothing there.
    for seed in 0..100 {
        let program = generate::flavoured(seed, flavour);
        let without = without(&program, |turn| turn.stops = false);
        assert_eq!(reference::run(&program), reference::run(&without), "{program}");
    }
}

/// [W1] [S9] [Q9]
#[tokio::test]
async fn only_the_attempt_that_succeeds_counts() {
    let questions = Some(Questions::Anybody);
    let flavour = Flavour { failed_attempts: true, questions, ..Flavour::default() };
    let lives = all_do_what_the_reference_does(flavour, Way::default()).await;
    assert!(lives.n_answered > 1000, "{lives:?}");
}

/// [S14] [S15] [E6] [E10]
#[tokio::test]
async fn whatever_settles_together_a_rolling_run_does_what_the_reference_does() {
    let flavour = Flavour { rolling: true, replaced: true, ..Flavour::default() };
    let lives = all_do_what_the_reference_does(flavour, Way::default()).await;
    assert!(lives.n_rolled > 1000, "{lives:?}");
}

/// [S14] [S15] [Q2] [Q12] [X3] [X4]
#[tokio::test]
async fn a_rolling_run_with_questions_and_stops_does_what_the_reference_does() {
    let questions = Some(Questions::Anybody);
    let flavour =
        Flavour { rolling: true, questions, stops: true, replaced: true, ..Flavour::default() };
    let lives = all_do_what_the_reference_does(flavour, Way::default()).await;
    assert!(lives.n_rolled > 1000 && lives.n_answered > 500 && lives.n_stops > 100, "{lives:?}");
}

/// [N1] [N3] [N4] [Q8]
#[tokio::test]
async fn a_nested_program_that_is_changed_from_outside_does_what_the_reference_does() {
    let flavour = Flavour { questions: Some(Questions::Anybody), ..Flavour::default() };
    let mut lives = Lives::default();
    for seed in seeds() {
        let (declared, changes, mut program) = generate::nested(seed, flavour);
        program.counts = true;
        let way = Way { nested: Some((declared, changes)), ..Way::default() };
        match compared(&program, &way, seed).await {
            Ok(these) => lives += these,
            Err(difference) => panic!("seed {seed}, {way:?}:\n{program}\n{difference}"),
        }
    }
    assert!(lives.n_answered > 1000, "{lives:?}");
}
