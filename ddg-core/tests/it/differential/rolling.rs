//! At a rolling pace the steps, and with them the order of kickoffs, depend on when workers end.
//!
//! Two things do not. If no two workers run at the same time, everything is as in lockstep (that is
//! among the [ways](super::way) of all programs). And if workers run for their dependencies only,
//! without effects, injected outputs and failures, each worker runs as often as in lockstep, for the
//! same cause and with the same arguments, and gives the same; the run ends with the same output,
//! and the same workers are left waiting.

use ddg_core::checkpoint::CheckpointPolicy;

use super::expected::Expected;
use super::observed::{Seen, by_events, by_hooks, by_spans};
use super::way::{Drive, Stored, Way};
use super::{Case, life, seeds};
use crate::random_graphs::Difference;
use crate::random_graphs::generate::{self, Flavour};
use crate::reference::{Execution, Gives, Mapping, Program, Takes, Turn};

/// The program of a seed without what makes it depend on time.
fn timeless(seed: u64) -> Program {
    let mut program = generate::flavoured(seed, Flavour { plain: true, ..Flavour::default() });
    program = program.with_workers(|worker| {
        if worker.from.take().is_some() {
            worker.takes = Takes::Anything;
        }
    });
    program.max_steps = 10_000;
    program.counts = true;
    program.script.clear();
    let graph = &program.graph;
    for placed in &graph.workers {
        let successors = graph.successors(&placed.worker.key);
        let unpacks = successors.iter().find(|after| after.worker.mapping == Mapping::Unpack);
        let gives = match (placed.worker.in_order, unpacks) {
            (true, _) => Gives::List(successors.len()),
            (false, Some(after)) => Gives::List(after.worker.positions().unwrap_or(2)),
            (false, None) => continue,
        };
        // In whichever step it runs.
        for step in 1..2 + 2 * graph.workers.len() as u64 {
            let turn = Turn { gives, ..Turn::default() };
            program.script.insert((step, placed.worker.key.clone()), vec![turn]);
        }
    }
    program
}

fn ways() -> Vec<Way> {
    let way = Way { rolling: true, ..Way::default() };
    let two = Way { drive: Drive::TwoThreads, ..way };
    let simulated = Way { drive: Drive::Simulated, ..way };
    vec![
        way,
        Way { again: true, ..two },
        Way { at_most: Some(2), ..two },
        Way { watched: true, ..two },
        Way { hooked: true, ..way },
        Way { hooked: true, watched: true, ..two },
        Way { traced: true, ..way },
        simulated,
        Way { watched: true, hooked: true, ..simulated },
        Way { stored: Stored::InMemory(CheckpointPolicy::EveryStep), ..way },
        Way { stored: Stored::InMemory(CheckpointPolicy::EveryWorker), ..two },
    ]
}

/// Lines without their steps, in the order of the alphabet.
fn without_steps(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let without_step = |line: String| match line.strip_prefix("step ") {
        Some(rest) => rest.split_once(": ").unwrap().1.to_owned(),
        None => line,
    };
    let mut lines: Vec<_> = lines.into_iter().map(without_step).collect();
    lines.sort_unstable();
    lines
}

/// The end of a run without the number of its steps.
fn end_without_steps(end: &str) -> String {
    let (output, rest) = end.split_once(" after ").unwrap();
    format!("{output}{}", rest.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

/// Plays a program in every way.
async fn compared(case: &Case, expected: &Expected) -> Result<(), Difference> {
    let lines =
        |line: fn(&Execution) -> String| without_steps(expected.executions.iter().map(line));
    let inside =
        without_steps(expected.inside.trace.iter().filter(|line| !is_graph(line)).cloned());
    for way in ways() {
        for played in life::played(case, &way, expected).await? {
            let all = |seen: Seen| without_steps(seen.into_values());
            let seen = [
                (Some(without_steps(played.report.trace)), inside.clone()),
                (played.hooks.map(all), lines(by_hooks)),
                (played.events.map(all), lines(by_events)),
                (played.spans.map(all), lines(by_spans)),
            ];
            for (seen, expected) in seen {
                if let Some(seen) = seen
                    && seen != expected
                {
                    return Err(format!("{way}:\n- {expected:#?}\n+ {seen:#?}"));
                }
            }
            let ends = [&played.report.end, &expected.inside.end].map(|end| end_without_steps(end));
            if ends[0] != ends[1] {
                return Err(format!("{way}:\n- {}\n+ {}", ends[1], ends[0]));
            }
        }
    }
    Ok(())
}

/// Whether a line of a trace is the graph of a step, and not a kickoff.
fn is_graph(line: &str) -> bool {
    line.starts_with("step ") && !line.contains(" (")
}

/// [S7] [S14] [S15] [S16]
#[tokio::test]
async fn without_effects_a_rolling_run_does_what_one_in_lockstep_does() {
    let (mut n_programs, mut n_wide, mut n_kickoffs, mut n_plain) = (0, 0, 0, 0);
    for seed in seeds() {
        let program = timeless(seed);
        let mut case = Case { seed, program, nested: None };
        let expected = Expected::of(&case);
        if !expected.inside.end.starts_with("output ") {
            // A failure ends a rolling run at once, with whatever has run by then.
            continue;
        }
        // Workers that begin in one step see the graph at different times.
        case.program.rolling = Some(seed);
        if let Err(found) = compared(&case, &expected).await {
            panic!("seed {seed}:\n{}\n{found}", case.program);
        }
        let executions = &expected.executions;
        let steps = executions.chunk_by(|one, other| one.step == other.step);
        n_programs += 1;
        n_kickoffs += executions.len();
        n_wide += usize::from(steps.into_iter().any(|step| step.len() > 2));
        let plain = |one: &&Execution| one.worker.is_plain();
        n_plain += executions.iter().filter(plain).count();
    }
    let of_all = |percent: u64| (percent * (seeds().end - seeds().start) / 100) as usize;
    assert!(n_programs >= of_all(60), "only {n_programs} programs");
    assert!(n_wide >= of_all(10), "only {n_wide} programs have wide steps");
    assert!(n_kickoffs > 3 * n_programs, "only {n_kickoffs} kickoffs");
    assert!(n_plain > n_kickoffs / 10, "only {n_plain} of workers without a context");
}
