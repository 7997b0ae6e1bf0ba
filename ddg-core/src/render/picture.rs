//! What is drawn, whatever the language: workers within workers, and arrows between them.

use rustc_hash::FxHashMap;

use crate::key::Key;

/// A node's place in the picture.
pub(super) type NodeIdx = usize;

#[derive(Clone)]
pub(super) struct Picture {
    /// The automa's name.
    pub(super) title: String,
    pub(super) of: Of,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    index: FxHashMap<(Option<NodeIdx>, Key), NodeIdx>,
}

/// Which graph is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Declared,
    /// As a run has left it.
    Grown,
}

/// A worker.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) key: Key,
    /// The nested automa that it is in.
    pub(super) inside: Option<NodeIdx>,
    pub(super) start: bool,
    pub(super) output: bool,
    pub(super) standing: Standing,
    /// Whether it failed when it last ran.
    pub(super) failed: bool,
    /// Whether it takes the context, and so may ferry and add workers.
    pub(super) context: bool,
    /// Whether it runs only if somebody ferries to it, and nobody is drawn who does.
    pub(super) awaits_ferry: bool,
    /// How many workers it stands for, where it stands for some that are like others.
    pub(super) folded: Option<usize>,
}

/// How a worker came to be in the graph, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    Declared,
    /// By a run.
    Added,
    /// By the run; it had run before.
    Removed,
    /// Declared to be placed at run time.
    Detached,
    /// Somebody depends on it, but it is not there.
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
    /// A dependency that a run has had and removed; both workers are still there.
    Removed,
    /// Taken this often.
    Ferry(u64),
    /// Nobody knows who will ferry to the worker, but this one could.
    MayFerry,
    /// The worker is placed at run time, which this one could do.
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

    /// Adds a worker; if two have one key, the first is meant by it.
    pub(super) fn add(&mut self, node: Node) -> NodeIdx {
        let idx = self.nodes.len();
        self.index.entry((node.inside, node.key.clone())).or_insert(idx);
        self.nodes.push(node);
        idx
    }

    pub(super) fn find(&self, inside: Option<NodeIdx>, key: &Key) -> Option<NodeIdx> {
        self.index.get(&(inside, key.clone())).copied()
    }

    /// The worker called `key`, drawn as missing if there is none.
    pub(super) fn find_or_miss(&mut self, inside: Option<NodeIdx>, key: &Key) -> NodeIdx {
        let missing = || Node::new(key.clone(), inside, Standing::Missing);
        self.find(inside, key).unwrap_or_else(|| self.add(missing()))
    }

    /// The nodes of each automa: the outermost first, then those in each node.
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

    /// The order in which nodes are written: those in an automa between its beginning and its end.
    ///
    /// Without recursion, since automata nest to any depth.
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

/// A step on the way through all nodes.
pub(super) enum Visit {
    Worker(NodeIdx),
    /// A nested automa begins; one without workers is drawn as a worker.
    Automa(NodeIdx),
    /// The automa that began last ends.
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

    /// Whether it is drawn as something that is not, or no longer, there.
    pub(super) fn is_dashed(&self) -> bool {
        match self.standing {
            Standing::Declared | Standing::Added => false,
            Standing::Removed | Standing::Detached | Standing::Missing => true,
        }
    }

    /// What is written on it, in lines: its key, and what is to be said of it.
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
    /// The same, whatever was counted.
    pub(super) fn class(self) -> u8 {
        match self {
            Self::Dependency => 0,
            Self::Removed => 1,
            Self::Ferry(_) => 2,
            Self::MayFerry => 3,
            Self::MayPlace => 4,
        }
    }

    /// What is written on it.
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
