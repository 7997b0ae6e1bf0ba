//! The picture that all writers draw: workers within workers, and arrows between them.

use rustc_hash::FxHashMap;

use crate::key::Key;

/// The index of a node in its picture.
pub(super) type NodeIdx = usize;

#[derive(Clone)]
pub(super) struct Picture {
    /// The name of the automa.
    pub(super) title: String,
    pub(super) of: Of,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    index: FxHashMap<(Option<NodeIdx>, Key), NodeIdx>,
}

/// Which graph is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Declared,
    /// The graph at the end of a run.
    Grown,
}

/// A worker.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) key: Key,
    /// The nested automa that contains the worker.
    pub(super) inside: Option<NodeIdx>,
    pub(super) start: bool,
    pub(super) output: bool,
    pub(super) standing: Standing,
    /// Whether the last kickoff of the worker failed.
    pub(super) failed: bool,
    /// Whether the worker takes the context, and so may ferry to workers and add them.
    pub(super) context: bool,
    /// Whether the worker runs only after a ferry, and no arrow shows who may ferry to it.
    pub(super) awaits_ferry: bool,
    /// Number of workers that the node stands for, if it stands for a folded group.
    pub(super) folded: Option<usize>,
}

/// The state of a worker in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    Declared,
    /// Added by a run.
    Added,
    /// Removed by the run after it had run.
    Removed,
    /// Declared, to be placed at run time.
    Detached,
    /// Named as a dependency, but not in the graph.
    Missing,
}

#[derive(Clone)]
pub(super) struct Edge {
    pub(super) from: NodeIdx,
    pub(super) to: NodeIdx,
    pub(super) kind: EdgeKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EdgeKind {
    Dependency,
    /// A dependency that a run removed while both of its workers stayed.
    Removed,
    /// A ferry, with the number of times it was taken.
    Ferry(u64),
    /// A possible ferry: the target waits for one, and this worker could ferry to it.
    MayFerry,
    /// A possible placement: the target is placed at run time, and this worker could place it.
    MayPlace,
}

impl Picture {
    pub(super) fn new(title: &str, of: Of) -> Self {
        Self {
            title: title.to_owned(),
            of,
            nodes: Vec::new(),
            edges: Vec::new(),
            index: FxHashMap::default(),
        }
    }

    /// Adds a node. If a key occurs twice, the key refers to the first node.
    pub(super) fn add(&mut self, node: Node) -> NodeIdx {
        let idx = self.nodes.len();
        self.index.entry((node.inside, node.key.clone())).or_insert(idx);
        self.nodes.push(node);
        idx
    }

    pub(super) fn find(&self, inside: Option<NodeIdx>, key: &Key) -> Option<NodeIdx> {
        self.index.get(&(inside, key.clone())).copied()
    }

    /// Finds the worker `key`, or adds one that is drawn as missing.
    pub(super) fn find_or_miss(&mut self, inside: Option<NodeIdx>, key: &Key) -> NodeIdx {
        let missing = || Node::new(key.clone(), inside, Standing::Missing);
        self.find(inside, key).unwrap_or_else(|| self.add(missing()))
    }

    /// The children of the outermost automa, and those of each node.
    pub(super) fn children(&self) -> (Vec<NodeIdx>, Vec<Vec<NodeIdx>>) {
        let mut outermost = Vec::new();
        let mut children: Vec<Vec<NodeIdx>> = vec![Vec::new(); self.nodes.len()];
        for (idx, node) in self.nodes.iter().enumerate() {
            match node.inside {
                Some(automa) => children[automa].push(idx),
                None => outermost.push(idx),
            }
        }
        (outermost, children)
    }

    /// The order in which nodes are written: the content of an automa between its start and its
    /// end.
    ///
    /// The traversal is not recursive, because automata nest to any depth.
    pub(super) fn visits(&self) -> Vec<Visit> {
        let (outermost, children) = self.children();
        let mut todo: Vec<_> = outermost.into_iter().rev().map(|idx| (idx, false)).collect();
        let mut visits = Vec::with_capacity(self.nodes.len());
        while let Some((idx, is_over)) = todo.pop() {
            if is_over {
                visits.push(Visit::End);
            } else if children[idx].is_empty() {
                visits.push(Visit::Worker(idx));
            } else {
                visits.push(Visit::Automa(idx));
                todo.push((idx, true));
                todo.extend(children[idx].iter().rev().map(|child| (*child, false)));
            }
        }
        visits
    }
}

/// One stop of the traversal.
pub(super) enum Visit {
    Worker(NodeIdx),
    /// Start of a nested automa. An automa without workers is visited as a worker.
    Automa(NodeIdx),
    /// End of the automa that started last.
    End,
}

impl Node {
    pub(super) fn new(key: Key, inside: Option<NodeIdx>, standing: Standing) -> Self {
        Self {
            key,
            inside,
            start: false,
            output: false,
            standing,
            failed: false,
            context: false,
            awaits_ferry: false,
            folded: None,
        }
    }

    /// Whether the node is dashed, as something that is not or no longer in the graph.
    pub(super) fn is_dashed(&self) -> bool {
        match self.standing {
            Standing::Declared | Standing::Added => false,
            Standing::Removed | Standing::Detached | Standing::Missing => true,
        }
    }

    /// The lines of the label: the key, then remarks.
    pub(super) fn label(&self) -> Vec<String> {
        let mut lines = match self.folded {
            Some(n_more) => vec![format!("… and {n_more} more")],
            None => super::caption::lines(self.key.as_str()),
        };
        let remark = match self.standing {
            Standing::Declared => None,
            Standing::Added => {
                if self.folded.is_none() {
                    lines[0].insert_str(0, "+ ");
                }
                None
            }
            Standing::Removed => Some("removed"),
            Standing::Detached => Some("not placed"),
            Standing::Missing => Some("missing"),
        };
        lines.extend(remark.map(str::to_owned));
        lines.extend(self.awaits_ferry.then(|| "by ferry".to_owned()));
        lines.extend(self.failed.then(|| "failed".to_owned()));
        lines
    }
}

impl EdgeKind {
    /// A number for the kind of the edge, without its count.
    pub(super) fn class(self) -> u8 {
        match self {
            Self::Dependency => 0,
            Self::Removed => 1,
            Self::Ferry(_) => 2,
            Self::MayFerry => 3,
            Self::MayPlace => 4,
        }
    }

    /// The text on the arrow.
    pub(super) fn label(self) -> Option<String> {
        match self {
            Self::Dependency => None,
            Self::Removed => Some("removed".to_owned()),
            Self::MayFerry => Some("may ferry".to_owned()),
            Self::MayPlace => Some("may place".to_owned()),
            Self::Ferry(1) => Some("ferry".to_owned()),
            Self::Ferry(n_times) => Some(format!("ferry ×{n_times}")),
        }
    }
}
