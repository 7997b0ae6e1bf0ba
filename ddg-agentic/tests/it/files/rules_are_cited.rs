//! The rules of `docs/files.md` and their tests belong together: each rule is cited by a test, and
//! each citation is of a rule.
//!
//! A rule begins with its number in bold, `- **7** …`; a test cites it in its doc comment, `[files
//! 7]`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The numbers of the rules that the document states.
fn stated(document: &str) -> Vec<u32> {
    let lines = document.lines().filter_map(|line| line.strip_prefix("- **")?.split_once("**"));
    lines.filter_map(|(number, _)| number.parse().ok()).collect()
}

/// What the tests of a source cite, and what is cited beside a test.
fn cited(source: &str) -> (Vec<String>, Vec<String>) {
    let (mut by_tests, mut elsewhere, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("///") {
            let citations = line.split("[files ").skip(1);
            open.extend(citations.filter_map(|rest| Some(rest.split_once(']')?.0.to_owned())));
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            by_tests.append(&mut open);
        } else if !line.starts_with("#[") {
            elsewhere.append(&mut open);
        }
    }
    (by_tests, elsewhere)
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
fn every_rule_of_files_is_cited_by_a_test() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stated = stated(&fs::read_to_string(here.join("../docs/files.md")).unwrap());
    assert_eq!(stated, (1..=17).collect::<Vec<_>>(), "the rules are numbered without gaps");
    let mut by_rule: BTreeMap<u32, u32> = stated.into_iter().map(|rule| (rule, 0)).collect();
    let (mut faults, mut files) = (Vec::new(), Vec::new());
    sources(&here.join("tests"), &mut files);
    for file in files {
        let name = file.file_name().unwrap().display().to_string();
        let (by_tests, elsewhere) = cited(&fs::read_to_string(&file).unwrap());
        for id in by_tests {
            match id.parse().ok().and_then(|rule: u32| by_rule.get_mut(&rule)) {
                Some(count) => *count += 1,
                None => faults.push(format!("{name}: there is no rule [files {id}]")),
            }
        }
        faults.extend(elsewhere.iter().map(|id| format!("{name}: [files {id}] is beside a test")));
    }
    let uncited = by_rule.iter().filter(|(_, count)| **count == 0);
    faults.extend(uncited.map(|(rule, _)| format!("no test cites the rule {rule}")));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn citations_are_found_where_they_stand() {
    assert_eq!(stated("- **1** One.\n- **no** rule\n **2** neither\n- **3** Three."), [1, 3]);
    let source = "/// [files 1] and [files x]\n#[test]\nfn a() {}\n/// [files 2]\nfn b() {}";
    let expected = (vec!["1".to_owned(), "x".to_owned()], vec!["2".to_owned()]);
    assert_eq!(cited(source), expected);
}
