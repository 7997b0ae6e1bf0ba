//! The links of the README and of the book lead somewhere, and every page is in the summary.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Markdown files beside the book whose links are checked, too.
const BESIDE: &[&str] = &["README.md", "CONTRIBUTING.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages of the book, by their path from the root.
fn pages() -> Vec<String> {
    let mut pages: Vec<_> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    pages.sort_unstable();
    pages
}

/// The lines outside of code blocks, each with its number from 1.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    page.lines().enumerate().filter_map(move |(place, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((place + 1, line))
    })
}

/// The targets of the links of a line: of Markdown, and of HTML pictures. Inline code has none.
fn targets(line: &str) -> Vec<String> {
    let parts = line.split('`').enumerate();
    let text: String = parts.map(|(nth, part)| if nth % 2 == 0 { part } else { "code" }).collect();
    let mut found = Vec::new();
    for (open, close) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"'), ("href=\"", '"')] {
        let after = text.split(open).skip(1);
        found.extend(after.filter_map(|rest| rest.split_once(close)).map(|(to, _)| to.to_owned()));
    }
    if line.starts_with('[')
        && let Some((_, to)) = line.split_once("]: ")
    {
        found.push(to.trim().to_owned());
    }
    found
}

/// The anchors of a page, one for each heading, as GitHub and mdBook name them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(page).filter(|(_, line)| line.starts_with('#'));
    headings
        .map(|(_, line)| {
            let anchor = anchor(line.trim_start_matches('#').trim());
            let n = times.entry(anchor.clone()).or_default();
            *n += 1;
            if *n == 1 { anchor } else { format!("{anchor}-{}", *n - 1) }
        })
        .collect()
}

fn anchor(heading: &str) -> String {
    // Of a link only its text counts.
    let text = heading.split("](").map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
    let first = heading.split("](").next().unwrap_or_default();
    let text: String = std::iter::once(first).chain(text.skip(1)).collect();
    let kept = text.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c if c.is_alphanumeric() => Some(c),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// `path` without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// What is wrong with a link from the page `from` to `to`; `None` if it leads somewhere.
fn fault(from: &str, to: &str, read: impl Fn(&Path) -> Option<String>) -> Option<String> {
    if to.contains("://") || to.starts_with("mailto:") {
        return None;
    }
    let (path, to_anchor) = to.split_once('#').unwrap_or((to, ""));
    let at = match path {
        "" => PathBuf::from(from),
        path => plain(&Path::new(from).parent()?.join(path)),
    };
    let is_page = at.extension().is_some_and(|extension| extension == "md");
    if !root().join(&at).exists() && read(&at).is_none() {
        return Some(format!("`{to}`: there is no `{}`", at.display()));
    }
    if is_page && from.starts_with("docs/") && !at.starts_with("docs") {
        return Some(format!("`{to}`: not a page of the book, where it is a link to nothing"));
    }
    let is_dead = is_page && !to_anchor.is_empty() && !anchors(&read(&at)?).contains(to_anchor);
    is_dead.then(|| format!("`{to}`: `{}` has no heading for `#{to_anchor}`", at.display()))
}

fn text_of(path: &Path) -> Option<String> {
    fs::read_to_string(root().join(path)).ok()
}

#[test]
fn links_lead_somewhere() {
    let mut faults = String::new();
    let mut n_links = 0;
    for page in pages().into_iter().chain(BESIDE.iter().map(|page| (*page).to_owned())) {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        for (line, text) in prose(&text) {
            for to in targets(text) {
                n_links += 1;
                if let Some(fault) = fault(&page, &to, text_of) {
                    writeln!(faults, "{page}:{line}: {fault}").unwrap();
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
    assert!(n_links > 100, "found only {n_links} links");
}

#[test]
fn every_page_is_in_the_summary_once() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let mut listed: Vec<_> = prose(&summary)
        .flat_map(|(_, line)| targets(line))
        .map(|to| format!("docs/{to}"))
        .collect();
    listed.sort_unstable();
    let expected: Vec<_> = pages().into_iter().filter(|page| page != "docs/SUMMARY.md").collect();
    assert_eq!(listed, expected);
}

#[test]
fn dead_links_are_found() {
    let page = "# A `b_c`\n\n## 4. Jump: `ferry_to`\n\n## 4. Jump: `ferry_to`\n";
    let known = ["a-b_c", "4-jump-ferry_to", "4-jump-ferry_to-1"].map(str::to_owned);
    assert_eq!(anchors(page), BTreeSet::from(known));
    assert_eq!(targets("[a](b.md#c) and `[x](y)` and <img src=\"p.svg\">"), ["b.md#c", "p.svg"]);

    let read = |path: &Path| (path == Path::new("docs/none.md")).then(|| page.to_owned());
    let fault = |to: &str| fault("docs/from.md", to, read);
    assert_eq!(fault("none.md#a-b_c"), None);
    assert_eq!(fault("https://example.com/#x"), None);
    assert_eq!(fault("none.md#b").unwrap(), "`none.md#b`: `docs/none.md` has no heading for `#b`");
    assert_eq!(fault("gone.md").unwrap(), "`gone.md`: there is no `docs/gone.md`");
    assert_eq!(
        fault("../README.md").unwrap(),
        "`../README.md`: not a page of the book, where it is a link to nothing"
    );
}
