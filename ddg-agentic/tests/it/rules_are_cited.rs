//! The rules of `docs/files.md` and `docs/subturn.md` and the tests that show them belong together.

#[path = "../../../ddg-core/tests/it/rules_are_cited/citations.rs"]
mod citations;

use citations::Page;

const FILES: Page = Page { path: "docs/files.md", name: "files" };
const RIDDLES: Page = Page { path: "docs/riddles.md", name: "riddles" };
const SUBTURN: Page = Page { path: "docs/subturn.md", name: "subturn" };

#[test]
fn every_rule_of_files_is_cited_by_a_test() {
    FILES.check(env!("CARGO_MANIFEST_DIR"), &["tests"]);
}

#[test]
fn every_rule_of_child_agents_is_cited_by_a_test() {
    SUBTURN.check(env!("CARGO_MANIFEST_DIR"), &["tests"]);
}

#[test]
fn every_rule_of_riddles_is_cited_by_a_test() {
    RIDDLES.check(env!("CARGO_MANIFEST_DIR"), &["tests"]);
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
