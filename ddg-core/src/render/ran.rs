//! Adds what runs have done to a picture of their graph.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

use super::history::{Book, Seen, Why};
use super::picture::{Edge, EdgeKind, Node, NodeIdx, Of, Picture, Standing};

impl Picture {
    pub(super) fn add_ran(&mut self, book: &Book) {
        if book.executions.is_empty() {
            return;
        }
        self.remove_possible();
        let order = book.in_order();
        let n_drawn = self.nodes.len();
        let mut drawn: Vec<NodeIdx> = vec![0; book.workers.len()];
        for &worker in &order {
            let seen = &book.workers[worker];
            let inside = seen.inside.map(|outer| drawn[outer]);
            drawn[worker] = self.find(inside, &seen.key).unwrap_or_else(|| {
                let standing = match (self.of, inside) {
                    (Of::Grown, None) => Standing::Removed,
                    (Of::Grown, Some(_)) | (Of::Declared, _) => Standing::Added,
                };
                self.add(Node::new(seen.key.clone(), inside, standing))
            });
        }
        for &worker in &drawn {
            let standing = &mut self.nodes[worker].standing;
            if matches!(standing, Standing::Detached | Standing::Missing) {
                *standing = Standing::Added;
            }
        }
        self.add_dependencies(book, &order, &drawn, n_drawn);
        self.add_ferries(book, &order, &drawn);
        self.mark_failed(book, &drawn);
    }

    /// Adds the dependencies that the graph does not have any more. A worker that was removed and
    /// added again under its key contributes those of all its lives.
    fn add_dependencies(
        &mut self,
        book: &Book,
        order: &[usize],
        drawn: &[NodeIdx],
        n_drawn: usize,
    ) {
        let mut known: FxHashSet<_> = self.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        for &worker in order {
            let Seen { inside, after, .. } = &book.workers[worker];
            let to = drawn[worker];
            // The graph at the end of a run is drawn as it is. A dependency between two workers of
            // it that is not in the picture was removed.
            let is_left = |node| self.of == Of::Grown && inside.is_none() && node < n_drawn;
            let arrows = after.iter().filter_map(|key| {
                let from = self.find(self.nodes[to].inside, key)?;
                let gone = is_left(from) && is_left(to);
                let kind = if gone { EdgeKind::Removed } else { EdgeKind::Dependency };
                known.insert((from, to)).then_some(Edge { from, to, kind })
            });
            let arrows: Vec<_> = arrows.collect();
            self.edges.extend(arrows);
        }
    }

    fn add_ferries(&mut self, book: &Book, order: &[usize], drawn: &[NodeIdx]) {
        let mut place = vec![0; order.len()];
        for (at, worker) in order.iter().enumerate() {
            place[*worker] = at;
        }
        let mut taken: IndexMap<_, u64, FxBuildHasher> = IndexMap::default();
        for execution in &book.executions {
            if let Why::Ferry(by) = execution.why {
                *taken.entry((by, execution.worker)).or_default() += 1;
            }
        }
        taken.sort_by_key(|(by, to), _| (place[*by], place[*to]));
        for ((by, to), n_times) in taken {
            let kind = EdgeKind::Ferry(n_times);
            self.edges.push(Edge { from: drawn[by], to: drawn[to], kind });
        }
    }

    fn mark_failed(&mut self, book: &Book, drawn: &[NodeIdx]) {
        let mut last = vec![None; drawn.len()];
        for execution in &book.executions {
            let this = Some((execution.began, execution.step, execution.id));
            let failed = execution.end.is_some_and(|end| end.failed);
            if last[execution.worker].is_none_or(|(last, _)| last <= this) {
                last[execution.worker] = Some((this, failed));
            }
        }
        for (worker, last) in last.into_iter().enumerate() {
            self.nodes[drawn[worker]].failed |= last.is_some_and(|(_, failed)| failed);
        }
    }
}
