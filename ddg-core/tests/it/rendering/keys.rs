//! Any key can be drawn: the key can be read back from the text.

use ddg_core::prelude::*;
use ddg_core::printable;
use ddg_core::render::History;
use proptest::prelude::*;

/// Keys that mean something, or end something, in one of the languages.
const AWKWARD: [&str; 44] = [
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
    "]]>",
    "<!-- a -->",
    "' OR \u{1b}[31m",
    "\u{202e}\u{2066}\u{fffe}\u{0}",
];

#[test]
fn awkward_keys() {
    check(&AWKWARD.map(str::to_owned));
}

proptest! {
    #[test]
    fn any_keys(keys in prop::collection::hash_set("[ -~\n\u{a0}-\u{2fff}]{1,30}|\\PC{1,30}", 1..8)) {
        check(&keys.into_iter().collect::<Vec<_>>());
    }

    /// Any characters at all: control characters, and what is none of XML.
    #[test]
    fn any_keys_in_a_timeline(keys in prop::collection::hash_set(any_text(), 1..8)) {
        check_timeline(&keys.into_iter().collect::<Vec<_>>());
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(AWKWARD.to_vec()).prop_map(str::to_owned);
    let any = prop::collection::vec(any::<char>(), 1..20).prop_map(String::from_iter);
    let low = "[\u{0}-\u{ff}\u{2000}-\u{206f}\u{fff0}-\u{ffff}]{1,20}";
    prop_oneof![awkward, any, low]
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
    assert_eq!(shown("\u{95}\u{200c}"), "\\u{95}\\u{200c}");
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
    // All of them, also those that are alike.
    let drawing = automa.drawing().unfolded();
    assert_eq!(mermaid_labels(&drawing.to_mermaid()), all);
    assert_eq!(dot_labels(&drawing.to_dot()), all);
    let title: String = keys.concat().replace('\n', " ").chars().take(60).collect();
    let title = printable::line(&title).replace('<', "＜").replace('>', "＞").replace('&', "＆");
    let shown = mermaid_title(&drawing.to_mermaid());
    assert_eq!(shown.trim_end_matches('…'), title.trim_end_matches('…'));
}

/// A key as it is shown.
fn visible(key: &str) -> String {
    let lines: Vec<_> = key.split('\n').collect();
    let mut shown = lines.iter().take(4).copied().collect::<Vec<_>>().join("\n");
    if lines.len() > 4 {
        shown.push_str("\n…");
    }
    let lines = shown.split('\n').map(|line| printable::line(line).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// The title, between the quotes of YAML.
#[track_caller]
fn mermaid_title(text: &str) -> String {
    let title = text.strip_prefix("---\ntitle: \"").expect("it begins with its title");
    let title = title.split_once("\"\n---\n").expect("the title ends").0;
    assert!(!title.contains(['"', '\n', '<', '>', '&']), "{title}");
    // These are escapes of JSON, too.
    serde_json::from_str(&format!("\"{title}\"")).unwrap()
}

/// The labels of nodes and subgraphs. Each has a line of its own.
#[track_caller]
fn mermaid_labels(text: &str) -> Vec<String> {
    let body = text.split_once("\nflowchart ").expect("it is a flowchart").1;
    let body = body.strip_prefix("TD\n").or_else(|| body.strip_prefix("LR\n")).unwrap();
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

#[test]
fn awkward_keys_in_a_timeline() {
    check_timeline(&AWKWARD.map(str::to_owned));
}

/// Runs workers with these keys in an automa of that name, in a nested one, and by ferry; the
/// timeline is well-formed, and what is read back from it are the keys.
#[track_caller]
fn check_timeline(keys: &[String]) {
    let mut automa = GraphAutoma::new(keys.concat());
    for key in keys {
        let target = format!("{key}!");
        let ferry = async move |cx: Context| cx.ferry_to(format!("{}!", cx.key()), ());
        automa.add_func_as_worker(key, ferry, start()).unwrap();
        let mut inner = GraphAutoma::new(key.as_str());
        inner.add_func_as_worker(key, async || (), start()).unwrap();
        automa.add_worker(target, inner, free()).unwrap();
    }
    let history = History::new();
    automa.add_callback(history.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { automa.run(()).await.unwrap() });

    let svg = history.to_svg();
    let document =
        roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
    let allowed = ["svg", "style", "rect", "g", "title", "text", "line", "path"];
    let mut elements = document.descendants().filter(roxmltree::Node::is_element);
    assert!(elements.all(|element| allowed.contains(&element.tag_name().name())), "{svg}");
    let titles = document.descendants().filter(|node| node.has_tag_name("title"));
    let mut shown: Vec<_> =
        titles.map(|title| title.text().unwrap_or_default().to_owned()).collect();
    shown.sort_unstable();
    for key in keys {
        let cut: String = key.replace('\n', " ").trim_end_matches('\r').chars().take(60).collect();
        let key = printable::line(&cut).into_owned();
        assert!(shown.binary_search(&key).is_ok(), "{key:?} is not among {shown:?}");
        assert!(shown.iter().any(|title| title.contains(&format!("ferry by `{key}`"))), "{key:?}");
    }
}
