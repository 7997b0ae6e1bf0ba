//! Every message for a misused `#[automa]`, as the compiler prints it.
//!
//! The compiler's own words around ours differ from release to release. The texts are compared as a
//! whole with the compiler of `rust-toolchain.toml`. Another compiler only has to refuse each case,
//! with our words where the text begins with them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use trybuild::TestCases;

const CASES: &str = "tests/ui";

#[test]
fn messages() {
    let (pinned, found) = (pinned_version(), compiler_version());
    if pinned == found {
        TestCases::new().compile_fail(format!("{CASES}/*.rs"));
        return;
    }
    println!("rustc is {found} and the texts are those of {pinned}: only our words are compared");
    let texts = texts_of_this_compiler();
    let missing: Vec<String> = scores()
        .filter(|score| score.is_ours)
        .filter_map(|score| {
            let file = Path::new(score.case).with_extension("stderr");
            let (expected, found) = (read(&Path::new(CASES).join(&file)), read(&texts.join(&file)));
            let first = message(&expected);
            (!found.contains(first)).then(|| format!("{}: no {first:?} in\n{found}", score.case))
        })
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// A case without a score is one that nobody has looked at.
#[test]
fn every_case_is_scored() {
    let scores: Vec<Score<'_>> = scores().collect();
    let mut names: Vec<String> = cases()
        .map(|case| case.file_stem().expect("a case is a file").to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(scores.iter().map(|score| score.case).collect::<Vec<_>>(), names);
    assert!(scores.iter().all(|score| (1..=3).contains(&score.score)), "no message misleads");
    let total: u32 = scores.iter().map(|score| score.score).sum();
    assert!(f64::from(total) / scores.len() as f64 >= 2.6);
}

/// A row of `scores.md`.
struct Score<'a> {
    case: &'a str,
    score: u32,
    /// Whether the message begins with our own words.
    is_ours: bool,
}

fn scores() -> impl Iterator<Item = Score<'static>> {
    include_str!("ui/scores.md").lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (case, score, why) = (cells.next()?, cells.next()?, cells.next()?);
        Some(Score { case, score: score.parse().ok()?, is_ours: why.starts_with("ours: ") })
    })
}

/// What `messages` runs, in a process that may overwrite the texts, with another compiler than the
/// one that is pinned.
#[test]
#[ignore = "it is run by `messages`"]
fn write_texts() {
    let texts = PathBuf::from(env::var_os(TEXTS).expect("`messages` says where"));
    for case in cases() {
        fs::copy(&case, texts.join(case.file_name().expect("a case is a file")))
            .unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    }
    TestCases::new().compile_fail(format!("{}/*.rs", texts.display()));
}

/// Where `write_texts` writes.
const TEXTS: &str = "DDG_UI_TEXTS";

/// The directory with the messages of this compiler for all cases, none of which compiles.
fn texts_of_this_compiler() -> PathBuf {
    let texts = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    // What is left of an earlier time may be of cases that there are no more.
    _ = fs::remove_dir_all(&texts);
    fs::create_dir_all(&texts).expect("cargo gives a directory for this");
    let test = env::current_exe().expect("a test is a program");
    let status = Command::new(test)
        .args(["--ignored", "--exact", "write_texts"])
        .env("TRYBUILD", "overwrite")
        .env(TEXTS, &texts)
        .status()
        .expect("a test can be run");
    assert!(status.success(), "a case compiles");
    texts
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn cases() -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(CASES).expect("the cases are beside this file");
    let paths = files.map(|file| file.expect("the cases can be read").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// The first line behind `error: ` or `error[E0277]: `.
fn message(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(": ").map_or(line, |(_, message)| message)
}

fn pinned_version() -> &'static str {
    let file = include_str!("../../rust-toolchain.toml");
    let channel = file.lines().find_map(|line| line.strip_prefix("channel = "));
    channel.expect("the file names a channel").trim_matches('"')
}

/// `1.95.0`, or `1.97.0-nightly`.
fn compiler_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-V").output().expect("there is a compiler");
    let text = String::from_utf8(output.stdout).expect("a version is text");
    text.split_whitespace().nth(1).expect("`rustc 1.95.0 ..`").to_owned()
}
