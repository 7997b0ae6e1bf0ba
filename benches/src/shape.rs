//! Graphs that do not change while they run, as plain vectors: the same for every engine.

use std::time::Duration;

use crate::dice::Dice;

/// A graph of workers. Its workers are numbered from 0, and depend on smaller numbers only.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The name of the workload.
    pub name: &'static str,
    /// What grows from one size of the workload to the next.
    pub size: usize,
    /// For each worker, those it depends on.
    pub dependencies: Vec<Vec<usize>>,
    /// For each worker, what it does when it runs.
    pub work: Vec<Work>,
    /// What travels along the dependencies.
    pub carries: Carries,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing; it ends when it is polled first.
    Nothing,
    /// It yields once, so that it can't end where it is started.
    Yield,
    /// It computes for about a millisecond; see [`compute`](crate::work::compute).
    Compute,
    /// It sleeps.
    Sleep(Duration),
}

/// What travels along the dependencies of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Nothing: they only say who runs after whom.
    Nothing,
    /// Each worker gives a `u64` and reads those of all that it depends on as one list.
    Numbers,
}

impl Shape {
    /// `n` workers in a row.
    pub fn chain(n: usize) -> Self {
        Self::of("chain", n, (0..n).map(|worker| worker.checked_sub(1).into_iter().collect()))
    }

    /// One worker, `width` after it, one after those.
    pub fn fan(width: usize) -> Self {
        let middle = (0..width).map(|_| vec![0]);
        let dependencies = [vec![]].into_iter().chain(middle).chain([(1..=width).collect()]);
        Self::of("fan", width, dependencies)
    }

    /// `rounds` fans of `width`, one after the other.
    pub fn fans(rounds: usize, width: usize) -> Self {
        let one = width + 2;
        let before = |worker: usize| match worker % one {
            0 => worker.checked_sub(1).into_iter().collect(),
            last if last == one - 1 => (worker - width..worker).collect(),
            middle => vec![worker - middle],
        };
        Self::of("fans", width, (0..rounds * one).map(before))
    }

    /// A binary tree of `n` workers.
    pub fn tree(n: usize) -> Self {
        let parent = |worker: usize| worker.checked_sub(1).map(|worker| worker / 2);
        Self::of("tree", n, (0..n).map(|worker| parent(worker).into_iter().collect()))
    }

    /// Layers of workers, each of which depends on all of the layer before.
    pub fn layers(layers: usize, width: usize) -> Self {
        let before = |layer: usize| match layer {
            0 => vec![],
            _ => ((layer - 1) * width..layer * width).collect(),
        };
        Self::of("layers", layers * width, (0..layers * width).map(|worker| before(worker / width)))
    }

    /// `branches` chains of `length` workers, one beside the other.
    pub fn branches(branches: usize, length: usize) -> Self {
        let before = |worker: usize| match worker % length {
            0 => vec![],
            _ => vec![worker - 1],
        };
        Self::of("branches", branches, (0..branches * length).map(before))
    }

    /// `n` workers of which all but the first depend on `each` earlier ones, chosen at random (the
    /// first few on as many as there are).
    pub fn random(n: usize, each: usize) -> Self {
        let mut dice = Dice::new(7);
        let dependencies = (0..n).map(|worker| {
            let mut chosen = Vec::with_capacity(each);
            while chosen.len() < each.min(worker) {
                let other = dice.below(worker);
                if !chosen.contains(&other) {
                    chosen.push(other);
                }
            }
            chosen
        });
        Self::of("random", n, dependencies)
    }

    /// The same, whose workers each read all the numbers that they depend on.
    #[must_use]
    pub fn reading(self) -> Self {
        Self { carries: Carries::Numbers, ..self }
    }

    /// The same under another name, whose workers do what `work` says.
    #[must_use]
    pub fn doing(self, name: &'static str, work: impl Fn(usize) -> Work) -> Self {
        let work = (0..self.n_workers()).map(work).collect();
        Self { name, work, ..self }
    }

    /// How many workers there are.
    pub fn n_workers(&self) -> usize {
        self.dependencies.len()
    }

    /// Whether any of its workers does `work` of this sort.
    pub fn does(&self, work: impl Fn(Work) -> bool) -> bool {
        self.work.iter().any(|done| work(*done))
    }

    fn of(
        name: &'static str,
        size: usize,
        dependencies: impl IntoIterator<Item = Vec<usize>>,
    ) -> Self {
        let dependencies: Vec<_> = dependencies.into_iter().collect();
        let work = vec![Work::Nothing; dependencies.len()];
        Self { name, size, dependencies, work, carries: Carries::Nothing }
    }
}
