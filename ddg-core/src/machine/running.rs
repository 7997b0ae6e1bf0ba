//! The running executions of a run, in kickoff order.

use super::KickoffId;
use crate::graph::WorkerId;

/// The running executions, in kickoff order. One that ends leaves a gap, and gaps are closed when
/// they are most of the list: at a rolling pace thousands may be running while one after another
/// ends.
#[derive(Default)]
pub(super) struct RunningList {
    /// In kickoff order. Those that have ended have the id [`WorkerId::VACANT`].
    all: Vec<Running>,
    n_gaps: usize,
}

struct Running {
    id: KickoffId,
    worker: WorkerId,
}

impl RunningList {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.all.len() - self.n_gaps
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an execution, the last in kickoff order.
    #[inline]
    pub(super) fn push(&mut self, id: KickoffId, worker: WorkerId) {
        self.all.push(Running { id, worker });
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.n_gaps = 0;
    }

    /// Removes an execution that has ended.
    pub(super) fn remove(&mut self, id: KickoffId) {
        let Ok(place) = self.all.binary_search_by_key(&id, |running| running.id) else { return };
        let running = &mut self.all[place];
        if std::mem::replace(&mut running.worker, WorkerId::VACANT) == WorkerId::VACANT {
            return;
        }
        self.n_gaps += 1;
        if self.n_gaps * 2 > self.all.len() {
            self.all.retain(|running| running.worker != WorkerId::VACANT);
            self.n_gaps = 0;
        }
    }

    /// The executions, each with its worker.
    pub(super) fn iter(&self) -> impl Iterator<Item = (KickoffId, WorkerId)> {
        let running = self.all.iter().filter(|running| running.worker != WorkerId::VACANT);
        running.map(|running| (running.id, running.worker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_gone_and_the_others_keep_their_order() {
        let mut running = RunningList::default();
        (0..10).for_each(|n| running.push(KickoffId(n), WorkerId::new(n as usize % 3)));
        for gone in [4, 0, 9, 4, 12, 5, 7, 2, 1] {
            running.remove(KickoffId(gone));
        }
        running.push(KickoffId(10), WorkerId::new(0));
        let left: Vec<_> = running.iter().map(|(id, worker)| (id.0, worker.index())).collect();
        assert_eq!(left, [(3, 0), (6, 0), (8, 2), (10, 0)]);
        assert_eq!((running.len(), running.is_empty()), (4, false));
        running.clear();
        assert!(running.is_empty() && running.iter().next().is_none());
    }
}
