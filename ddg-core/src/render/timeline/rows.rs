//! Which workers are shown, and where down the page.

use std::cmp::Reverse;
use std::time::Duration;

use crate::render::history::Book;

/// The workers that are shown, from the top.
pub(super) struct Rows {
    pub(super) shown: Vec<Row>,
    /// How many are not.
    pub(super) n_hidden: usize,
    /// How long the slowest kickoff of those took.
    pub(super) slowest_hidden: Duration,
    /// The row of each worker, where it has one.
    pub(super) of: Vec<Option<usize>>,
}

pub(super) struct Row {
    pub(super) worker: usize,
    /// In how many nested automata it is.
    pub(super) depth: usize,
    /// Whether other workers were seen in it.
    pub(super) is_automa: bool,
    pub(super) is_output: bool,
}

/// How a worker's kickoffs went.
#[derive(Clone, Copy, Default)]
struct Ran {
    failed: bool,
    /// How long the longest took.
    slowest: Duration,
}

impl Rows {
    /// So many workers: before others those that failed, the output workers, and the slowest,
    /// which may take half of the rows that are left; each with the automata around.
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
        // Of equally slow ones, the first.
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
