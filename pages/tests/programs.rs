//! Runs the programs of the pages, and compares what they print with what the pages show.
//!
//! `cargo test -p pages --test programs -- guide` runs those of one page. In the shown output, `…`
//! stands for any text of a line, and a line `…` for any lines.

use std::env;
use std::process::{Command, ExitCode};

/// A program of a page.
struct Program {
    page: &'static str,
    line: usize,
    run: fn() -> ExitCode,
    /// Whether the page says that it can be run.
    runs: bool,
    /// The output that the page shows.
    prints: Option<&'static str>,
}

include!(concat!(env!("OUT_DIR"), "/programs.rs"));

/// The variable that names the program that this process is.
const NAMED: &str = "DDG_PAGES_PROGRAM";

fn main() -> ExitCode {
    if let Some(program) =
        env::var(NAMED).ok().and_then(|place| PROGRAMS.get(place.parse::<usize>().ok()?))
    {
        return (program.run)();
    }
    check_matches();
    if env::args().any(|arg| arg == "--list") {
        return ExitCode::SUCCESS;
    }
    let wanted = env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let mut n_run = 0;
    let mut faults = Vec::new();
    for (place, program) in PROGRAMS.iter().enumerate() {
        if program.runs && program.page.contains(&wanted) {
            n_run += 1;
            if let Err(fault) = check(place, program) {
                faults.push(format!("{}:{}: {fault}", program.page, program.line));
            }
        }
    }
    for fault in &faults {
        println!("{fault}\n");
    }
    println!("{n_run} programs of the pages, {} faults", faults.len());
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a program in a process of its own.
fn check(place: usize, program: &Program) -> Result<(), String> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let ended = Command::new(this).env(NAMED, place.to_string()).output();
    let ended = ended.map_err(|error| error.to_string())?;
    let out = String::from_utf8_lossy(&ended.stdout);
    if !ended.status.success() {
        return Err(format!("{}\n{out}{}", ended.status, String::from_utf8_lossy(&ended.stderr)));
    }
    match program.prints {
        Some(shown) if !matches(&lines(shown), &lines(&out)) => {
            Err(format!("the page shows\n{shown}\nbut the program prints\n{out}"))
        }
        None if !out.trim().is_empty() && program.page != "docs/agents.md" => Err(format!(
            "the page does not show, in a block `text`, that the program prints\n{out}"
        )),
        _ => Ok(()),
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_end().lines().map(str::trim_end).collect()
}

/// Whether the lines are as shown.
fn matches(shown: &[&str], lines: &[&str]) -> bool {
    match shown {
        [] => lines.is_empty(),
        ["…", rest @ ..] => (0..=lines.len()).any(|n| matches(rest, &lines[n..])),
        [first, rest @ ..] => lines
            .split_first()
            .is_some_and(|(line, more)| line_matches(first, line) && matches(rest, more)),
    }
}

fn line_matches(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown == line,
        Some((head, tail)) => line.strip_prefix(head).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| line_matches(tail, &rest[at..]))
        }),
    }
}

/// The comparison itself can fail.
fn check_matches() {
    assert!(matches(&["a … c", "…", "z"], &["a b c", "x", "y", "z"]));
    assert!(matches(&["…", "z"], &["z"]));
    assert!(!matches(&["a … c"], &["a b d"]));
    assert!(!matches(&["a"], &["a", "b"]));
    assert!(!matches(&["a", "b"], &["a"]));
}
