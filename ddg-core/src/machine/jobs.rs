//! The jobs of a step, in memory that each step uses again.

use std::ops::{Deref, DerefMut};

use super::{Cause, Effects, Hosts, Job, KickoffId};
use crate::args::Args;
use crate::graph::WorkerId;

/// The jobs of a step, in kickoff order. They are launched where they are: a job is larger than
/// what a light worker does, so moving it would cost more than the worker.
pub(crate) struct Jobs<P: Hosts> {
    /// The jobs, and after them places that earlier steps have left behind.
    places: Vec<Job<P>>,
    n: usize,
}

impl<P: Hosts> Jobs<P> {
    /// Removes all jobs, and keeps their places.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.n = 0;
    }

    /// Makes room for `n` more.
    pub(super) fn reserve(&mut self, n: usize) {
        self.places.reserve_exact((self.n + n).saturating_sub(self.places.len()));
    }

    /// Adds a job without arguments, payload or replay. The rest is as an earlier job has left it.
    #[inline(always)]
    pub(super) fn add(&mut self) -> &mut Job<P> {
        if self.n == self.places.len() {
            if self.places.capacity() == 0 {
                self.make_room();
            }
            self.places.push(Job::vacant());
        }
        self.n += 1;
        &mut self.places[self.n - 1]
    }

    #[cold]
    fn make_room(&mut self) {
        // Many runs have one job at a time, and a vector would make room for four.
        self.places.reserve_exact(1);
    }

    /// Removes the job that was added last.
    #[cold]
    pub(super) fn pop(&mut self) -> Option<Job<P>> {
        self.n = self.n.checked_sub(1)?;
        self.places.truncate(self.n + 1);
        self.places.pop()
    }

    pub(crate) fn push(&mut self, job: Job<P>) {
        *self.add() = job;
    }

    /// Moves all jobs out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Job<P>> {
        self.places.drain(..std::mem::take(&mut self.n))
    }

    /// Moves a job out. A vacant one stays in its place.
    pub(crate) fn take(&mut self, at: usize) -> Job<P> {
        std::mem::replace(&mut self[at], Job::vacant())
    }

    /// Moves those jobs out that `moves` says, of those from `first` on.
    pub(crate) fn extract(
        &mut self,
        first: usize,
        mut moves: impl FnMut(&Job<P>) -> bool,
    ) -> Vec<Job<P>> {
        let extracted: Vec<_> = self.places.extract_if(first..self.n, |job| moves(job)).collect();
        self.n -= extracted.len();
        extracted
    }

    /// Keeps those jobs that `keeps` says.
    pub(super) fn retain_mut(&mut self, keeps: impl FnMut(&mut Job<P>) -> bool) {
        self.places.truncate(self.n);
        self.places.retain_mut(keeps);
        self.n = self.places.len();
    }
}

impl<P: Hosts> Default for Jobs<P> {
    fn default() -> Self {
        Self { places: Vec::new(), n: 0 }
    }
}

impl<P: Hosts> Deref for Jobs<P> {
    type Target = [Job<P>];

    #[inline]
    fn deref(&self) -> &[Job<P>] {
        &self.places[..self.n]
    }
}

impl<P: Hosts> DerefMut for Jobs<P> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [Job<P>] {
        &mut self.places[..self.n]
    }
}

impl<P: Hosts> Job<P> {
    fn vacant() -> Self {
        Self {
            id: KickoffId(0),
            worker: WorkerId::VACANT,
            step: 0,
            payload: None,
            cause: Cause::Dependencies,
            args: Args::new(),
            effects: Effects::default(),
            replay: None,
        }
    }
}
