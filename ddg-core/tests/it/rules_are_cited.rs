//! The rules of `docs/semantics.md` and their tests belong together: each rule is cited by a test,
//! and each citation is of a rule.

mod citations;

use citations::Page;

const SEMANTICS: Page = Page { path: "docs/semantics.md", name: "" };

#[test]
fn every_rule_is_cited_by_a_test_and_every_citation_is_of_a_rule() {
    SEMANTICS.check(env!("CARGO_MANIFEST_DIR"), &["tests/it"]);
}

#[test]
fn rules_and_citations_are_found_where_they_stand() {
    let document =
        "- **S1** One.\n  **S2** is no rule of its own, nor is\n- **this**.\n- **S10** Ten.";
    assert_eq!(SEMANTICS.stated(document), [(Some('S'), 1), (Some('S'), 10)]);

    let source = [
        "/// [S1] and [A2.1], not [`Key`]",
        "#[expect(unused)]",
        "#[tokio::test(start_paused = true)]",
        "async fn a() {}",
        "    /// [S2]",
        "    fn b() {}",
        "// [S3]",
    ];
    let (by_tests, elsewhere) = SEMANTICS.cited(&source.join("\n"));
    assert_eq!(by_tests, ["S1", "A2.1"]);
    assert_eq!(elsewhere, ["S2"]);
}
