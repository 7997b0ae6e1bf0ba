//! Ferries as thin lines, from the bar of the worker that ferried to the bar of the target.

use rustc_hash::FxHashSet;

use super::axis::Axis;
use super::rows::Rows;
use crate::render::history::{Book, Execution, Why};

/// Maximum number of lines. With more, none are drawn, because they would hide the bars.
const MOST_LINES: usize = 400;

/// Minimum distance between the kickoffs of a worker for a line between them.
const SHORTEST: f64 = 6.0;

/// Maximum number of kickoffs that are searched for the one that ferried.
const MOST_LOOKS: usize = 64;

/// A line between two rows.
pub(super) struct Line {
    pub(super) from: (f64, usize),
    pub(super) to: (f64, usize),
}

/// The lines between workers that are shown; lines less than a pixel apart are drawn once. `None`
/// if there are too many.
pub(super) fn lines(book: &Book, axis: &Axis, rows: &Rows) -> Option<Vec<Line>> {
    let mut ran: Vec<Vec<&Execution>> = Vec::new();
    ran.resize_with(book.workers.len(), Vec::new);
    for execution in &book.executions {
        ran[execution.worker].push(execution);
    }
    for executions in &mut ran {
        executions.sort_by_key(|execution| (execution.began, execution.step, execution.id));
    }
    let mut drawn = FxHashSet::default();
    let mut lines = Vec::new();
    for execution in ran.iter().flatten() {
        let Why::Ferry(by) = execution.why else { continue };
        let (Some(from), Some(to)) = (rows.of[by], rows.of[execution.worker]) else { continue };
        let Some((asked, end)) = asker(&ran[by], execution) else { continue };
        let begin = axis.span(asked.step, asked.began, end).1;
        let x = axis.span(execution.step, execution.began, execution.began).0;
        let pixels = (from, begin as i64, to, x as i64);
        let is_seen = from != to || x - begin >= SHORTEST;
        if is_seen && drawn.insert(pixels) {
            lines.push(Line { from: (begin.min(x), from), to: (x, to) });
        }
    }
    (lines.len() <= MOST_LINES).then_some(lines)
}

/// The last kickoff of the ferrying worker that had ended when the target began, and its end.
fn asker<'a>(
    ran: &[&'a Execution],
    target: &Execution,
) -> Option<(&'a Execution, std::time::Duration)> {
    let begun = ran.partition_point(|execution| execution.began <= target.began);
    ran[..begun].iter().rev().take(MOST_LOOKS).find_map(|execution| {
        let end = execution.end?.at;
        (execution.step < target.step && end <= target.began).then_some((*execution, end))
    })
}
