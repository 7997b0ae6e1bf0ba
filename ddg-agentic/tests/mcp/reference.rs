//! The reference servers and clients, installed once into the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The reference server from npm, which has a tool of every kind.
const EVERYTHING: &str = "@modelcontextprotocol/server-everything";
const EVERYTHING_VERSION: &str = "2026.8.31";

/// The reference implementation of client and server from PyPI.
const PYTHON_VERSION: &str = "2.3.0";

/// The script that `node` runs as the reference server.
pub(crate) fn everything() -> &'static str {
    static SCRIPT: OnceLock<String> = OnceLock::new();
    SCRIPT.get_or_init(|| npm(EVERYTHING, EVERYTHING_VERSION, "dist/index.js"))
}

/// The `python` that has the reference implementation.
pub(crate) fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| pypi("mcp", PYTHON_VERSION))
}

/// A script of a package from npm.
pub(crate) fn npm(package: &str, version: &str, script: &str) -> String {
    let name = package.rsplit('/').next().unwrap_or(package).trim_start_matches("server-");
    let folder = installed(&format!("{name}-{version}"), |folder| {
        let install = ["install", "--no-audit", "--no-fund", "--silent", "--prefix"];
        let package = format!("{package}@{version}");
        run(Command::new("npm").args(install).arg(folder).arg(package), "Node.js 20 with npm");
    });
    text(&folder.join("node_modules").join(package).join(script))
}

/// The `python` that has a package from PyPI.
pub(crate) fn pypi(package: &str, version: &str) -> String {
    let folder = installed(&format!("python-{package}-{version}"), |folder| {
        let needed = "Python 3.10 with venv and pip";
        run(Command::new("python3").args(["-m", "venv"]).arg(folder), needed);
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let package = format!("{package}=={version}");
        run(Command::new(folder.join("bin/python")).args(install).arg(package), needed);
    });
    text(&folder.join("bin/python"))
}

/// A script of these tests.
pub(crate) fn script(name: &str) -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp").join(name))
}

/// The folder `name`, which `install` fills if it is not there yet.
fn installed(name: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let complete = folder.join("complete");
    if !complete.exists() {
        let _half = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        install(&folder);
        fs::write(complete, "").unwrap();
    }
    folder
}

fn run(command: &mut Command, needed: &str) {
    let failed = match command.output() {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!("these tests need {needed} and its package registry; {command:?} failed: {failed}");
}

fn text(path: &Path) -> String {
    path.to_str().expect("the repository's path is UTF-8").to_owned()
}
