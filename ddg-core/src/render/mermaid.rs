//! Writes a picture as a Mermaid flowchart.

use std::fmt::Write;

use super::caption;
use super::layout::Direction;
use super::picture::{Node, NodeIdx, Picture, Standing, Visit};

/// Maximum depth of nesting that is indented. Deeper levels stay at this indentation, so that the
/// text does not grow with the square of the depth.
const MOST_INDENTED: usize = 16;

/// Classes, weakest first: where several apply, the last one wins.
///
/// Colours apply to borders only, and are readable on light and on dark. Text keeps the colour of
/// the theme.
const CLASSES: [(&str, &str); 7] = [
    ("start", "stroke:#43a047,stroke-width:2px"),
    ("output", "stroke:#1e88e5,stroke-width:3px"),
    ("added", "stroke:#ef6c00,stroke-width:2px"),
    ("detached", "stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3"),
    ("removed", "stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3"),
    ("missing", "stroke:#e53935,stroke-width:2px,stroke-dasharray:4 3"),
    ("failed", "stroke:#e53935,stroke-width:3px"),
];

/// Node ids are numbers rather than keys, so that no key collides with a word of the language.
pub(super) fn write(picture: &Picture, direction: Direction) -> String {
    let mut text = String::new();
    let title = caption::one_line(&picture.title);
    if !title.is_empty() {
        put(&mut text, format_args!("---\ntitle: \"{}\"\n---\n", yaml(&title)));
    }
    put(&mut text, format_args!("flowchart {}\n", direction.text()));
    let mut depth = 1;
    for visit in picture.visits() {
        depth -= usize::from(matches!(visit, Visit::End));
        let indent = "    ".repeat(depth.min(MOST_INDENTED));
        match visit {
            Visit::Worker(idx) => {
                let (open, close) = shape(&picture.nodes[idx]);
                let label = label(&picture.nodes[idx]);
                put(&mut text, format_args!("{indent}n{idx}{open}\"{label}\"{close}\n"));
            }
            Visit::Automa(idx) => {
                let label = label(&picture.nodes[idx]);
                put(&mut text, format_args!("{indent}subgraph n{idx} [\"{label}\"]\n"));
                depth += 1;
            }
            Visit::End => put(&mut text, format_args!("{indent}end\n")),
        }
    }
    for edge in &picture.edges {
        let (from, to) = (edge.from, edge.to);
        match edge.kind.label() {
            Some(label) => {
                put(&mut text, format_args!("    n{from} -. \"{label}\" .-> n{to}\n"));
            }
            None => put(&mut text, format_args!("    n{from} --> n{to}\n")),
        }
    }
    for (name, style) in CLASSES {
        let has = |node: &Node| classes(node).contains(&Some(name));
        let ids: Vec<_> =
            (0..picture.nodes.len()).filter(|idx| has(&picture.nodes[*idx])).collect();
        if !ids.is_empty() {
            put(&mut text, format_args!("    classDef {name} {style}\n"));
            put(&mut text, format_args!("    class {} {name}\n", list(&ids)));
        }
    }
    text
}

fn shape(node: &Node) -> (&'static str, &'static str) {
    match (node.start, node.output) {
        (true, _) => ("([", "])"),
        (false, true) => ("[[", "]]"),
        (false, false) => ("[", "]"),
    }
}

fn classes(node: &Node) -> [Option<&'static str>; 4] {
    let standing = match node.standing {
        Standing::Declared => None,
        Standing::Added => Some("added"),
        Standing::Removed => Some("removed"),
        Standing::Detached => Some("detached"),
        Standing::Missing => Some("missing"),
    };
    let given = |is: bool, class| is.then_some(class);
    [
        given(node.start, "start"),
        given(node.output, "output"),
        standing,
        given(node.failed, "failed"),
    ]
}

fn list(ids: &[NodeIdx]) -> String {
    ids.iter().map(|idx| format!("n{idx}")).collect::<Vec<_>>().join(",")
}

fn label(node: &Node) -> String {
    node.label().iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br/>")
}

/// Replaces what Mermaid would read as HTML, as Markdown or as the end of a label by entities.
fn escape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for (place, c) in line.chars().enumerate() {
        let plain = c.is_ascii_alphanumeric()
            || matches!(c, ' ' | '_' | '/' | ',')
            || (c == '-' && place > 0)
            || !c.is_ascii();
        if plain { text.push(c) } else { put(&mut text, format_args!("#{};", u32::from(c))) }
    }
    text
}

/// Escapes text for a quoted YAML string. Titles know no entities, so characters that would be read
/// as HTML are replaced by their full-width forms.
fn yaml(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        let c = match c {
            '<' => '＜',
            '>' => '＞',
            '&' => '＆',
            c => c,
        };
        if c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.') || !c.is_ascii() {
            text.push(c);
        } else {
            put(&mut text, format_args!("\\u{:04x}", u32::from(c)));
        }
    }
    text
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("a string takes whatever is written");
}
