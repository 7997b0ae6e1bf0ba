//! Any key can be drawn: what is read back from the text is the key.

use ddg_core::History;
use ddg_core::prelude::*;
use proptest::prelude::*;

/// Keys that mean something, or end something, in one of the languages.
const AWKWARD: [&str; 40] = [
    "end",
    "graph",
    "subgraph",
    "style",
    "class",
    "click",
    "default",
    "o",
    "x",
    "strict",
    "node",
    "edge",
    "digraph",
    "\"",
    "\\",
    "\\\"",
    "\\N",
    "\\n",
    "a\nb",
    "\n",
    "[a](b){c}",
    "<b>bold</b>",
    "&amp;",
    "#quot;",
    "#35;",
    "#",
    ";",
    "%% comment",
    "%%{init: {}}%%",
    "`code`",
    "**bold**",
    "1. list",
    "- list",
    "+ list",
    "-->",
    "|pipe|",
    ":::class",
    "@{shape: x}",
    "日本語 🦀",
    " ",
];

#[test]
fn awkward_keys() {
    check(&AWKWARD.map(str::to_owned));
}

proptest! {
    #[test]
    fn any_keys(keys in prop::collection::hash_set("[ -~\n\u{a0}-\u{2fff}]{1,30}", 1..8)) {
        check(&keys.into_iter().collect::<Vec<_>>());
    }
}

/// What is not to be seen is shown as an escape, and what is too long is cut.
#[test]
fn keys_that_cannot_be_shown() {
    let shown = |key: &str| {
        let mut automa = GraphAutoma::new("a");
        automa.add_func_as_worker(key, async || (), free()).unwrap();
        let (mermaid, dot) = (automa.to_mermaid(), automa.to_dot());
        let shown = mermaid_labels(&mermaid);
        assert_eq!(shown, dot_labels(&dot));
        shown.join("")
    };
    assert_eq!(shown("bell\u{7}"), "bell\\u{7}");
    assert_eq!(shown("right\u{202e}left"), "right\\u{202e}left");
    assert_eq!(shown("\u{200b}"), "\\u{200b}");
    assert_eq!(shown("a\r\nb"), "a\nb");
    assert_eq!(shown(&"x".repeat(61)), "x".repeat(60) + "…");
    assert_eq!(shown("1\n2\n3\n4\n5"), "1\n2\n3\n4\n…");
}

/// Draws workers with these keys, alone and in a nested automa of that name, and reads them back.
#[track_caller]
fn check(keys: &[String]) {
    let mut automa = GraphAutoma::new(keys.concat());
    let mut all = Vec::new();
    for key in keys {
        let mut inner = GraphAutoma::new(key.as_str());
        inner.add_func_as_worker(key, async || (), start()).unwrap();
        automa.add_worker(key, inner, start()).unwrap();
        // The automa and the worker in it.
        all.extend([visible(key), visible(key)]);
    }
    assert_eq!(mermaid_labels(&automa.to_mermaid()), all);
    assert_eq!(dot_labels(&automa.to_dot()), all);
}

/// A key as it is shown.
fn visible(key: &str) -> String {
    let escape = |c: char| match c {
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
            c.escape_unicode().to_string()
        }
        c => c.to_string(),
    };
    let lines: Vec<_> = key.split('\n').collect();
    let mut shown = lines.iter().take(4).copied().collect::<Vec<_>>().join("\n");
    if lines.len() > 4 {
        shown.push_str("\n…");
    }
    shown.chars().map(escape).collect()
}

/// What is written on nodes and subgraphs, each of which has a line of its own.
#[track_caller]
fn mermaid_labels(text: &str) -> Vec<String> {
    let body = text.split_once("flowchart TD\n").expect("it is a flowchart").1;
    let mut depth = 0;
    let mut labels = Vec::new();
    for line in body.lines().map(str::trim) {
        let line = match line.strip_prefix("subgraph ") {
            Some(subgraph) => {
                depth += 1;
                subgraph
            }
            None => line,
        };
        if line == "end" {
            depth -= 1;
        } else if let Some(rest) = line.strip_prefix('n') {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
            let (open, rest) = rest.split_once('"').expect("a label begins");
            let (label, close) = rest.split_once('"').expect("a label ends");
            assert!(matches!((open, close), ("[", "]") | ("([", "])") | ("[[", "]]")), "{line}");
            labels.push(from_entities(label));
        } else {
            assert!(line.starts_with("class"), "{line}");
        }
    }
    assert_eq!(depth, 0);
    labels
}

/// Mermaid writes the character with number 35 as `#35;`.
#[track_caller]
fn from_entities(label: &str) -> String {
    let mut text = String::new();
    let mut rest = label;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("<br/>") {
            text.push('\n');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('#') {
            let (number, after) = after.split_once(';').expect("an entity ends");
            text.push(char::from_u32(number.parse().unwrap()).unwrap());
            rest = after;
        } else {
            assert!(!"<>&\"`*[](){}|%;\\".contains(c), "{label}");
            text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    text
}

/// What is written on nodes and clusters.
#[track_caller]
fn dot_labels(text: &str) -> Vec<String> {
    let body = text.split_once("edge [fontname").expect("it begins with what holds for all").1;
    let mut labels = Vec::new();
    let mut rest = body;
    while let Some((_, after)) = rest.split_once("label=\"") {
        let mut label = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().expect("a label ends") {
                (at, '"') => break at,
                (_, '\\') => match chars.next().expect("an escape ends").1 {
                    'n' => label.push('\n'),
                    c @ ('"' | '\\') => label.push(c),
                    c => panic!("an unknown escape: {c}"),
                },
                (_, '\n') => panic!("a label over two lines"),
                (_, c) => label.push(c),
            }
        };
        labels.push(label.replace("&amp;", "&"));
        rest = &after[end + 1..];
    }
    labels
}

/// The timeline is well-formed whatever the keys are: tags are closed, nothing is left unescaped.
#[tokio::test]
async fn awkward_keys_in_a_timeline() {
    let mut automa = GraphAutoma::new(AWKWARD.concat() + "\u{1}");
    for key in AWKWARD {
        automa.add_func_as_worker(key, async || (), start()).unwrap();
    }
    let history = History::new();
    automa.add_callback(history.clone());
    automa.run(()).output::<()>().await.unwrap();
    let svg = history.to_svg();
    let mut open = Vec::new();
    let mut names = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag ends");
        assert!(!text.contains('>') && !text.contains(|c: char| c.is_control() && c != '\n'));
        for entity in text.split('&').skip(1) {
            assert!(["amp;", "lt;", "gt;"].iter().any(|known| entity.starts_with(known)), "{text}");
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
            if tag.starts_with("text class=\"name\"") {
                names.push(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
            }
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    assert_eq!(names, AWKWARD.map(|key| key.replace('\n', " ")));
}
