//! Writes a picture in the DOT language.

use std::fmt::Write;

use super::caption;
use super::layout::Direction;
use super::picture::{Edge, EdgeKind, Node, NodeIdx, Picture, Standing, Visit};

/// Maximum depth of nesting that is indented. Deeper levels stay at this indentation, so that the
/// text does not grow with the square of the depth.
const MOST_INDENTED: usize = 16;

/// Fill colours are light and carry dark text; lines and borders are readable on light and on dark,
/// because DOT does not know the background that it is shown on.
const GREEN: &str = "#43a047";
const BLUE: &str = "#1e88e5";
const ORANGE: &str = "#ef6c00";
const RED: &str = "#e53935";
const GREY: &str = "#8a8f98";

pub(super) fn write(picture: &Picture, direction: Direction) -> String {
    let mut text = String::new();
    let title = escape(&caption::one_line(&picture.title));
    put(&mut text, format_args!("digraph \"{title}\" {{\n"));
    if !title.is_empty() {
        put(&mut text, format_args!("    label=\"{title}\" labelloc=t\n"));
    }
    put(&mut text, format_args!("    rankdir={} compound=true ranksep=0.6", direction.dot()));
    text.push_str(
        " bgcolor=\"transparent\" fontname=\"Helvetica,Arial,sans-serif\" fontcolor=\"#8a8f98\"\n    \
         node [shape=box style=\"rounded,filled\" fontname=\"Helvetica,Arial,sans-serif\"",
    );
    put(
        &mut text,
        format_args!(" color=\"{GREY}\" fillcolor=\"#f6f8fa\" fontcolor=\"#1f2328\"]\n"),
    );
    text.push_str("    edge [fontname=\"Helvetica,Arial,sans-serif\" fontsize=11");
    put(&mut text, format_args!(" color=\"{GREY}\" fontcolor=\"{GREY}\"]\n"));
    let visits = picture.visits();
    let mut depth = 1;
    for visit in &visits {
        depth -= usize::from(matches!(visit, Visit::End));
        let indent = "    ".repeat(depth.min(MOST_INDENTED));
        match visit {
            Visit::Worker(idx) => {
                let node = &picture.nodes[*idx];
                let (label, look) = (label(node), worker_look(node));
                put(&mut text, format_args!("{indent}n{idx} [label=\"{label}\"{look}]\n"));
            }
            Visit::Automa(idx) => {
                let node = &picture.nodes[*idx];
                let (label, look) = (label(node), automa_look(node));
                put(&mut text, format_args!("{indent}subgraph cluster_{idx} {{\n"));
                put(&mut text, format_args!("{indent}    label=\"{label}\"{look}\n"));
                depth += 1;
            }
            Visit::End => put(&mut text, format_args!("{indent}}}\n")),
        }
    }
    let doors = Doors::of(picture, &visits);
    for edge in &picture.edges {
        write_edge(&mut text, edge, &doors);
    }
    text.push_str("}\n");
    text
}

/// For each automa, a worker at which arrows enter and one at which they leave. DOT has no arrow to
/// a cluster, only one to a worker in it that is clipped at the border of the cluster.
struct Doors {
    /// The entry and exit of each node; a worker is its own entry and exit.
    of: Vec<(NodeIdx, NodeIdx)>,
}

impl Doors {
    fn of(picture: &Picture, visits: &[Visit]) -> Self {
        let nodes = &picture.nodes;
        let mut of: Vec<_> = (0..nodes.len()).map(|idx| (idx, idx)).collect();
        // The automata that are open, each with the entry and the exit found so far.
        let mut open: Vec<(NodeIdx, Option<NodeIdx>, Option<NodeIdx>)> = Vec::new();
        for visit in visits {
            let idx = match visit {
                Visit::Automa(idx) => {
                    open.push((*idx, None, None));
                    continue;
                }
                Visit::Worker(idx) => *idx,
                Visit::End => {
                    let (idx, way_in, way_out) = open.pop().expect("what ends has begun");
                    let (way_in, way_out) = (way_in.unwrap_or(idx), way_out.unwrap_or(idx));
                    of[idx] = (of[way_in].0, of[way_out].1);
                    idx
                }
            };
            if let Some((_, way_in, way_out)) = open.last_mut() {
                if way_in.is_none_or(|found| nodes[idx].start && !nodes[found].start) {
                    *way_in = Some(idx);
                }
                if way_out.is_none_or(|found| nodes[idx].output || !nodes[found].output) {
                    *way_out = Some(idx);
                }
            }
        }
        Self { of }
    }
}

fn write_edge(text: &mut String, edge: &Edge, doors: &Doors) {
    let (from, to) = (doors.of[edge.from].1, doors.of[edge.to].0);
    let mut look = Vec::new();
    if edge.from != edge.to {
        look.extend((from != edge.from).then(|| format!("ltail=cluster_{}", edge.from)));
        // One rank more, because the border of the cluster and its label take the room of one.
        look.extend((to != edge.to).then(|| format!("lhead=cluster_{} minlen=2", edge.to)));
    }
    match edge.kind {
        EdgeKind::Dependency => {}
        EdgeKind::Ferry(_) => look.push("style=dashed".to_owned()),
        EdgeKind::Removed | EdgeKind::MayFerry | EdgeKind::MayPlace => {
            look.push("style=dotted".to_owned());
        }
    }
    look.extend(edge.kind.label().map(|label| format!("label=\" {label}\"")));
    let look = if look.is_empty() { String::new() } else { format!(" [{}]", look.join(" ")) };
    put(text, format_args!("    n{from} -> n{to}{look}\n"));
}

fn worker_look(node: &Node) -> String {
    let mut look = String::new();
    look.push_str(if node.start { " shape=oval" } else { "" });
    look.push_str(if node.output { " peripheries=2" } else { "" });
    if node.is_dashed() {
        look.push_str(" style=\"rounded,filled,dashed\" fillcolor=\"#d8dde3\"");
    }
    let colour = colour(node);
    if colour != GREY {
        look.push_str(&format!(" color=\"{colour}\" penwidth=2"));
    }
    look
}

/// Writes every attribute, because a cluster inherits from the one around it what is left out.
fn automa_look(node: &Node) -> String {
    let style = if node.is_dashed() { "\"rounded,dashed\"" } else { "rounded" };
    let width = if node.output { 3 } else { 1 };
    format!(" style={style} penwidth={width} color=\"{}\" fontcolor=\"{GREY}\"", colour(node))
}

fn colour(node: &Node) -> &'static str {
    match node.standing {
        _ if node.failed => RED,
        Standing::Declared if node.output => BLUE,
        Standing::Declared if node.start => GREEN,
        Standing::Added => ORANGE,
        Standing::Declared | Standing::Removed | Standing::Detached => GREY,
        Standing::Missing => RED,
    }
}

impl Direction {
    fn dot(self) -> &'static str {
        match self {
            Self::Down => "TB",
            Self::Right => "LR",
        }
    }
}

fn label(node: &Node) -> String {
    node.label().iter().map(|line| escape(line)).collect::<Vec<_>>().join("\\n")
}

/// Escapes text for a quoted string: DOT reads `\` escapes and HTML entities there.
fn escape(line: &str) -> String {
    line.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes whatever is written");
}
