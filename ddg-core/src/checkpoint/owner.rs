//! Owners of leases, and whether their process still runs.

use std::fmt;

/// The owner of a lease: a name for people and, if it is a process, what identifies it.
///
/// If the process of a lease has ended, a process of the same machine and user can acquire the
/// lease at once. This works on Linux; elsewhere, and from another machine, the lease has to expire
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    name: String,
    process: Option<String>,
}

impl Owner {
    /// The current process.
    pub fn this_process() -> Self {
        let pid = std::process::id();
        let name = match linux::host() {
            Some(host) => format!("process {pid} on {host}"),
            None => format!("process {pid}"),
        };
        Self { name, process: linux::identify(pid) }
    }

    /// An owner that is identified by name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), process: None }
    }

    /// Restores an owner from its [`name`](Self::name) and [`process`](Self::process).
    pub fn kept(name: impl Into<String>, process: Option<String>) -> Self {
        Self { name: name.into(), process }
    }

    /// The name for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The identity of the process, for a store to keep.
    pub fn process(&self) -> Option<&str> {
        self.process.as_deref()
    }

    /// Whether the process is known to have ended.
    pub fn has_ended(&self) -> bool {
        self.process().is_some_and(linux::has_ended)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// Processes as Linux shows them in `/proc`. On other systems the files do not exist, so nothing is
/// known.
mod linux {
    use std::fs;

    /// The identity of a process: boot id of the machine, namespace of process ids, user, process
    /// id, and start time.
    ///
    /// Only a process with the same boot, namespace and user can tell whether this one has ended,
    /// because others cannot see it. The start time is needed because process ids are reused.
    pub(super) fn identify(pid: u32) -> Option<String> {
        Some(format!("{} {pid} {}", neighbourhood()?, started(&pid.to_string())?))
    }

    /// Whether the process could be seen from here, and is gone.
    pub(super) fn has_ended(process: &str) -> bool {
        let here = neighbourhood();
        let mut words = process.rsplitn(3, ' ');
        match (words.next(), words.next(), words.next(), here) {
            // A process of another machine or user is invisible from here, which does not mean that
            // it has ended.
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

    /// The start time of a process in ticks since the boot; `None` if it does not run.
    fn started(pid: &str) -> Option<String> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The process name is in parentheses and may contain spaces and parentheses itself.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?;
        // A zombie is still listed until its parent collects it, but it writes no more.
        let waits_to_be_buried = matches!(state, "Z" | "X");
        if waits_to_be_buried { None } else { fields.nth(18).map(str::to_owned) }
    }
}
