//! swiftide-tasks: nodes that say where to go next; a fan-out is joined before the next can begin. All
//! on the task that runs it.
//!
//! It asks for a newer rustc than this workspace (1.97), so it is built only where it is asked for:
//! `RUSTFLAGS="--cfg peer_swiftide_tasks" cargo run --ignore-rust-version ...`.

use crate::subject::{Peer, Prepare};
use crate::workload::Workload;

#[cfg(peer_swiftide_tasks)]
mod rounds;

pub(super) struct SwiftideTasks;

impl Peer for SwiftideTasks {
    fn name(&self) -> &'static str {
        "swiftide-tasks"
    }

    fn version(&self) -> &'static str {
        "0.33.0"
    }

    #[cfg(not(peer_swiftide_tasks))]
    fn prepare(&self, _workload: &Workload) -> Result<Prepare, &'static str> {
        Err("not built: asks for rustc 1.97 (with `--ignore-rust-version` it builds, see its file)")
    }

    #[cfg(peer_swiftide_tasks)]
    fn prepare(&self, workload: &Workload) -> Result<Prepare, &'static str> {
        rounds::prepare(workload)
    }
}
