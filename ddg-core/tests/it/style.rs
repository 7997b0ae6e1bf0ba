//! The style of comments, docs and messages, as far as a program can check it. The rest is in
//! `CONTRIBUTING.md`: subject, verb, object, and the words of the field.
//!
//! Each fault is reported with its file and line, what is wrong, and what to write instead.

mod messages;
mod phrases;
mod printed;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use messages::messages;
use phrases::{OPENINGS, PHRASES};
use printed::raw_placeholders;

/// Folders with sources, whose comments are checked.
const SOURCES: &[&str] =
    &["ddg-core/src", "ddg-macros/src", "ddg-agentic/src", "ddg-server/src", "examples"];

/// Rooms whose prose still has to be rewritten. A room that passes must not be listed.
const UNCHECKED: &[&str] = &[];

/// Folders with tests, whose names are checked for phrases.
const TESTS: &[&str] = &["ddg-core", "ddg-macros", "ddg-agentic", "ddg-server"];

/// Texts whose prose is checked for phrases.
const TEXTS: &[&str] = &["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs"];

/// Maximum length of a line of a comment.
const MOST_COLUMNS: usize = 100;

/// Maximum number of words in the first sentence of a doc comment, which is what lists of items show.
const MOST_WORDS: usize = 30;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `//!`
    Module,
    /// `///`
    Item,
    /// `//`
    Note,
}

/// Consecutive comment lines of one kind.
struct Comment {
    kind: Kind,
    /// The number of the first line.
    line: usize,
    /// The text of each line, without what makes it a comment.
    lines: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files with this extension in `path`, or `path` itself, by their path from the root.
fn files(path: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = vec![root().join(path)];
    while let Some(at) = rest.pop() {
        if at.is_dir() {
            rest.extend(fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()));
        } else if at.extension().is_some_and(|have| have == extension) {
            let name = at.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            found.push(name);
        }
    }
    found.sort_unstable();
    found
}

fn comments(source: &str) -> Vec<Comment> {
    let mut comments: Vec<Comment> = Vec::new();
    let mut open = false;
    for (place, line) in source.lines().enumerate() {
        let line = line.trim_start();
        let kind = match line.get(..3) {
            Some("//!") => Some(Kind::Module),
            Some("///") => Some(Kind::Item),
            _ if line.starts_with("//") => Some(Kind::Note),
            _ => None,
        };
        let Some(kind) = kind else {
            open = false;
            continue;
        };
        let text = line[if kind == Kind::Note { 2 } else { 3 }..].trim().to_owned();
        match comments.last_mut() {
            Some(last) if open && last.kind == kind => last.lines.push(text),
            _ => comments.push(Comment { kind, line: place + 1, lines: vec![text] }),
        }
        open = true;
    }
    comments
}

/// The lines outside of code blocks, each with its index.
fn text(lines: &[String]) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let lines = lines.iter().map(|line| line.trim()).enumerate();
    lines.filter(move |(_, line)| {
        let is_fence = line.starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    })
}

/// The lines that are prose, each with its index: no code, tables, headings or link targets.
/// Inline code becomes `code`.
fn prose(lines: &[String]) -> Vec<(usize, String)> {
    let is_link = |line: &str| line.starts_with('[') && line.contains("]: ");
    let prose = text(lines)
        .filter(|(_, line)| !line.starts_with(['|', '#', '<']) && !is_link(line))
        .map(|(place, line)| {
            let parts = line.split('`').enumerate();
            (place, parts.map(|(nth, part)| if nth % 2 == 0 { part } else { "code" }).collect())
        });
    prose.collect()
}

/// The words of a text in lower case, each between spaces, and the index of each word's line.
fn words(prose: &[(usize, String)]) -> (String, Vec<usize>) {
    let (mut text, mut places) = (String::from(" "), Vec::new());
    for (place, line) in prose {
        for word in line.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'');
            if !word.is_empty() {
                text.push_str(&word.to_lowercase());
                text.push(' ');
                places.push(*place);
            }
        }
    }
    (text, places)
}

/// Reports phrases in `lines`. `first` is the number of the first line.
fn check_phrases(file: &str, first: usize, lines: &[String], faults: &mut String) {
    let (text, places) = words(&prose(lines));
    for (phrase, instead) in PHRASES {
        for (at, _) in text.match_indices(phrase) {
            let end = at + phrase.len();
            if text[..at].ends_with(' ') && text[end..].starts_with(' ') {
                let line = first + places[text[..at].matches(' ').count() - 1];
                writeln!(faults, "{file}:{line}: \"{phrase}\"; write: {instead}").unwrap();
            }
        }
    }
}

/// Reports faults in the form of a doc comment.
fn check_doc(file: &str, comment: &Comment, faults: &mut String) {
    let Comment { line, lines, .. } = comment;
    let mut fault =
        |at: usize, what: &str| writeln!(faults, "{file}:{}: {what}", line + at).unwrap();
    let prose = prose(lines);
    let paragraph: Vec<_> =
        prose.iter().take_while(|(_, text)| !text.is_empty()).map(|(_, text)| text).collect();
    let first: Vec<_> = paragraph.iter().flat_map(|text| text.split_whitespace()).collect();
    let Some(opening) = first.first() else {
        return fault(0, "no first sentence; write one before code, lists and headings");
    };
    if opening.chars().next().is_some_and(char::is_lowercase) && !opening.starts_with("code") {
        fault(0, "begins with a small letter; write a sentence");
    }
    if let Some((_, instead)) = OPENINGS.iter().find(|(word, _)| word == opening) {
        fault(0, &format!("begins with \"{opening}\"; begin with: {instead}"));
    }
    let ends =
        |word: &str| word.trim_end_matches(['*', ')', '"']).ends_with(['.', ':', '?', '!', '…']);
    let n_words = first.iter().position(|word| ends(word)).map_or(first.len(), |end| end + 1);
    if n_words > MOST_WORDS {
        fault(0, &format!("a first sentence of {n_words} words; write at most {MOST_WORDS}"));
    }
    let is_last = |at: usize| {
        prose.get(at + 1).is_none_or(|(place, text)| text.is_empty() || *place > prose[at].0 + 1)
    };
    for (at, (place, text)) in prose.iter().enumerate() {
        let is_item = text.starts_with("- ") || text.starts_with("| ");
        if !text.is_empty() && !is_item && is_last(at) && !ends(text) && !text.ends_with([',', ';'])
        {
            fault(*place, "a paragraph without a full stop; end the sentence");
        }
    }
}

/// Reports the faults of a source file.
fn check_source(file: &str, source: &str, faults: &mut String) {
    let comments = comments(source);
    if comments.first().is_none_or(|head| head.kind != Kind::Module || head.line != 1) {
        writeln!(faults, "{file}:1: no head; write a sentence with `//!` on what the file is for")
            .unwrap();
    }
    let source_lines: Vec<_> = source.lines().collect();
    // Golden tests have comments in strings, which are not prose of this project.
    let is_golden = file.contains("/tests/") || file.ends_with("/tests.rs");
    for comment in comments.iter().filter(|comment| !is_golden || comment.kind == Kind::Module) {
        check_phrases(file, comment.line, &comment.lines, faults);
        check_width(file, comment, &source_lines, faults);
        // Attributes can divide the head into several comments.
        if comment.kind == Kind::Item || comment.line == 1 {
            check_doc(file, comment, faults);
        }
        for (place, _) in text(&comment.lines).filter(|(_, line)| line.matches('`').count() % 2 > 0)
        {
            let line = comment.line + place;
            writeln!(faults, "{file}:{line}: inline code over two lines; keep it on one").unwrap();
        }
        for (place, text) in comment.lines.iter().enumerate() {
            if ["TODO", "FIXME", "XXX", "HACK"].iter().any(|mark| text.contains(mark)) {
                let line = comment.line + place;
                writeln!(faults, "{file}:{line}: a note to oneself; do it, or open an issue")
                    .unwrap();
            }
        }
    }
    if !is_golden {
        for (line, message) in messages(source) {
            check_phrases(file, line, &[message], faults);
        }
    }
    for (place, line) in source.lines().enumerate() {
        for unfinished in ["todo!(", "unimplemented!(", "dbg!("] {
            if !is_golden && line.trim_start().starts_with(unfinished) {
                writeln!(faults, "{file}:{}: `{unfinished}..)`; finish it", place + 1).unwrap();
            }
        }
    }
}

/// Reports lines of a comment that are too long and could be wrapped.
fn check_width(file: &str, comment: &Comment, source: &[&str], faults: &mut String) {
    for (place, text) in text(&comment.lines) {
        let line = comment.line + place;
        let can_wrap = !text.starts_with(['|', '[']) && text.contains(' ');
        if can_wrap && source[line - 1].chars().count() > MOST_COLUMNS {
            writeln!(faults, "{file}:{line}: a long line; wrap it at {MOST_COLUMNS}").unwrap();
        }
    }
}

/// The names of the tests in a source, each with the number of its line.
fn test_names(source: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut is_test = false;
    for (place, line) in source.lines().map(str::trim_start).enumerate() {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some((_, name)) = line.split_once("fn ").filter(|_| !line.starts_with("//")) {
            if is_test {
                names.push((place + 1, name.split('(').next().unwrap_or_default()));
            }
            is_test = false;
        }
    }
    names
}

#[test]
fn comments_are_written_in_plain_english() {
    let mut faults = String::new();
    let mut passing = UNCHECKED.to_vec();
    for file in SOURCES.iter().flat_map(|folder| files(folder, "rs")) {
        let source = fs::read_to_string(root().join(&file)).unwrap();
        let unchecked = UNCHECKED.iter().find(|room| {
            file.strip_prefix(**room).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        match unchecked {
            None => check_source(&file, &source, &mut faults),
            Some(room) => {
                let mut of_file = String::new();
                check_source(&file, &source, &mut of_file);
                if !of_file.is_empty() {
                    passing.retain(|passing| passing != room);
                }
            }
        }
    }
    for room in passing {
        writeln!(faults, "{room} passes; remove it from `UNCHECKED`").unwrap();
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn texts_are_written_in_plain_english() {
    let mut faults = String::new();
    for file in TEXTS.iter().flat_map(|path| files(path, "md")) {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        check_phrases(&file, 1, &lines, &mut faults);
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn tests_are_named_in_plain_english() {
    let mut faults = String::new();
    for file in TESTS.iter().flat_map(|folder| files(folder, "rs")) {
        let source = fs::read_to_string(root().join(&file)).unwrap();
        for (line, name) in test_names(&source) {
            check_phrases(&file, line, &[name.replace('_', " ")], &mut faults);
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// What is printed has no control characters and no changes of direction from data.
#[test]
fn errors_escape_the_data_that_they_show() {
    let mut faults = String::new();
    for file in SOURCES.iter().flat_map(|folder| files(folder, "rs")) {
        let source = fs::read_to_string(root().join(&file)).unwrap();
        for (line, name) in raw_placeholders(&source) {
            writeln!(
                faults,
                "{file}:{line}: `{{{name}}}` shows data as it is; add `{name} = shown(.{name})`, or \
                 `shown_lines` for a text of several lines"
            )
            .unwrap();
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// A test that only unwraps an error passes with any error.
#[test]
fn errors_in_tests_are_looked_at() {
    let mut faults = String::new();
    for file in TESTS.iter().flat_map(|folder| files(folder, "rs")) {
        let source = fs::read_to_string(root().join(&file)).unwrap();
        for line in unseen_errors(&source) {
            writeln!(
                faults,
                "{file}:{line}: an error that is not looked at; check its variant or text"
            )
            .unwrap();
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
}

/// The lines with statements that unwrap an error and drop it.
fn unseen_errors(source: &str) -> Vec<usize> {
    let mut statement = String::new();
    let mut found = Vec::new();
    for (place, line) in source.lines().map(str::trim).enumerate() {
        if !line.starts_with("//") {
            statement.push_str(line);
            statement.push(' ');
        }
        if statement.ends_with(".unwrap_err(); ") && !statement.contains(" = ") {
            found.push(place + 1);
        }
        if line.ends_with([';', '{', '}', ',']) || line.starts_with("//") {
            statement.clear();
        }
    }
    found
}

#[test]
fn errors_that_are_dropped_are_found() {
    let source = "f().unwrap_err();\nlet e = f().unwrap_err();\nlet e = f()\n    .unwrap_err();\n\
                  f()\n    .g()\n    .unwrap_err();\ng(f().unwrap_err());\n";
    assert_eq!(unseen_errors(source), [1, 7]);
}

/// The faults of a source, without the name of the file.
#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let mut faults = String::new();
    check_source("f", source, &mut faults);
    let faults: Vec<_> = faults.lines().map(|fault| fault.trim_start_matches("f:")).collect();
    assert_eq!(faults, expected);
}

#[test]
fn names_of_tests_are_found() {
    let source = "#[test]\n#[expect(x)]\nfn a_b() {}\nfn helper() {}\n\
                  #[tokio::test(flavor = \"x\")]\nasync fn c() {}\n";
    assert_eq!(test_names(source), [(3, "a_b"), (6, "c")]);
}

#[test]
fn a_plain_source_passes() {
    check(
        "//! A thing.\n\n/// The name of a `thing`:\n/// - short\n///\n/// ```\n/// x\n/// ```\n",
        &[],
    );
    check(
        "//! Things are due, in `who is due`.\n// Ready things are popped first.\n",
        &["1: \"are due\"; write: are ready"],
    );
}

#[test]
fn faults_are_found_where_they_are() {
    check("use a;\n", &["1: no head; write a sentence with `//!` on what the file is for"]);
    check("//! A thing\n", &["1: a paragraph without a full stop; end the sentence"]);
    check("//! A thing.\n\n/// thing.\n", &["3: begins with a small letter; write a sentence"]);
    check(
        "//! A thing.\n\n/// It is.\n",
        &["3: begins with \"It\"; begin with: the noun of the item"],
    );
    check("//! A run that goes\n//! on.\n", &["1: \"goes on\"; write: continues"]);
    check(
        "//! A thing.\n\n/// # Errors\n/// If not.\nfn f() {\n    todo!()\n}\n",
        &["6: `todo!(..)`; finish it"],
    );
    check("//! A thing.\n// TODO more\n", &["2: a note to oneself; do it, or open an issue"]);
}
