//! The workers that are shown, and their vertical positions.

use std::cmp::Reverse;
use std::time::Duration;

use crate::render::history::Book;

/// The workers that are shown, from the top.
pub(super) struct Rows {
    pub(super) shown: Vec<Row>,
    /// Number of workers that are not shown.
    pub(super) n_hidden: usize,
    /// Duration of the slowest kickoff of the hidden workers.
    pub(super) slowest_hidden: Duration,
    /// The row of each worker that is shown.
    pub(super) of: Vec<Option<usize>>,
}

pub(super) struct Row {
    pub(super) worker: usize,
    /// Number of nested automata around the worker.
    pub(super) depth: usize,
    /// Whether the worker contains workers that ran.
    pub(super) is_automa: bool,
    pub(super) is_output: bool,
}

/// A summary of the kickoffs of a worker.
#[derive(Clone, Copy, Default)]
struct Ran {
    failed: bool,
    /// Duration of the longest kickoff.
    slowest: Duration,
}

impl Rows {
    /// Chooses at most `most` workers, with the automata around them: first those that failed and
    /// the output workers, then the slowest for up to half of the remaining rows, then the first.
    pub(super) fn of(book: &Book, most: usize) -> Self {
        let order = book.in_order();
        let mut ran = vec![Ran::default(); order.len()];
        for execution in &book.executions {
            let Ran { failed, slowest } = &mut ran[execution.worker];
            *failed |= execution.end.is_some_and(|end| end.failed);
            let end = execution.end.map_or(book.until, |end| end.at);
            *slowest = (*slowest).max(end.saturating_sub(execution.began));
        }
        let mut slowest_first: Vec<_> =
            order.iter().filter(|worker| !ran[**worker].slowest.is_zero()).collect();
        // The sort is stable: among equally slow workers the first stays first.
        slowest_first.sort_by_key(|worker| Reverse(ran[**worker].slowest));
        slowest_first.truncate(most / 2);
        let failed = order.iter().filter(|worker| ran[**worker].failed);
        let outputs = order.iter().filter(|worker| book.workers[**worker].output);
        let first = failed.chain(outputs).chain(slowest_first).chain(&order);
        let mut shown = vec![false; order.len()];
        let mut n_shown = 0;
        for &worker in first {
            let around = std::iter::successors(Some(worker), |inner| book.workers[*inner].inside);
            let new: Vec<_> = around.take_while(|worker| !shown[*worker]).collect();
            if n_shown + new.len() > most {
                break;
            }
            n_shown += new.len();
            new.into_iter().for_each(|worker| shown[worker] = true);
        }
        let mut depths = vec![0; order.len()];
        let mut is_automa = vec![false; order.len()];
        for &worker in &order {
            if let Some(outer) = book.workers[worker].inside {
                depths[worker] = depths[outer] + 1;
                is_automa[outer] = true;
            }
        }
        let mut rows = Self {
            shown: Vec::new(),
            n_hidden: 0,
            slowest_hidden: Duration::ZERO,
            of: vec![None; order.len()],
        };
        for worker in order {
            if shown[worker] {
                rows.of[worker] = Some(rows.shown.len());
                let (depth, is_automa) = (depths[worker], is_automa[worker]);
                let is_output = book.workers[worker].output;
                rows.shown.push(Row { worker, depth, is_automa, is_output });
            } else {
                rows.n_hidden += 1;
                rows.slowest_hidden = rows.slowest_hidden.max(ran[worker].slowest);
            }
        }
        rows
    }
}
