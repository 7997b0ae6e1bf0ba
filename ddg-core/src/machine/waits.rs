//! Dependency counters: which dependencies each worker still waits for, one bit per dependency.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::graph::{Groups, NARROW, WorkerId};

/// The dependencies of each worker that have run since its last kickoff.
///
/// A worker's word has one bit for each of its first 62 dependencies, a bit that says that the
/// worker is ready for the next step, and a bit that says that the others have moved to a wider
/// place, whose index they are then. All words of a new run are zero.
///
/// The workers of a [group](Groups) become ready together, so they wait as one: the word of the
/// first is that of all. A group in which one worker is addressed alone (by a ferry, an edit, a
/// saved state) is split, and its workers have a word each from then on.
#[derive(Clone, Default)]
pub(crate) struct Waits {
    words: Vec<u64>,
    groups: Arc<Groups>,
    /// The first workers of groups that are split, if there are any.
    split: Option<Box<FxHashSet<WorkerId>>>,
    /// The wider places, if there are any.
    wide: Option<Box<WidePlaces>>,
}

#[derive(Clone, Default)]
struct WidePlaces {
    all: Vec<Wide>,
    /// The places of removed workers.
    free: Vec<usize>,
}

#[derive(Clone, Default)]
struct Wide {
    bits: Vec<u64>,
    crossed: u32,
}

const DUE: u64 = 1 << 63;
const WIDE: u64 = 1 << 62;
const BITS: u64 = WIDE - 1;

/// Number of satisfied dependencies in a word that is not wide.
fn n_crossed(word: u64) -> u32 {
    (word & BITS).count_ones()
}

/// The index of the wider place that a word has moved to.
fn place_of(word: u64) -> usize {
    (word & BITS) as usize
}

impl Waits {
    pub(crate) fn new(n_workers: usize, groups: Arc<Groups>) -> Self {
        Self { words: vec![0; n_workers], groups, split: None, wide: None }
    }

    /// The size of the group that waits as one and whose first worker this is; 0 if there is none.
    #[inline]
    pub(crate) fn size_of_group(&self, first: WorkerId) -> usize {
        match self.is_split(first) {
            true => 0,
            false => self.groups.size(first),
        }
    }

    /// The worker whose word is that of `worker`: itself, or the first of its group.
    #[inline]
    fn holder(&self, worker: WorkerId) -> WorkerId {
        let holder = self.groups.holder(worker);
        match self.is_split(holder) {
            true => worker,
            false => holder,
        }
    }

    /// Whether the group whose first worker this is is split.
    #[inline]
    fn is_split(&self, first: WorkerId) -> bool {
        self.split.as_ref().is_some_and(|split| split.contains(&first))
    }

    /// The wider place of a word that has moved to one.
    fn wide_of(&self, word: u64) -> &Wide {
        let places = self.wide.as_ref().expect("a word that is wide has a place");
        &places.all[place_of(word)]
    }

    fn wide_mut(&mut self, word: u64) -> &mut Wide {
        let places = self.wide.as_mut().expect("a word that is wide has a place");
        &mut places.all[place_of(word)]
    }

    /// Has the workers of the group of `worker`, if it is in one, wait by themselves.
    fn split(&mut self, worker: WorkerId) {
        let first = self.holder(worker);
        let size = self.size_of_group(first);
        if size > 0 {
            let place = first.index();
            let word = self.words[place];
            // The dependencies of a group have bits in its word, so it is not wide.
            self.words[place..place + size].fill(word);
            self.split.get_or_insert_default().insert(first);
        }
    }

    /// Makes room for added workers.
    pub(crate) fn grow(&mut self, n_workers: usize) {
        if n_workers > self.words.len() {
            self.words.resize(n_workers, 0);
        }
    }

    /// Satisfies a dependency of a worker, or of a group, whose first worker is given. Returns
    /// whether this makes it ready: with it, `all` of its bits are set, or, if these are none,
    /// `is_ready` says so of the number of satisfied ones.
    #[inline]
    pub(crate) fn satisfy(
        &mut self,
        worker: WorkerId,
        place: u32,
        all: u64,
        is_ready: impl FnOnce(u32) -> bool,
    ) -> bool {
        if all == 0 {
            return is_ready(self.cross(worker, place)) && self.mark_due(worker);
        }
        let word = &mut self.words[worker.index()];
        let now = *word | (1 << (place % NARROW));
        let is_ready = now == all;
        *word = if is_ready { now | DUE } else { now };
        is_ready
    }

    /// Satisfies a dependency of one worker; returns the number of satisfied ones.
    pub(crate) fn cross(&mut self, worker: WorkerId, place: u32) -> u32 {
        self.split(worker);
        let word = &mut self.words[worker.index()];
        if *word & WIDE == 0 && place < NARROW {
            *word |= 1 << place;
            return n_crossed(*word);
        }
        self.cross_wide(worker, place)
    }

    fn cross_wide(&mut self, worker: WorkerId, place: u32) -> u32 {
        let word = &mut self.words[worker.index()];
        if *word & WIDE == 0 {
            let wide = Wide { bits: vec![*word & BITS], crossed: n_crossed(*word) };
            let places = self.wide.get_or_insert_default();
            let free = places.free.pop().unwrap_or(places.all.len());
            match places.all.get_mut(free) {
                Some(free) => *free = wide,
                None => places.all.push(wide),
            }
            *word = (*word & DUE) | WIDE | free as u64;
        }
        let word = *word;
        let wide = self.wide_mut(word);
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
        self.split(worker);
        let word = &mut self.words[worker.index()];
        if *word & WIDE == 0 {
            if place < NARROW as usize {
                *word &= !(1 << place);
            }
            return;
        }
        let word = *word;
        let wide = self.wide_mut(word);
        if let Some(bits) = wide.bits.get_mut(place / 64)
            && *bits & (1 << (place % 64)) != 0
        {
            *bits &= !(1 << (place % 64));
            wide.crossed -= 1;
        }
    }

    pub(crate) fn is_crossed(&self, worker: WorkerId, place: usize) -> bool {
        let word = self.words[self.holder(worker).index()];
        if word & WIDE == 0 {
            return place < NARROW as usize && word & (1 << place) != 0;
        }
        let bits = self.wide_of(word).bits.get(place / 64);
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

    /// Resets a worker at its kickoff: it waits for all of its dependencies again. `together` says
    /// whether it runs because of its dependencies; then all others of its group do so, too.
    #[inline]
    pub(crate) fn reset(&mut self, worker: WorkerId, together: bool) {
        let mut holder = self.holder(worker);
        if !together && self.words[holder.index()] != 0 {
            self.split(worker);
            holder = worker;
        }
        let word = &mut self.words[holder.index()];
        if *word & WIDE == 0 {
            *word = 0;
            return;
        }
        *word &= !DUE;
        let word = *word;
        let wide = self.wide_mut(word);
        wide.bits.fill(0);
        wide.crossed = 0;
    }

    /// Forgets a removed worker.
    pub(crate) fn forget(&mut self, worker: WorkerId) {
        self.split(worker);
        let word = std::mem::take(&mut self.words[worker.index()]);
        if word & WIDE != 0 {
            let places = self.wide.get_or_insert_default();
            places.free.push(place_of(word));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_count_each_dependency_once_narrow_or_wide() {
        let worker = WorkerId::new(0);
        for n in [1, 2, 61, 62, 63, 64, 65, 200] {
            let mut waits = Waits::new(1, Arc::default());
            for _ in 0..2 {
                for place in (0..n).rev() {
                    waits.cross(worker, place);
                    assert_eq!(waits.cross(worker, place), n - place, "{place} of {n}");
                }
                assert!((0..n as usize).all(|place| waits.is_crossed(worker, place)));
                assert!(waits.mark_due(worker) && !waits.mark_due(worker));
                waits.uncross(worker, 0);
                assert_eq!(waits.cross(worker, n - 1), (n - 1).max(1));
                waits.reset(worker, true);
                assert!(!(0..n as usize).any(|place| waits.is_crossed(worker, place)));
            }
            waits.forget(worker);
            assert!(!(0..n as usize).any(|place| waits.is_crossed(worker, place)));
        }
    }

    /// A step of a random history of a few groups. Returns the workers that became ready.
    fn step(
        waits: &mut Waits,
        (what, group, one, place): (usize, usize, usize, u32),
    ) -> Vec<usize> {
        const ALL: u64 = (1 << 3) - 1;
        let each = [0..1, 1..4, 4..6, 6..10][group].clone();
        let worker = WorkerId::new(each.start + one % each.len());
        match what {
            0 => waits.uncross(worker, place as usize),
            1 => _ = waits.cross(worker, place),
            2 => waits.reset(worker, false),
            3 => waits.forget(worker),
            _ => {
                // A dependency of all of them has run.
                let mut ready = Vec::new();
                let mut at = each.start;
                while at < each.end {
                    let worker = WorkerId::new(at);
                    let size = waits.size_of_group(worker).max(1);
                    if waits.satisfy(worker, place, ALL, |_| unreachable!("it is narrow")) {
                        ready.extend(at..at + size);
                    }
                    at += size;
                }
                ready.iter().for_each(|worker| waits.reset(WorkerId::new(*worker), true));
                return ready;
            }
        }
        Vec::new()
    }

    #[test]
    fn workers_that_wait_as_one_become_ready_when_each_by_itself_would() {
        let groups = Arc::new(Groups::of_sizes(&[1, 3, 2, 4]));
        let mut seed = 1_u64;
        let mut roll = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let (mut n_ready, mut n_split) = (0, 0);
        for _ in 0..2_000 {
            let mut as_one = Waits::new(10, Arc::clone(&groups));
            let mut each = Waits::new(10, Arc::default());
            for _ in 0..30 {
                let what = (roll(40) as usize, roll(4) as usize, roll(4) as usize, roll(3) as u32);
                let ready = step(&mut as_one, what);
                assert_eq!(step(&mut each, what), ready, "after {what:?}");
                n_ready += ready.len();
                for (worker, place) in (0..10).flat_map(|worker| [0, 1, 2].map(|at| (worker, at))) {
                    let worker = WorkerId::new(worker);
                    let found = as_one.is_crossed(worker, place);
                    assert_eq!(found, each.is_crossed(worker, place), "after {what:?}");
                }
            }
            n_split += as_one.split.map_or(0, |split| split.len());
        }
        assert!(n_ready > 10_000 && n_split > 1_000, "{n_ready} ready, {n_split} split");
    }

    #[test]
    fn the_last_dependency_makes_ready_once_narrow_or_wide() {
        let (worker, other) = (WorkerId::new(0), WorkerId::new(1));
        for n in [1, 2, 61, 62, 63, 64, 65, 200] {
            let all = if n > NARROW { 0 } else { (1 << n) - 1 };
            let mut waits = Waits::new(2, Arc::default());
            // Takes the first of the wider places.
            waits.cross(other, 100);
            for _ in 0..2 {
                let mut places: Vec<_> = (0..n).chain([0, n - 1]).collect();
                places.retain(|place| waits.satisfy(worker, *place, all, |crossed| crossed == n));
                assert_eq!(places, [n - 1], "of {n}");
                assert!(!waits.mark_due(worker), "it is marked");
                waits.reset(worker, true);
            }
            assert!(waits.is_crossed(other, 100) && !waits.is_crossed(other, 0));
        }
    }
}
