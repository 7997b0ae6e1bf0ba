//! The workers that run in the next step.

use rustc_hash::FxHashSet;

use super::Cause;
use crate::args::Args;
use crate::graph::WorkerId;

/// The workers that run in the next step, in order. Most run because of their dependencies; what
/// the others were given is apart, so that a place is small.
#[derive(Default)]
pub(crate) struct ReadyList {
    places: Vec<Place>,
    given: Vec<Option<Given>>,
}

#[derive(Clone, Copy)]
struct Place {
    worker: WorkerId,
    /// The index of what it was given; `NOTHING` if it runs because of its dependencies.
    given: u32,
}

const NOTHING: u32 = u32::MAX;

/// Why a worker runs, and its arguments unless they are the outputs of its dependencies.
pub(super) struct Given {
    pub(super) cause: Cause,
    pub(super) args: Option<Args>,
}

/// A worker that runs in the next step.
pub(crate) struct Ready<'a> {
    pub(crate) worker: WorkerId,
    pub(crate) cause: &'a Cause,
    /// Its arguments, unless they are the outputs of its dependencies.
    pub(crate) args: Option<&'a Args>,
}

impl ReadyList {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds a worker whose dependencies have run.
    #[inline]
    pub(super) fn push(&mut self, worker: WorkerId) {
        self.places.push(Place { worker, given: NOTHING });
    }

    /// Adds a worker with the reason why it runs, and its arguments.
    #[inline]
    pub(crate) fn push_given(&mut self, worker: WorkerId, cause: Cause, args: Option<Args>) {
        let given = u32::try_from(self.given.len()).expect("fewer than 2^32 workers are ready");
        if self.given.capacity() == 0 {
            self.make_room();
        }
        self.given.push(Some(Given { cause, args }));
        self.places.push(Place { worker, given });
    }

    #[cold]
    fn make_room(&mut self) {
        // Many runs have one such worker at a time, and a vector would make room for four.
        self.given.reserve_exact(1);
    }

    /// Takes the only worker out, if there is just one.
    #[inline]
    pub(super) fn take_only(&mut self) -> Option<(WorkerId, Option<Given>)> {
        let [Place { worker, given }] = self.places[..] else { return None };
        self.places.clear();
        if given == NOTHING {
            return Some((worker, None));
        }
        let taken = self.given.get_mut(given as usize).and_then(Option::take);
        self.given.clear();
        Some((worker, taken))
    }

    /// Passes all workers to `take` and leaves the list empty.
    pub(super) fn drain(&mut self, mut take: impl FnMut(WorkerId, Option<Given>)) {
        for Place { worker, given } in self.places.drain(..) {
            // `NOTHING` is no index.
            take(worker, self.given.get_mut(given as usize).and_then(Option::take));
        }
        self.given.clear();
    }

    /// The workers in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Ready<'_>> {
        self.places.iter().map(|place| {
            let given = self.given.get(place.given as usize).and_then(Option::as_ref);
            Ready {
                worker: place.worker,
                cause: given.map_or(&Cause::Dependencies, |given| &given.cause),
                args: given.and_then(|given| given.args.as_ref()),
            }
        })
    }

    /// Removes the workers that are `gone`.
    pub(super) fn forget(&mut self, gone: &FxHashSet<WorkerId>) {
        let given = &mut self.given;
        self.places.retain(|place| {
            let stays = !gone.contains(&place.worker);
            if !stays && let Some(given) = given.get_mut(place.given as usize) {
                *given = None;
            }
            stays
        });
    }
}

impl Extend<WorkerId> for ReadyList {
    fn extend<T: IntoIterator<Item = WorkerId>>(&mut self, workers: T) {
        workers.into_iter().for_each(|worker| self.push(worker));
    }
}
