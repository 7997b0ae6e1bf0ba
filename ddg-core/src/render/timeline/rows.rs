//! Which workers are shown, and where down the page.

use crate::render::history::Book;

/// The workers that are shown, from the top.
pub(super) struct Rows {
    pub(super) shown: Vec<Row>,
    /// How many are not.
    pub(super) n_hidden: usize,
    /// The row of each worker, where it has one.
    pub(super) of: Vec<Option<usize>>,
}

pub(super) struct Row {
    pub(super) worker: usize,
    /// In how many nested automata it is.
    pub(super) depth: usize,
    /// Whether other workers were seen in it.
    pub(super) is_automa: bool,
}

impl Rows {
    /// The first `most` workers, and before others those that failed with the automata around.
    pub(super) fn of(book: &Book, most: usize) -> Self {
        let order = book.in_order();
        let mut failed = vec![false; order.len()];
        for execution in &book.executions {
            failed[execution.worker] |= execution.end.is_some_and(|end| end.failed);
        }
        let mut shown = vec![false; order.len()];
        let mut n_shown = 0;
        let first = order.iter().filter(|worker| failed[**worker]).chain(&order);
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
        let mut rows = Self { shown: Vec::new(), n_hidden: 0, of: vec![None; order.len()] };
        for worker in order {
            if shown[worker] {
                rows.of[worker] = Some(rows.shown.len());
                let (depth, is_automa) = (depths[worker], is_automa[worker]);
                rows.shown.push(Row { worker, depth, is_automa });
            } else {
                rows.n_hidden += 1;
            }
        }
        rows
    }
}
