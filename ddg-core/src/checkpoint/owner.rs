//! Who holds a lease, and whether that process is still there.

use std::fmt;

/// Who asks for a lease: a name for people and, for a process, what tells whether it still runs.
///
/// A lease whose process has ended, killed or not, can be taken over at once by a process of the
/// same machine and user. That is known on Linux only; elsewhere, and from another machine, a
/// lease has to run out first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    name: String,
    process: Option<String>,
}

impl Owner {
    /// The process that this is called in.
    pub fn this_process() -> Self {
        let pid = std::process::id();
        let name = match linux::host() {
            Some(host) => format!("process {pid} on {host}"),
            None => format!("process {pid}"),
        };
        Self { name, process: linux::identify(pid) }
    }

    /// An owner by name alone.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), process: None }
    }

    /// An owner as a store has kept it: its [`name`](Self::name) and [`process`](Self::process).
    pub fn kept(name: impl Into<String>, process: Option<String>) -> Self {
        Self { name: name.into(), process }
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What identifies the process, for a store to keep.
    pub fn process(&self) -> Option<&str> {
        self.process.as_deref()
    }

    /// Whether it is known to have ended.
    pub fn has_ended(&self) -> bool {
        self.process().is_some_and(linux::has_ended)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// Processes as Linux shows them. On other systems the files do not exist, so nothing is known.
mod linux {
    use std::fs;

    /// Processes that can see each other: one boot of one machine, one namespace of process ids,
    /// and one user, since those of another may be hidden. Then the process: its id, and when it
    /// started, since ids are used again.
    pub(super) fn identify(pid: u32) -> Option<String> {
        Some(format!("{} {pid} {}", neighbourhood()?, started(&pid.to_string())?))
    }

    /// Whether the process was to be seen from here, and is there no more.
    pub(super) fn has_ended(process: &str) -> bool {
        let here = neighbourhood();
        let mut words = process.rsplitn(3, ' ');
        match (words.next(), words.next(), words.next(), here) {
            (Some(start), Some(pid), Some(place), Some(here)) if place == here => {
                started(pid).as_deref() != Some(start)
            }
            _ => false,
        }
    }

    pub(super) fn host() -> Option<String> {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
        Some(host.trim().to_owned())
    }

    fn neighbourhood() -> Option<String> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let user = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let user = user.split_whitespace().next()?;
        Some(format!("{} {} {user}", boot.trim(), namespace.to_str()?))
    }

    /// When a process started, in ticks since the boot; nothing if it does not run.
    fn started(pid: &str) -> Option<String> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before it may have spaces and parentheses in it.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?;
        let waits_to_be_buried = matches!(state, "Z" | "X");
        if waits_to_be_buried { None } else { fields.nth(18).map(str::to_owned) }
    }
}
