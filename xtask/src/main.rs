//! Chores of this repository: `cargo xtask`.

use std::collections::BTreeSet;
use std::error::Error;
use std::process::{Command, ExitCode};
use std::time::Instant;

const HELP: &str = "\
cargo xtask quick [CRATE [TEST]]

Checks a small change: the format of all code, then clippy and the tests of one crate. Without a
crate, of each crate that has changes since `main`. TEST is a part of the names of the tests that
run. Tests that take long or need a database, a network or another program are left to `.ci/run`.";

/// The crates with tests, each with the arguments that choose its quick ones.
const CRATES: [(&str, &[&str]); 6] = [
    ("ddg-core", &["--lib", "--test", "it"]),
    ("ddg-macros", &["--lib", "--test", "public_names"]),
    ("ddg-agentic", &["--lib", "--test", "it"]),
    ("ddg-server", &["--lib", "--test", "it"]),
    ("examples", &["--examples"]),
    ("pages", &["--test", "programs"]),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args[..] {
        ["quick"] => changed().and_then(|crates| quick(&crates, None)),
        ["quick", name] => quick(&[name], None),
        ["quick", name, test] => quick(&[name], Some(test)),
        _ => Err(HELP.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn quick(crates: &[&str], test: Option<&str>) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    cargo(&["fmt", "--all", "--check"])?;
    for name in crates {
        let Some((_, chosen)) = CRATES.iter().find(|(known, _)| known == name) else {
            let known = CRATES.map(|(name, _)| name).join(", ");
            return Err(format!("no crate `{name}`; there are {known}").into());
        };
        let mut clippy = vec!["clippy", "--quiet", "--package", name];
        clippy.extend_from_slice(chosen);
        clippy.extend(["--", "--deny", "warnings"]);
        cargo(&clippy)?;
        let mut tests = vec!["test", "--quiet", "--package", name];
        tests.extend_from_slice(chosen);
        tests.extend(test);
        cargo(&tests)?;
    }
    let crates = if crates.is_empty() { "no crate has changed".into() } else { crates.join(", ") };
    println!("quick: {crates}: {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn cargo(args: &[&str]) -> Result<(), Box<dyn Error>> {
    eprintln!("cargo {}", args.join(" "));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(args).status()?;
    if status.success() { Ok(()) } else { Err(format!("cargo {}: {status}", args[0]).into()) }
}

/// The crates with files that differ from those of the last commit that `main` has, too.
fn changed() -> Result<Vec<&'static str>, Box<dyn Error>> {
    let base = git(&["merge-base", "HEAD", "main"]).unwrap_or_else(|_| "HEAD".to_owned());
    let tracked = git(&["diff", "--name-only", base.trim()])?;
    let new = git(&["ls-files", "--others", "--exclude-standard"])?;
    let files = tracked.lines().chain(new.lines());
    let folders: BTreeSet<&str> = files.filter_map(|file| Some(file.split_once('/')?.0)).collect();
    Ok(CRATES.into_iter().map(|(name, _)| name).filter(|name| folders.contains(name)).collect())
}

fn git(args: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new("git").args(args).output()?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(format!("git {}: {}", args[0], String::from_utf8_lossy(&output.stderr)).into())
    }
}
