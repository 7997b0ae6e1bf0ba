//! Allowed imports. A room is a file or a folder at the top of a crate's `src`; a line of the table
//! lists the rooms that it may name. Any other import is refused, with both files.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Each room of ddg-core after those that it may name, from the ground up. The rooms down to
/// `machine` decide; they name nothing that acts, waits, or knows a clock.
const CORE: &[(&str, &[&str])] = &[
    ("key", &[]),
    ("path", &["key"]),
    ("hint", &[]),
    ("clock", &[]),
    ("printable", &[]),
    ("report", &["printable"]),
    ("error", &["printable", "report"]),
    ("values", &["printable", "report"]),
    ("args", &["printable", "values"]),
    ("graph", &["hint", "key", "path", "printable", "report", "values"]),
    ("local", &["graph", "key", "printable", "values"]),
    (
        "machine",
        &["args", "error", "graph", "hint", "key", "path", "printable", "report", "values"],
    ),
    // What acts: a worker sees a context, which belongs to a run, which runs workers.
    ("worker", &["args", "automa", "callback", "context", "error", "graph", "key", "values"]),
    ("callback", &["args", "context", "error", "run", "values"]),
    (
        "automa",
        &[
            "args", "callback", "error", "feedback", "graph", "key", "local", "machine", "path",
            "run", "saved", "values", "worker",
        ],
    ),
    (
        "saved",
        &[
            "args",
            "automa",
            "clock",
            "graph",
            "key",
            "local",
            "machine",
            "path",
            "printable",
            "values",
            "worker",
        ],
    ),
    // Its face hands out `StoredRuns`.
    ("checkpoint", &["clock", "error", "printable", "report", "run"]),
    ("event", &["graph", "key", "machine", "path", "printable", "values"]),
    ("feedback", &["context", "engine", "path", "printable", "values"]),
    (
        "context",
        &[
            "args",
            "automa",
            "clock",
            "engine",
            "event",
            "feedback",
            "graph",
            "key",
            "local",
            "machine",
            "path",
            "printable",
            "saved",
            "values",
            "worker",
        ],
    ),
    (
        "engine",
        &[
            "args", "automa", "callback", "clock", "context", "durable", "error", "event",
            "feedback", "graph", "key", "local", "machine", "path", "run", "saved", "values",
            "worker",
        ],
    ),
    (
        "durable",
        &[
            "checkpoint",
            "clock",
            "engine",
            "graph",
            "key",
            "local",
            "machine",
            "run",
            "saved",
            "values",
            "worker",
        ],
    ),
    (
        "run",
        &[
            "args",
            "automa",
            "checkpoint",
            "context",
            "durable",
            "engine",
            "event",
            "feedback",
            "graph",
            "key",
            "machine",
            "path",
            "printable",
            "saved",
            "values",
            "worker",
        ],
    ),
    (
        "render",
        &[
            "args",
            "automa",
            "callback",
            "context",
            "error",
            "event",
            "graph",
            "key",
            "machine",
            "path",
            "printable",
            "run",
            "values",
            "worker",
        ],
    ),
    ("check", &["values", "worker"]),
];

/// The rooms of ddg-core that decide, in which none of these words is a path.
const DECIDES: &[&str] = &["key", "path", "args", "graph", "machine"];
const ACTS: &[&str] = &[
    "tokio",
    "tokio_util",
    "tracing",
    "futures",
    "std::time",
    "std::thread",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::atomic",
];

/// Each room of ddg-agentic.
const AGENTIC: &[(&str, &[&str])] = &[
    ("tls", &[]),
    ("message", &[]),
    ("schema", &[]),
    ("prompt", &[]),
    ("files", &["message", "model", "provider"]),
    // What an agent does passes its scope, which knows hooks and observers; these know the data.
    ("gen_ai", &["message", "model", "tool"]),
    ("hook", &["message", "model", "tool"]),
    ("observe", &["message", "model"]),
    ("scope", &["gen_ai", "hook", "message", "model", "observe", "tool"]),
    ("tool", &["files", "hook", "message", "schema", "scope"]),
    ("model", &["message", "schema", "scope", "tool"]),
    ("provider", &["message", "model", "tls", "tool"]),
    ("mcp", &["message", "model", "schema", "tls", "tool"]),
    ("memory", &["message", "model"]),
    // An agent's turn has children, and a child is an agent.
    (
        "react",
        &["files", "hook", "memory", "message", "model", "observe", "scope", "subturn", "tool"],
    ),
    ("subturn", &["message", "model", "react", "tool"]),
    ("agent", &["memory", "message", "react", "subturn"]),
    ("compose", &["message", "react"]),
    ("skill", &["message", "tool"]),
    ("assistants", &["files", "memory", "message", "model", "react", "tool"]),
    ("riddles", &["agent", "model", "react"]),
];

/// Each room of ddg-server, which names public items of the other crates only.
const SERVER: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("tenant", &[]),
    ("upstream", &[]),
    ("keys", &["tenant", "upstream"]),
    ("models", &["keys", "tenant", "upstream"]),
    ("files", &[]),
    ("metrics", &[]),
    // Every request is seen with what all requests share.
    ("state", &["files", "http", "keys", "metrics", "models"]),
    ("http", &["error", "state", "tenant"]),
    ("routes", &["error", "http", "state", "tenant"]),
    ("server", &["files", "http", "keys", "metrics", "models", "routes", "state", "upstream"]),
    ("serving", &[]),
    ("tls", &[]),
    // Riddles give a program of an author's own agents the command's subcommands.
    ("riddles", &["command", "error", "http", "tls"]),
    ("command", &["keys", "riddles", "server", "serving", "tls"]),
    ("bin", &["command"]),
];

fn src(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(of).join("src")
}

/// All source files below `folder`, by their path from there.
fn sources(folder: &Path) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                sources.insert(name, code(&std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(sources.len() > 10, "no sources in {}", folder.display());
    sources
}

/// A source without its comments and its tests.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let line = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    source.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The paths that begin with `crate::` in a source, groups in braces taken apart once.
fn paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || "_:$".contains(before)) {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let names = |text: &str| {
            let word = |c: char| !(c.is_alphanumeric() || "_:".contains(c));
            text.split(word).next().unwrap_or_default().to_owned()
        };
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or_default();
                paths.extend(group.split(',').map(|path| names(path.trim())));
            }
            None => paths.push(names(rest)),
        }
    }
    paths
}

/// The file that a path leads to: the deepest module in it that has one.
fn file_of(path: &str, sources: &BTreeMap<String, String>) -> Option<String> {
    let mut found = None;
    let mut at = String::new();
    for segment in path.split("::").filter(|segment| !segment.is_empty()) {
        at = if at.is_empty() { segment.to_owned() } else { format!("{at}/{segment}") };
        match sources.contains_key(&format!("{at}.rs")) {
            true => found = Some(format!("{at}.rs")),
            false => break,
        }
    }
    found
}

#[track_caller]
fn check(of: &str, table: &[(&str, &[&str])]) {
    let sources = sources(&src(of));
    let mut refused = String::new();
    for (file, code) in sources.iter().filter(|(file, _)| *file != "lib.rs") {
        let Some((_, allowed)) = table.iter().find(|(name, _)| *name == room(file)) else {
            writeln!(refused, "{file} is in a room that is not in the table").unwrap();
            continue;
        };
        for named in paths(code).iter().filter_map(|path| file_of(path, &sources)) {
            if room(&named) != room(file) && !allowed.contains(&room(&named)) {
                writeln!(refused, "{file} names {named}").unwrap();
            }
        }
    }
    assert!(refused.is_empty(), "in {of}, against the table of layers:\n{refused}");
}

#[test]
fn rooms_of_the_engine_name_only_what_the_table_allows() {
    check("ddg-core", CORE);
}

#[test]
fn rooms_of_the_agents_name_only_what_the_table_allows() {
    check("ddg-agentic", AGENTIC);
}

#[test]
fn rooms_of_the_server_name_only_what_the_table_allows() {
    check("ddg-server", SERVER);
}

/// The table itself: what decides names only what decides.
#[test]
fn rooms_that_decide_name_nothing_that_acts() {
    let line = |room: &str| CORE.iter().find(|(name, _)| *name == room).unwrap().1;
    let pure = [
        "printable",
        "hint",
        "report",
        "key",
        "path",
        "error",
        "values",
        "args",
        "graph",
        "local",
        "machine",
    ];
    for room in pure {
        assert!(line(room).iter().all(|named| pure.contains(named)), "{room}");
    }
    for (file, code) in sources(&src("ddg-core")) {
        if DECIDES.contains(&room(&file)) {
            for act in ACTS {
                assert!(!code.contains(&format!("{act}::")), "{file} uses {act}");
            }
        }
    }
}

#[test]
fn paths_are_found_in_groups_and_alone() {
    let code =
        "use crate::{a::B, c}; fn f() { crate::d::E::new(); $crate::args!(); other_crate::x() }";
    assert_eq!(paths(code), ["a::B", "c", "d::E::new"]);
}
