//! The machine that the figures are of.

use std::fs;
use std::process::Command;

/// A machine, as far as it tells about itself.
#[derive(Clone, Debug)]
pub struct Machine {
    cpu: String,
    cores: usize,
    memory: String,
    system: String,
    rustc: String,
    commit: String,
    date: String,
    load_before: String,
}

impl Machine {
    /// This one, now.
    pub fn this() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Self {
            cpu: field_of("/proc/cpuinfo", "model name"),
            cores,
            memory: memory(),
            system: field_of("/etc/os-release", "PRETTY_NAME").replace('"', ""),
            rustc: said_by("rustc", &["--version"]),
            commit: said_by("git", &["describe", "--always", "--dirty"]),
            date: said_by("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            load_before: load(),
        }
    }

    /// A line about it for the report, with the load before and now.
    pub fn describe(&self) -> String {
        let Self { cpu, cores, memory, system, rustc, commit, date, load_before } = self;
        format!(
            "{cpu}, {cores} cores, {memory} of memory; {system}, {}; {rustc}; commit {commit}; \
             {date}. Load average {load_before} before, {} after.",
            std::env::consts::ARCH,
            load(),
        )
    }
}

fn memory() -> String {
    let total = field_of("/proc/meminfo", "MemTotal");
    let kb = total.trim_end_matches(" kB").parse::<usize>();
    kb.map_or(total, |kb| format!("{} GB", (kb + 500_000) / 1_000_000))
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}

/// The value of a `name: value` or `name=value` line.
fn field_of(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once([':', '=']));
    value.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let said = output.ok().filter(|output| output.status.success());
    said.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
