//! The graph and its edits.

use std::collections::BTreeSet;
use std::fmt;

use super::{Ask, Kind, Mapping, Worker, joined};

/// Workers in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) workers: Vec<Placed>,
    n_placed: usize,
}

/// A worker in a graph. One that is removed and added again is another one.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) id: usize,
    pub(crate) worker: Worker,
}

impl Graph {
    pub(crate) fn new(workers: impl IntoIterator<Item = Worker>) -> Self {
        let mut graph = Self::default();
        workers.into_iter().for_each(|worker| graph.push(worker));
        graph
    }

    fn push(&mut self, worker: Worker) {
        self.workers.push(Placed { id: self.n_placed, worker });
        self.n_placed += 1;
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.workers.iter().map(|placed| placed.worker.key.clone()).collect()
    }

    pub(crate) fn find(&self, key: &str) -> Option<&Placed> {
        self.workers.iter().find(|placed| placed.worker.key == key)
    }

    fn find_mut(&mut self, key: &str) -> Option<&mut Worker> {
        self.workers.iter_mut().map(|placed| &mut placed.worker).find(|worker| worker.key == key)
    }

    /// What depends on `key`, in the order in which it was added.
    pub(crate) fn successors(&self, key: &str) -> Vec<&Placed> {
        let depends = |placed: &&Placed| placed.worker.dependencies.iter().any(|on| on == key);
        self.workers.iter().filter(depends).collect()
    }

    /// All that `key` depends on, directly or not.
    pub(crate) fn all_before(&self, key: &str) -> BTreeSet<String> {
        let mut before = BTreeSet::new();
        for on in &self.find(key).unwrap().worker.dependencies {
            before.insert(on.clone());
            before.extend(self.all_before(on));
        }
        before
    }

    /// Whether the dependencies lead round in a circle: taking away, again and again, the workers
    /// that depend on nobody who is left, does not take all of them.
    pub(crate) fn is_cyclic(&self) -> bool {
        let mut left: Vec<_> = self.workers.iter().map(|placed| &placed.worker).collect();
        loop {
            let keys: BTreeSet<_> = left.iter().map(|worker| &worker.key).collect();
            let n_left = left.len();
            left.retain(|worker| worker.dependencies.iter().any(|on| keys.contains(on)));
            if left.len() == n_left {
                return n_left > 0;
            }
        }
    }

    /// The first thing that is wrong with it.
    pub(crate) fn fault(&self) -> Option<String> {
        let keys = self.keys();
        for (place, Placed { worker, .. }) in self.workers.iter().enumerate() {
            let key = &worker.key;
            let on = &worker.dependencies;
            if keys[..place].contains(key) {
                return Some(format!("duplicate key {key}"));
            }
            if let Some(on) = on.iter().find(|on| !keys.contains(on)) {
                return Some(format!("{key} after unknown {on}"));
            }
            if on.contains(key) {
                return Some(format!("{key} after itself"));
            }
            if let Some(twice) = (1..on.len()).find(|place| on[..*place].contains(&on[*place])) {
                return Some(format!("{key} after {} twice", on[twice]));
            }
            if let Some(fault) = self.argument_fault(worker) {
                return Some(fault);
            }
        }
        self.is_cyclic().then(|| "cycle".to_owned())
    }

    /// Whether a worker's dependencies are more than it can take.
    fn argument_fault(&self, worker: &Worker) -> Option<String> {
        let key = &worker.key;
        let n = worker.dependencies.len();
        let gives = |key: &&String| self.find(key).is_some_and(|on| on.worker.kind != Kind::Silent);
        match (worker.mapping, worker.positions()) {
            (Mapping::Unpack, _) if n > 1 => Some(format!("{key} unpacks {n}")),
            (Mapping::AsIs, Some(positions))
                if worker.dependencies.iter().filter(gives).count() > positions =>
            {
                Some(format!("{key} has too many dependencies"))
            }
            _ => None,
        }
    }

    /// The graph after all `edits`: each is made in turn, but dependencies are added at the end,
    /// so that a worker may be added before the ones that it depends on.
    ///
    /// The error is the place of the first edit that cannot be made, and why not.
    pub(crate) fn edited(&self, edits: &[Ask]) -> Result<Self, (usize, String)> {
        let mut graph = self.clone();
        let mut links: Vec<(usize, &String, &String)> = Vec::new();
        for (place, edit) in edits.iter().enumerate() {
            let refuse = |why: String| Err((place, why));
            match edit {
                Ask::Ferry { .. } => {}
                Ask::Add(Worker { key, dependencies, .. }) => {
                    if graph.find(key).is_some() {
                        return refuse(format!("duplicate key {key}"));
                    }
                    let Ask::Add(worker) = edit else { continue };
                    graph.push(Worker { dependencies: Vec::new(), ..worker.clone() });
                    links.extend(dependencies.iter().map(|on| (place, key, on)));
                }
                Ask::Remove(key) => {
                    if graph.find(key).is_none() {
                        return refuse(format!("remove unknown {key}"));
                    }
                    graph.workers.retain(|placed| placed.worker.key != *key);
                    for placed in &mut graph.workers {
                        placed.worker.dependencies.retain(|on| on != key);
                    }
                    links.retain(|(_, worker, on)| *worker != key && *on != key);
                }
                Ask::AddDependency(worker, on) => links.push((place, worker, on)),
                Ask::RemoveDependency(key, on) => {
                    let n_links = links.len();
                    links.retain(|(_, worker, other)| *worker != key || *other != on);
                    let Some(worker) = graph.find_mut(key) else {
                        return refuse(format!("change unknown {key}"));
                    };
                    let n = worker.dependencies.len();
                    worker.dependencies.retain(|other| other != on);
                    if worker.dependencies.len() == n && links.len() == n_links {
                        return refuse(format!("{key} is not after {on}"));
                    }
                }
            }
        }
        for (place, key, on) in links {
            graph.link(key, on).map_err(|why| (place, why))?;
        }
        for (place, edit) in edits.iter().enumerate() {
            if let Ask::Add(Worker { key, .. }) = edit
                && let Some(Placed { worker, .. }) = graph.find(key)
                && let Some(fault) = graph.argument_fault(worker)
            {
                return Err((place, fault));
            }
        }
        Ok(graph)
    }

    fn link(&mut self, key: &String, on: &String) -> Result<(), String> {
        let known = self.find(on).is_some();
        let Some(worker) = self.find_mut(key) else {
            return Err(format!("change unknown {key}"));
        };
        if !known {
            return Err(format!("{key} after unknown {on}"));
        }
        if key == on {
            return Err(format!("{key} after itself"));
        }
        if worker.dependencies.contains(on) {
            return Err(format!("{key} after {on} twice"));
        }
        worker.dependencies.push(on.clone());
        if self.is_cyclic() {
            return Err("cycle".to_owned());
        }
        let worker = &self.find(key).unwrap().worker;
        self.argument_fault(worker).map_or(Ok(()), Err)
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = |Placed { worker, .. }: &Placed| match worker.dependencies.is_empty() {
            true => worker.key.clone(),
            false => format!("{} < {}", worker.key, joined(&worker.dependencies)),
        };
        f.write_str(&self.workers.iter().map(node).collect::<Vec<_>>().join("; "))
    }
}
