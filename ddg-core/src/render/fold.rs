//! Folding: a large group of alike workers is drawn as a few of them and "… and 288 more".
//!
//! Two workers are alike if they look alike, contain alike workers, and their arrows connect them
//! to alike workers. Of a long chain of workers that look alike, the middle is folded.

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::picture::{Edge, EdgeKind, Node, NodeIdx, Picture};

/// Number of arrows that are followed to compare the surroundings of two workers.
const FURTHEST: usize = 8;

/// Folds the picture to at most `most` workers of each kind and one node that stands for the rest.
pub(super) fn folded(picture: &Picture, most: usize) -> Picture {
    // Chains come first: in the middle of a long chain the ends are further away than `FURTHEST`,
    // so the comparison below would find all of its workers alike.
    let mut fold = Fold::new(picture);
    for chain in chains(picture) {
        // Folding one worker would save nothing, because the node that stands for it takes its
        // place.
        if chain.len() > 2 * most + 1 {
            fold.hide(picture, &chain[most..chain.len() - most]);
        }
    }
    let picture = fold.of(picture);
    let mut alike: FxIndexMap<usize, Vec<NodeIdx>> = FxIndexMap::default();
    for (idx, colour) in colours(&picture).into_iter().enumerate() {
        alike.entry(colour).or_default().push(idx);
    }
    let mut fold = Fold::new(&picture);
    for group in alike.values().filter(|group| group.len() > most + 1) {
        fold.hide(&picture, &group[most..]);
    }
    fold.of(&picture)
}

type FxIndexMap<K, V> = IndexMap<K, V, FxBuildHasher>;

/// The workers to fold, each with the first worker of its group.
struct Fold {
    into: Vec<NodeIdx>,
    n_hidden: FxHashMap<NodeIdx, usize>,
}

impl Fold {
    fn new(picture: &Picture) -> Self {
        Self { into: (0..picture.nodes.len()).collect(), n_hidden: FxHashMap::default() }
    }

    /// Folds `nodes` into the first of them.
    fn hide(&mut self, picture: &Picture, nodes: &[NodeIdx]) {
        let first = nodes[0];
        nodes.iter().for_each(|node| self.into[*node] = first);
        let n_hidden = nodes.iter().map(|node| picture.nodes[*node].folded.unwrap_or(1)).sum();
        self.n_hidden.insert(first, n_hidden);
    }

    fn is_folded(&self, node: NodeIdx) -> bool {
        self.into[node] != node || self.n_hidden.contains_key(&node)
    }

    fn of(&self, picture: &Picture) -> Picture {
        let mut folded = Picture::new(&picture.title, picture.of);
        let mut places: Vec<Option<NodeIdx>> = vec![None; picture.nodes.len()];
        for (idx, node) in picture.nodes.iter().enumerate() {
            let n_hidden = self.n_hidden.get(&idx).copied().or(node.folded);
            // The content of a folded automa is hidden with it. Parents come before their children
            // in `nodes`, so the place of the parent is known here.
            let inside = match node.inside {
                Some(automa) if self.is_folded(automa) => continue,
                Some(automa) => match places[automa] {
                    Some(automa) => Some(automa),
                    None => continue,
                },
                None => None,
            };
            if self.into[idx] == idx {
                places[idx] = Some(folded.add(Node { inside, folded: n_hidden, ..node.clone() }));
            }
        }
        let mut known: FxHashMap<(NodeIdx, NodeIdx, u8), usize> = FxHashMap::default();
        for edge in &picture.edges {
            let (from, to) = (self.into[edge.from], self.into[edge.to]);
            let (Some(new_from), Some(new_to)) = (places[from], places[to]) else { continue };
            if from == to && edge.from != edge.to {
                continue;
            }
            let at = *known.entry((new_from, new_to, edge.kind.class())).or_insert_with(|| {
                let kind =
                    if let EdgeKind::Ferry(_) = edge.kind { EdgeKind::Ferry(0) } else { edge.kind };
                folded.edges.push(Edge { from: new_from, to: new_to, kind });
                folded.edges.len() - 1
            });
            if let (EdgeKind::Ferry(sum), EdgeKind::Ferry(n)) =
                (&mut folded.edges[at].kind, edge.kind)
            {
                *sum += n;
            }
        }
        folded
    }
}

/// Gives equal values the same number.
struct Interner<T>(FxHashMap<T, usize>);

impl<T: Eq + std::hash::Hash> Interner<T> {
    fn new() -> Self {
        Self(FxHashMap::default())
    }

    fn number(&mut self, of: T) -> usize {
        let next = self.0.len();
        *self.0.entry(of).or_insert(next)
    }
}

/// What a reader sees of a worker apart from its key, packed for comparison.
fn look(node: &Node) -> [usize; 3] {
    let flags = [node.start, node.output, node.failed, node.context, node.awaits_ferry];
    let flags = flags.iter().fold(0, |bits, flag| bits << 1 | usize::from(*flag));
    [flags, node.standing as usize, node.folded.unwrap_or_default()]
}

/// Gives each worker a number; workers of one automa that are alike have the same number.
///
/// The numbers start from the looks and are refined by those of the neighbours, round by round, as
/// in the refinement of colours that tests graphs for isomorphism.
fn colours(picture: &Picture) -> Vec<usize> {
    let contents = contents(picture);
    let mut first = Interner::new();
    let nodes = picture.nodes.iter().zip(&contents);
    let mut colours: Vec<_> =
        nodes.map(|(node, content)| first.number((node.inside, look(node), *content))).collect();
    let mut n_colours = first.0.len();
    for _ in 0..FURTHEST {
        let mut around: Vec<Vec<(usize, u8, bool)>> = vec![Vec::new(); colours.len()];
        for edge in &picture.edges {
            let kind = edge.kind.class();
            around[edge.from].push((colours[edge.to], kind, true));
            around[edge.to].push((colours[edge.from], kind, false));
        }
        let mut finer = Interner::new();
        let next = around.into_iter().zip(&colours).map(|(mut around, colour)| {
            around.sort_unstable();
            // Two arrows to alike workers look the same as three.
            around.dedup();
            finer.number((*colour, around))
        });
        colours = next.collect();
        // No colour was split in this round, so none will be in later ones.
        if finer.0.len() == n_colours {
            break;
        }
        n_colours = finer.0.len();
    }
    colours
}

/// Gives each worker a number for what it contains; automata with the same content have the same
/// one.
fn contents(picture: &Picture) -> Vec<usize> {
    let (_, children) = picture.children();
    let mut place = vec![0; picture.nodes.len()];
    for workers in &children {
        workers.iter().enumerate().for_each(|(at, worker)| place[*worker] = at);
    }
    let mut arrows: Vec<Vec<(usize, usize, u8)>> = vec![Vec::new(); picture.nodes.len()];
    for edge in &picture.edges {
        if let Some(automa) = picture.nodes[edge.to].inside {
            arrows[automa].push((place[edge.from], place[edge.to], edge.kind.class()));
        }
    }
    let mut interner = Interner::new();
    let mut contents = vec![0; picture.nodes.len()];
    // Parents come before their children in `nodes`, so the reverse order visits the children
    // first.
    for idx in (0..picture.nodes.len()).rev() {
        let workers = children[idx].iter();
        let workers: Vec<_> =
            workers.map(|worker| (look(&picture.nodes[*worker]), contents[*worker])).collect();
        contents[idx] = interner.number((workers, std::mem::take(&mut arrows[idx])));
    }
    contents
}

/// Finds the chains of workers that look alike, in which each worker has one successor and the
/// successor has no other predecessor.
fn chains(picture: &Picture) -> Vec<Vec<NodeIdx>> {
    let n_nodes = picture.nodes.len();
    let (mut n_in, mut n_out) = (vec![0_usize; n_nodes], vec![0_usize; n_nodes]);
    let (mut next, mut has_previous) = (vec![None; n_nodes], vec![false; n_nodes]);
    for edge in &picture.edges {
        n_out[edge.from] += 1;
        n_in[edge.to] += 1;
    }
    let contents = contents(picture);
    let alike = |one: NodeIdx, other: NodeIdx| {
        let (a, b) = (&picture.nodes[one], &picture.nodes[other]);
        a.inside == b.inside && look(a) == look(b) && contents[one] == contents[other]
    };
    for &Edge { from, to, .. } in &picture.edges {
        if n_out[from] == 1 && n_in[to] == 1 && from != to && alike(from, to) {
            next[from] = Some(to);
            has_previous[to] = true;
        }
    }
    let begins = (0..n_nodes).filter(|node| next[*node].is_some() && !has_previous[*node]);
    begins.map(|begin| std::iter::successors(Some(begin), |node| next[*node]).collect()).collect()
}
