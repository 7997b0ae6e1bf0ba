//! Random edits of a graph, and which of them are possible.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::reference::{Ask, Graph, Kind, Mapping, Takes, Worker};

/// A change as it is drawn; the numbers choose among the keys that there are.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Add { key: usize, on: Vec<usize>, in_order: bool },
    Remove(usize),
    AddDependency(usize, usize),
    RemoveDependency(usize, usize),
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let n = || 0..1000_usize;
    prop_oneof![
        4 => (n(), vec(n(), 0..4), prop::bool::weighted(0.2))
            .prop_map(|(key, on, in_order)| Wish::Add { key, on, in_order }),
        2 => n().prop_map(Wish::Remove),
        3 => (n(), n()).prop_map(|(worker, on)| Wish::AddDependency(worker, on)),
        2 => (n(), n()).prop_map(|(worker, on)| Wish::RemoveDependency(worker, on)),
    ]
}

impl Wish {
    /// What it asks for in `graph`, where `root` stays and nobody depends on the editors.
    pub(super) fn ask(&self, graph: &Graph) -> Ask {
        let keys: Vec<_> = graph.keys().into_iter().filter(|key| !is_editor(key)).collect();
        let key = |place: &usize| match place % 40 {
            0 => "ghost".to_owned(),
            _ => keys[place % keys.len()].clone(),
        };
        match self {
            Self::Add { key: place, on, in_order } => {
                let mut on: Vec<_> = on.iter().map(key).collect();
                on.sort_unstable();
                on.dedup();
                let mut new = worker(format!("x{}", place % 8), on);
                new.in_order = *in_order;
                Ask::Add(new)
            }
            Self::Remove(place) => Ask::Remove(match key(place) {
                root if root == "root" => "ghost".to_owned(),
                key => key,
            }),
            Self::AddDependency(worker, on) => Ask::AddDependency(key(worker), key(on)),
            Self::RemoveDependency(worker, on) => {
                let worker = key(worker);
                let on = match graph.find(&worker).map(|placed| &placed.worker.dependencies) {
                    Some(there) if !there.is_empty() => there[on % there.len()].clone(),
                    _ => key(on),
                };
                Ask::RemoveDependency(worker, on)
            }
        }
    }
}

pub(super) fn is_editor(key: &str) -> bool {
    key.starts_with("editor")
}

pub(super) fn worker(key: impl Into<String>, dependencies: Vec<String>) -> Worker {
    Worker {
        key: key.into(),
        dependencies,
        start: false,
        output: false,
        mapping: Mapping::AsIs,
        in_order: false,
        after_loops: false,
        after_nobody: false,
        takes: Takes::Anything,
        kind: Kind::Own,
        plain: false,
        from: None,
    }
}

/// The editors, which run first, and `root`, to which they ferry.
pub(super) fn seedling(n_editors: usize) -> Graph {
    let editor = |place| Worker { start: true, ..worker(format!("editor{place}"), Vec::new()) };
    Graph::new((0..n_editors).map(editor).chain([worker("root", Vec::new())]))
}

/// Turns `wishes` into changes of `graph` that can be made, and makes them.
pub(super) fn granted(graph: &mut Graph, wishes: &[Wish]) -> Vec<Ask> {
    let mut asks = Vec::new();
    let before = graph.clone();
    for wish in wishes {
        asks.push(wish.ask(graph));
        match before.edited(&asks) {
            Ok(edited) => *graph = edited,
            Err(_) => _ = asks.pop(),
        }
    }
    asks
}
