//! The figures as a table, for the terminal and for the page alike.

use super::measure::{Figure, TURNS};
use crate::report::table::{count, ratio};

/// A table of the figures, one line for each agent and number of calls.
pub fn table(figures: &[Figure]) -> String {
    let mut text = "| calls in a turn | agent | begin |".to_owned();
    text += &TURNS.map(|turn| format!(" turn {turn} |")).concat();
    let [first, middle, last] = TURNS;
    text +=
        &format!(" end | turn {middle}, to by hand | turn {last} | turn {last}, to turn {first} |");
    text += " allocations per turn |\n";
    text += &format!("| ---: | --- |{}\n", " ---: |".repeat(TURNS.len() + 6));
    for figure in figures {
        let Figure { n_calls, agent, begin_us, turn_us, end_us, allocs_per_turn } = figure;
        let of_first = figures.iter().find(|first| first.n_calls == *n_calls);
        let to_first = |turn: usize| {
            of_first.map_or_else(String::new, |first| ratio(turn_us[turn] / first.turn_us[turn]))
        };
        text += &format!("| {n_calls} | {agent} | {} |", micros(*begin_us));
        text += &turn_us.iter().map(|us| format!(" {} |", micros(*us))).collect::<String>();
        text += &format!(
            " {} | {} | {} | {} | {} |\n",
            micros(*end_us),
            to_first(1),
            to_first(TURNS.len() - 1),
            ratio(turn_us[TURNS.len() - 1] / turn_us[0]),
            count(allocs_per_turn.round() as usize),
        );
    }
    text
}

/// A digit behind the point where it matters.
fn micros(us: f64) -> String {
    match us {
        ..100.0 => format!("{us:.1}"),
        _ => count(us.round() as usize),
    }
}
