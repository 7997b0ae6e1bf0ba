//! The figures as tables, for the terminal and for the page alike.

use super::letters::{N_BYTES, Running};
use super::measure::{Figure, Journal, LaterStep, Together};
use crate::report::table::{bytes, count, ratio};

/// A table of the figures, one line for each graph and mode.
pub fn table(figures: &[Figure]) -> String {
    let mut text = "\
| workers | run in a step | written | steps/s | µs per step | the store's share | bare writes | to bare \
| bytes per step |
| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
"
    .to_owned();
    for figure in figures {
        let running = match figure.running {
            Running::All => "all",
            Running::One => "one",
        };
        let of_writes = |value: f64, shown: fn(f64) -> String| {
            figure.ratio_to_bare.map_or_else(|| "–".to_owned(), |_| shown(value))
        };
        text += &format!(
            "| {} | {running} | {} | {} | {} | {} | {} | {} | {} |\n",
            count(figure.n_workers),
            figure.mode.name(),
            count((1e6 / figure.us_per_step).round() as usize),
            micros(figure.us_per_step),
            of_writes(figure.store_us_per_step, micros),
            of_writes(figure.bare_us_per_step, micros),
            figure.ratio_to_bare.map_or_else(|| "–".to_owned(), ratio),
            of_writes(figure.file_bytes_per_step, whole_bytes),
        );
    }
    text
}

/// A sentence on a long run's file.
pub fn sentence(journal: &Journal) -> String {
    let Journal { steps, open_bytes, closed_bytes, read, us_per_read } = journal;
    format!(
        "A run of {} steps that change {N_BYTES} bytes each: {} in the file, {} with its log while it \
         is open; {} states read, {} µs each.\n",
        count(*steps as usize),
        bytes(*closed_bytes as usize),
        bytes(*open_bytes as usize),
        count(*read as usize),
        micros(*us_per_read),
    )
}

/// A table of what a step costs among workers that have a state.
pub fn later_steps(all: &[LaterStep]) -> String {
    let mut text = "\
| workers with a state | µs per step, in a file | in memory |
| ---: | ---: | ---: |
"
    .to_owned();
    for LaterStep { n_workers, us_in_a_file, us_in_memory } in all {
        let (file, memory) = (micros(*us_in_a_file), micros(*us_in_memory));
        text += &format!("| {} | {file} | {memory} |\n", count(*n_workers));
    }
    text
}

/// A sentence on runs at the same time.
pub fn at_once(all: &[Together]) -> String {
    let one = |together: &Together| {
        format!("{}: {} steps/s", count(together.runs), count(together.steps_per_s as usize))
    };
    let all: Vec<_> = all.iter().map(one).collect();
    format!(
        "Runs of one worker at the same time on one file, each step written: {}.\n",
        all.join("; ")
    )
}

fn whole_bytes(n_bytes: f64) -> String {
    bytes(n_bytes.round() as usize)
}

/// Two digits where they matter.
fn micros(us: f64) -> String {
    match us {
        ..10.0 => format!("{us:.1}"),
        _ => count(us.round() as usize),
    }
}
