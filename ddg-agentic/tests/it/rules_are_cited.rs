//! The rules of `docs/files.md` and `docs/subturn.md` and the tests that show them belong together.

#[path = "../../../ddg-core/tests/it/rules_are_cited/citations.rs"]
mod citations;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use citations::Page;

const FILES: Page = Page { path: "docs/files.md", name: "files" };
const RIDDLES: Page = Page { path: "docs/riddles.md", name: "riddles" };
const SUBTURN: Page = Page { path: "docs/subturn.md", name: "subturn" };
const ASSISTANTS: Page = Page { path: "docs/assistants.md", name: "assistants" };

#[test]
fn every_rule_of_files_is_cited_by_a_test() {
    FILES.check(env!("CARGO_MANIFEST_DIR"), &["tests"]);
}

#[test]
fn every_rule_of_child_agents_is_cited_by_a_test() {
    SUBTURN.check(env!("CARGO_MANIFEST_DIR"), &["tests"]);
}

/// Rules of assistants have names, such as `run 3.1` and `states 2`. Tests of this crate and of the server
/// cite them.
#[test]
fn every_rule_of_assistants_is_cited_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join(ASSISTANTS.path)).unwrap();
    let name = |line: &str| Some(line.strip_prefix("- **")?.split_once("**")?.0.to_owned());
    // A bold phrase that is no name of a rule ends with a punctuation mark, or has a capital.
    let is_name = |name: &String| {
        name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || " .".contains(c))
    };
    let stated: BTreeSet<_> = document.lines().filter_map(name).filter(is_name).collect();
    assert!(stated.contains("run 1.1") && stated.contains("states 1"), "{stated:?}");

    let mut cited = BTreeSet::new();
    let folders = ["ddg-agentic/tests", "ddg-server/tests", "ddg-server/src"];
    let mut folders: Vec<_> = folders.map(|folder| root.join(folder)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                let (by_tests, elsewhere) = ASSISTANTS.cited(&source);
                assert_eq!(
                    elsewhere,
                    Vec::<String>::new(),
                    "{} cites beside a test",
                    path.display()
                );
                cited.extend(by_tests);
            }
        }
    }
    let unknown: Vec<_> = cited.difference(&stated).collect();
    let missing: Vec<_> = stated.difference(&cited).collect();
    assert!(
        unknown.is_empty() && missing.is_empty(),
        "no rules: {unknown:?}; not cited: {missing:?}"
    );
}

/// Tests of this crate and of the server cite them.
#[test]
fn every_rule_of_riddles_is_cited_by_a_test() {
    let folders = ["tests", "src/riddles", "../ddg-server/tests", "../ddg-server/src"];
    RIDDLES.check(env!("CARGO_MANIFEST_DIR"), &folders);
}

#[test]
fn rules_and_citations_of_a_named_page_are_found_where_they_stand() {
    assert_eq!(
        FILES.stated("- **1** One.\n- **no** rule\n **2** neither\n- **3** Three.").len(),
        2
    );
    let source = "/// [files 1] and [files x]\n#[test]\nfn a() {}\n/// [files 2]\nfn b() {}";
    let expected = (vec!["1".to_owned(), "x".to_owned()], vec!["2".to_owned()]);
    assert_eq!(FILES.cited(source), expected);
}
