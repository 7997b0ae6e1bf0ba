//! Layout of a picture: the direction, and how far alike workers are folded, so that it fits a
//! screen.

use std::borrow::Cow;

use super::fold::folded;
use super::picture::{EdgeKind, NodeIdx, Picture};

/// The size of a screen in pixels. Larger pictures have to be scrolled or shrunk until they are
/// unreadable.
const SCREEN: Size = Size { width: 1900.0, height: 1100.0 };

/// Maximum numbers of alike workers, tried in this order until the picture fits.
const MOST_ALIKE: [usize; 4] = [12, 8, 5, 3];

/// Space between workers in a rank, and between ranks.
const BESIDE: f64 = 40.0;
const BETWEEN: f64 = 56.0;
/// Space around the content of an automa.
const PADDING: f64 = 48.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Ranks from top to bottom.
    Down,
    /// Ranks from left to right.
    Right,
}

impl Direction {
    /// The name of the direction in Mermaid and in DOT.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Down => "TD",
            Self::Right => "LR",
        }
    }
}

/// Folds the picture until it fits a screen, if `folds`, and chooses the better direction.
pub(super) fn fit(picture: &Picture, folds: bool) -> (Cow<'_, Picture>, Direction) {
    let (excess, direction) = best(picture);
    if excess <= 1.0 || !folds {
        return (Cow::Borrowed(picture), direction);
    }
    let mut smallest = (Cow::Borrowed(picture), direction);
    let mut least = excess;
    for most in MOST_ALIKE {
        let smaller = folded(picture, most);
        let (excess, direction) = best(&smaller);
        if excess < least {
            smallest = (Cow::Owned(smaller), direction);
            least = excess;
        }
        if least <= 1.0 {
            break;
        }
    }
    smallest
}

/// The better direction, and the factor by which the picture exceeds the screen in it.
fn best(picture: &Picture) -> (f64, Direction) {
    let down = size(picture, Direction::Down).excess();
    let right = size(picture, Direction::Right).excess();
    if down <= 1.0 || down <= right { (down, Direction::Down) } else { (right, Direction::Right) }
}

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    width: f64,
    height: f64,
}

impl Size {
    fn excess(self) -> f64 {
        (self.width / SCREEN.width).max(self.height / SCREEN.height)
    }
}

/// Estimates the size of the drawn picture.
fn size(picture: &Picture, direction: Direction) -> Size {
    let (outermost, children) = picture.children();
    let ranks = ranks(picture);
    let mut sizes: Vec<Size> = vec![Size::default(); picture.nodes.len()];
    // Parents come before their children in `nodes`, so the reverse order visits the children
    // first.
    for idx in (0..picture.nodes.len()).rev() {
        let label = picture.nodes[idx].label();
        let longest = label.iter().map(|line| line.chars().count()).max().unwrap_or_default();
        let own =
            Size { width: longest as f64 * 8.0 + 36.0, height: label.len() as f64 * 20.0 + 24.0 };
        sizes[idx] = if children[idx].is_empty() {
            own
        } else {
            let inner = stacked(&children[idx], &ranks, &sizes, direction);
            let height = inner.height + PADDING + own.height - 24.0;
            Size { width: (inner.width + PADDING).max(own.width), height }
        };
    }
    stacked(&outermost, &ranks, &sizes, direction)
}

/// The size of workers arranged in their ranks.
fn stacked(workers: &[NodeIdx], ranks: &[usize], sizes: &[Size], direction: Direction) -> Size {
    let n_ranks = workers.iter().map(|worker| ranks[*worker] + 1).max().unwrap_or_default();
    // For each rank, its extent along the arrows and across them.
    let mut of_ranks = vec![(0.0_f64, 0.0_f64); n_ranks];
    for &worker in workers {
        let Size { width, height } = sizes[worker];
        let (along, across) = match direction {
            Direction::Down => (height, width),
            Direction::Right => (width, height),
        };
        let rank = &mut of_ranks[ranks[worker]];
        *rank = (rank.0.max(along), rank.1 + across + BESIDE);
    }
    let along: f64 = of_ranks.iter().map(|(along, _)| along + BETWEEN).sum();
    let across = of_ranks.iter().map(|(_, across)| *across).fold(0.0, f64::max);
    match direction {
        Direction::Down => Size { width: across, height: along },
        Direction::Right => Size { width: along, height: across },
    }
}

/// Puts each worker one rank below the lowest of its predecessors in the same automa. Ferries count
/// only where no dependency leads to a worker; arrows that close a cycle do not count.
fn ranks(picture: &Picture) -> Vec<usize> {
    let n_nodes = picture.nodes.len();
    let mut depends = vec![false; n_nodes];
    for edge in picture.edges.iter().filter(|edge| edge.kind == EdgeKind::Dependency) {
        depends[edge.to] |= edge.from != edge.to;
    }
    let mut after: Vec<Vec<NodeIdx>> = vec![Vec::new(); n_nodes];
    let mut n_before = vec![0_usize; n_nodes];
    for edge in &picture.edges {
        let counts = edge.kind == EdgeKind::Dependency
            || (!depends[edge.to] && !picture.nodes[edge.to].start && edge.from < edge.to);
        if counts && edge.from != edge.to {
            after[edge.from].push(edge.to);
            n_before[edge.to] += 1;
        }
    }
    let mut ranks = vec![0; n_nodes];
    let mut ready: Vec<_> = (0..n_nodes).filter(|node| n_before[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for &next in &after[node] {
            ranks[next] = ranks[next].max(ranks[node] + 1);
            n_before[next] -= 1;
            if n_before[next] == 0 {
                ready.push(next);
            }
        }
    }
    ranks
}
