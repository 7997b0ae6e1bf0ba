//! The queue of writes: the first run first, and nobody last for ever.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::checkpoint::Arrival;

/// Of this many writes, one is a renewal, if one waits.
const RENEWALS: u64 = 2;

/// Of this many other writes, one is the one that has waited longest, whatever its run.
const FAIR: u64 = 4;

/// Writes that wait.
///
/// A run that came earlier is served earlier. So runs that are begun together end in the order of
/// their arrival, and those at the end of a long queue do not begin, and hold no lease, before
/// there is room for them.
///
/// **Invariants.** However many older runs write all the time, a write that is the `n`th of those
/// that wait is among the next `RENEWALS * FAIR * n`, and the `n`th renewal among the next
/// `RENEWALS * n`. However many renewals wait, they are at most one in [`RENEWALS`] while other
/// writes wait.
pub(super) struct Queue<T> {
    /// In the order in which they were added.
    renewals: VecDeque<T>,
    /// By their numbers, in which they were added.
    writes: BTreeMap<u64, (Arrival, T)>,
    by_arrival: BTreeSet<(Arrival, u64)>,
    n_added: u64,
    n_taken: u64,
    n_writes_taken: u64,
}

/// Where the next one is.
enum Next {
    Renewal,
    Write(u64),
}

impl<T> Queue<T> {
    /// Adds a write of the run that came at `arrival`.
    pub(super) fn push(&mut self, arrival: Arrival, write: T) {
        self.writes.insert(self.n_added, (arrival, write));
        self.by_arrival.insert((arrival, self.n_added));
        self.n_added += 1;
    }

    /// Adds the renewal of a lease.
    pub(super) fn push_renewal(&mut self, renewal: T) {
        self.renewals.push_back(renewal);
    }

    /// Takes the next one.
    pub(super) fn pop(&mut self) -> Option<T> {
        let next = match self.next()? {
            Next::Renewal => self.renewals.pop_front()?,
            Next::Write(number) => {
                let (arrival, write) = self.writes.remove(&number)?;
                self.by_arrival.remove(&(arrival, number));
                self.n_writes_taken += 1;
                write
            }
        };
        self.n_taken += 1;
        Some(next)
    }

    /// The next one.
    pub(super) fn first(&self) -> Option<&T> {
        match self.next()? {
            Next::Renewal => self.renewals.front(),
            Next::Write(number) => self.writes.get(&number).map(|(_, write)| write),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.renewals.len() + self.writes.len()
    }

    fn next(&self) -> Option<Next> {
        let is_for_renewal = self.n_taken % RENEWALS == RENEWALS - 1;
        if self.writes.is_empty() || is_for_renewal && !self.renewals.is_empty() {
            return self.renewals.front().map(|_| Next::Renewal);
        }
        let is_fair = self.n_writes_taken % FAIR == FAIR - 1;
        let number = match is_fair {
            true => self.writes.keys().next(),
            false => self.by_arrival.first().map(|(_, number)| number),
        };
        number.map(|number| Next::Write(*number))
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            renewals: VecDeque::new(),
            writes: BTreeMap::new(),
            by_arrival: BTreeSet::new(),
            n_added: 0,
            n_taken: 0,
            n_writes_taken: 0,
        }
    }
}
