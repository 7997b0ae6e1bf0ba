//! Dependency counters: which dependencies each worker still waits for, one bit per dependency.

use rustc_hash::FxHashMap;

use crate::graph::WorkerId;

/// The dependencies of each worker that have run since its last kickoff.
///
/// A worker's word has one bit for each of its first 56 dependencies, the number of bits that are
/// set, a bit that says that the worker is ready for the next step, and a bit that says that all of
/// this has moved to a wider place. All words of a new run are zero.
#[derive(Clone, Default)]
pub(crate) struct Waits {
    words: Vec<u64>,
    wide: FxHashMap<WorkerId, Wide>,
}

#[derive(Clone, Default)]
struct Wide {
    bits: Vec<u64>,
    crossed: u32,
}

const DUE: u64 = 1 << 63;
const WIDE: u64 = 1 << 62;
/// Adds one to the number of satisfied dependencies.
const ONE: u64 = 1 << NARROW;
/// Number of dependencies that a word has bits for. The number of satisfied ones takes 6 bits above
/// them.
const NARROW: u32 = 56;
const BITS: u64 = ONE - 1;

/// Number of satisfied dependencies in a word that is not wide.
fn n_crossed(word: u64) -> u32 {
    ((word & !DUE) >> NARROW) as u32
}

impl Waits {
    pub(crate) fn new(n_workers: usize) -> Self {
        Self { words: vec![0; n_workers], wide: FxHashMap::default() }
    }

    /// Makes room for added workers.
    pub(crate) fn grow(&mut self, n_workers: usize) {
        if n_workers > self.words.len() {
            self.words.resize(n_workers, 0);
        }
    }

    /// Satisfies a dependency; returns the number of satisfied ones.
    #[inline]
    pub(crate) fn cross(&mut self, worker: WorkerId, place: u32) -> u32 {
        let word = &mut self.words[worker.index()];
        if *word & WIDE == 0 && place < NARROW {
            let bit = 1 << place;
            if *word & bit == 0 {
                // One addition sets the bit and counts it.
                *word += bit + ONE;
            }
            return n_crossed(*word);
        }
        self.cross_wide(worker, place)
    }

    fn cross_wide(&mut self, worker: WorkerId, place: u32) -> u32 {
        let word = &mut self.words[worker.index()];
        let wide = self.wide.entry(worker).or_default();
        if *word & WIDE == 0 {
            wide.bits.clear();
            wide.bits.push(*word & BITS);
            wide.crossed = n_crossed(*word);
            *word = (*word & DUE) | WIDE;
        }
        let (at, bit) = (place as usize / 64, 1 << (place % 64));
        if wide.bits.len() <= at {
            wide.bits.resize(at + 1, 0);
        }
        if wide.bits[at] & bit == 0 {
            wide.bits[at] |= bit;
            wide.crossed += 1;
        }
        wide.crossed
    }

    /// Removes a satisfied dependency that does not exist any more.
    pub(crate) fn uncross(&mut self, worker: WorkerId, place: usize) {
        let word = &mut self.words[worker.index()];
        if *word & WIDE == 0 {
            if place < NARROW as usize && *word & (1 << place) != 0 {
                *word -= (1 << place) + ONE;
            }
        } else if let Some(wide) = self.wide.get_mut(&worker)
            && let Some(bits) = wide.bits.get_mut(place / 64)
            && *bits & (1 << (place % 64)) != 0
        {
            *bits &= !(1 << (place % 64));
            wide.crossed -= 1;
        }
    }

    pub(crate) fn is_crossed(&self, worker: WorkerId, place: usize) -> bool {
        let word = self.words[worker.index()];
        if word & WIDE == 0 {
            return place < NARROW as usize && word & (1 << place) != 0;
        }
        let bits = self.wide.get(&worker).and_then(|wide| wide.bits.get(place / 64));
        bits.is_some_and(|bits| bits & (1 << (place % 64)) != 0)
    }

    /// Marks a worker as ready; returns false if it already was.
    #[inline]
    pub(crate) fn mark_due(&mut self, worker: WorkerId) -> bool {
        let word = &mut self.words[worker.index()];
        let was_due = *word & DUE != 0;
        *word |= DUE;
        !was_due
    }

    /// Resets a worker at its kickoff: it waits for all of its dependencies again.
    #[inline]
    pub(crate) fn reset(&mut self, worker: WorkerId) {
        let word = &mut self.words[worker.index()];
        let was_wide = *word & WIDE;
        *word = was_wide;
        if was_wide != 0
            && let Some(wide) = self.wide.get_mut(&worker)
        {
            wide.bits.fill(0);
            wide.crossed = 0;
        }
    }

    /// Forgets a removed worker.
    pub(crate) fn forget(&mut self, worker: WorkerId) {
        self.words[worker.index()] = 0;
        self.wide.remove(&worker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_count_each_dependency_once_narrow_or_wide() {
        let worker = WorkerId::new(0);
        for n in [1, 2, 55, 56, 57, 61, 62, 63, 64, 65, 200] {
            let mut waits = Waits::new(1);
            for _ in 0..2 {
                for place in (0..n).rev() {
                    waits.cross(worker, place);
                    assert_eq!(waits.cross(worker, place), n - place, "{place} of {n}");
                }
                assert!((0..n as usize).all(|place| waits.is_crossed(worker, place)));
                assert!(waits.mark_due(worker) && !waits.mark_due(worker));
                waits.uncross(worker, 0);
                assert_eq!(waits.cross(worker, n - 1), (n - 1).max(1));
                waits.reset(worker);
                assert!(!(0..n as usize).any(|place| waits.is_crossed(worker, place)));
            }
        }
    }
}
