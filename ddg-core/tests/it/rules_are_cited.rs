//! The rules of `docs/semantics.md` and their tests belong together: each rule is cited by a test,
//! and each citation is of a rule.
//!
//! A rule begins with its id in bold, `- **S1** …`; a test cites it in its doc comment, `[S1]`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A letter and a number.
type Rule = (char, u32);

fn rule(text: &str) -> Option<Rule> {
    let letter = text.chars().next().filter(char::is_ascii_uppercase)?;
    let number = &text[1..];
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((letter, number.parse().ok().filter(|_| digits)?))
}

/// The rules that the document states, in its order.
fn stated(document: &str) -> Vec<Rule> {
    let ids = document.lines().filter_map(|line| line.strip_prefix("- **")?.split_once("**"));
    ids.filter_map(|(id, _)| rule(id)).collect()
}

/// What looks like a citation in a doc comment: a capital and a digit, and what follows up to the
/// bracket.
fn citations(comment: &str) -> impl Iterator<Item = &str> {
    comment.split('[').skip(1).filter_map(|rest| {
        let (id, _) = rest.split_once(']')?;
        let mut chars = id.chars();
        let like_a_rule = chars.next()?.is_ascii_uppercase() && chars.next()?.is_ascii_digit();
        like_a_rule.then_some(id)
    })
}

/// What the tests of a file cite, and what its other doc comments do.
#[derive(Default)]
struct Cited {
    by_tests: Vec<String>,
    elsewhere: Vec<String>,
}

fn cited(source: &str) -> Cited {
    let mut cited = Cited::default();
    let mut open = Vec::new();
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("///") {
            open.extend(citations(line).map(str::to_owned));
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            cited.by_tests.append(&mut open);
        } else if !line.starts_with("#[") {
            cited.elsewhere.append(&mut open);
        }
    }
    cited
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

#[test]
fn every_rule_is_cited_by_a_test_and_every_citation_is_of_a_rule() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stated = stated(&fs::read_to_string(here.join("../docs/semantics.md")).unwrap());
    assert!(!stated.is_empty(), "the document states rules");
    let mut by_rule: BTreeMap<Rule, u32> = stated.iter().map(|rule| (*rule, 0)).collect();
    let mut faults = BTreeSet::new();

    let mut expected = BTreeMap::new();
    for (letter, number) in stated {
        let next: &mut u32 = expected.entry(letter).or_default();
        *next += 1;
        if number != *next {
            faults.insert(format!("semantics.md: {letter}{number} where {letter}{next} is due"));
        }
    }
    let mut files = Vec::new();
    sources(&here.join("tests/it"), &mut files);
    for file in files {
        let name = file.file_name().unwrap().display().to_string();
        let cited = cited(&fs::read_to_string(file).unwrap());
        for id in cited.by_tests {
            match rule(&id).and_then(|rule| by_rule.get_mut(&rule)) {
                Some(count) => *count += 1,
                None => _ = faults.insert(format!("{name}: there is no rule [{id}]")),
            }
        }
        let elsewhere = |id| format!("{name}: [{id}] is cited by no test but beside one");
        faults.extend(cited.elsewhere.into_iter().map(elsewhere));
    }
    let uncited = by_rule.iter().filter(|(_, count)| **count == 0);
    faults.extend(uncited.map(|((letter, n), _)| format!("no test cites the rule {letter}{n}")));
    let faults: Vec<_> = faults.into_iter().collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn rules_and_citations_are_found_where_they_stand() {
    let document =
        "- **S1** One.\n  **S2** is no rule of its own, nor is\n- **this**.\n- **S10** Ten.";
    assert_eq!(stated(document), [('S', 1), ('S', 10)]);

    let source = [
        "/// [S1] and [A2.1], not [`Key`]",
        "#[expect(unused)]",
        "#[tokio::test(start_paused = true)]",
        "async fn a() {}",
        "    /// [S2]",
        "    fn b() {}",
        "// [S3]",
    ];
    let cited = cited(&source.join("\n"));
    assert_eq!(cited.by_tests, ["S1", "A2.1"]);
    assert_eq!(cited.elsewhere, ["S2"]);
    assert_eq!(rule("A2.1"), None);
}
