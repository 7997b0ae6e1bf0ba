//! The rules of a document and the tests that show them belong together: each rule is cited by a test,
//! and each citation is of a rule. Shared by the tests of all crates.
//!
//! A rule begins with its id in bold, `- **S1** …` or `- **7** …`. A test cites it in its doc comment: `[S1]`,
//! or, of a page with a name, `[files 7]`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Perhaps a letter, and a number.
pub(crate) type Rule = (Option<char>, u32);

/// A document with rules.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    /// Its path from the root of the workspace.
    pub(crate) path: &'static str,
    /// What is before the id in a citation; nothing if ids begin with a letter.
    pub(crate) name: &'static str,
}

impl Page {
    fn rule(&self, text: &str) -> Option<Rule> {
        let letter = text.chars().next().filter(char::is_ascii_uppercase);
        let number = &text[letter.map_or(0, char::len_utf8)..];
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let fits = digits && letter.is_some() == self.name.is_empty();
        Some((letter, number.parse().ok().filter(|_| fits)?))
    }

    /// The rules that the document states, in its order.
    pub(crate) fn stated(&self, document: &str) -> Vec<Rule> {
        let ids = document.lines().filter_map(|line| line.strip_prefix("- **")?.split_once("**"));
        ids.filter_map(|(id, _)| self.rule(id)).collect()
    }

    /// What looks like a citation in a doc comment.
    fn citations<'a>(&self, comment: &'a str) -> Vec<&'a str> {
        let inside = comment.split('[').skip(1).filter_map(|rest| Some(rest.split_once(']')?.0));
        if self.name.is_empty() {
            let like_a_rule = |id: &&str| {
                let mut chars = id.chars();
                chars.next().is_some_and(|first| first.is_ascii_uppercase())
                    && chars.next().is_some_and(|second| second.is_ascii_digit())
            };
            return inside.filter(like_a_rule).collect();
        }
        inside.filter_map(|id| id.strip_prefix(self.name)?.strip_prefix(' ')).collect()
    }

    /// What the tests of a source cite, and what is cited beside a test.
    pub(crate) fn cited(&self, source: &str) -> (Vec<String>, Vec<String>) {
        let (mut by_tests, mut elsewhere, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for line in source.lines().map(str::trim_start) {
            if line.starts_with("///") {
                open.extend(self.citations(line).into_iter().map(str::to_owned));
            } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                by_tests.append(&mut open);
            } else if !line.starts_with("#[") {
                elsewhere.append(&mut open);
            }
        }
        (by_tests, elsewhere)
    }

    /// Fails unless the tests of the crate `of` in these folders cite all rules, and nothing else.
    #[track_caller]
    pub(crate) fn check(&self, of: &str, folders: &[&str]) {
        let of = Path::new(of);
        let document = fs::read_to_string(of.join("..").join(self.path)).unwrap();
        let stated = self.stated(&document);
        assert!(!stated.is_empty(), "{} states rules", self.path);
        let mut by_rule: BTreeMap<Rule, u32> = stated.iter().map(|rule| (*rule, 0)).collect();
        let mut faults = BTreeSet::new();

        let mut expected = BTreeMap::new();
        for (letter, number) in stated {
            let next: &mut u32 = expected.entry(letter).or_default();
            *next += 1;
            if number != *next {
                let (found, due) = (shown((letter, number)), shown((letter, *next)));
                faults.insert(format!("{}: {found} where {due} is due", self.path));
            }
        }
        let mut files = Vec::new();
        folders.iter().for_each(|folder| sources(&of.join(folder), &mut files));
        for file in files {
            let name = file.file_name().unwrap().display().to_string();
            let (by_tests, elsewhere) = self.cited(&fs::read_to_string(file).unwrap());
            for id in by_tests {
                match self.rule(&id).and_then(|rule| by_rule.get_mut(&rule)) {
                    Some(count) => *count += 1,
                    None => _ = faults.insert(format!("{name}: there is no rule [{id}]")),
                }
            }
            let beside = |id| format!("{name}: [{id}] is cited by no test but beside one");
            faults.extend(elsewhere.into_iter().map(beside));
        }
        let uncited = by_rule.iter().filter(|(_, count)| **count == 0);
        faults.extend(uncited.map(|(rule, _)| format!("no test cites the rule {}", shown(*rule))));
        let faults: Vec<_> = faults.into_iter().collect();
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }
}

fn shown((letter, number): Rule) -> String {
    letter.map_or_else(|| number.to_string(), |letter| format!("{letter}{number}"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
