//! A thread that works for stores and leases, independent of the runtimes of the runs.
//!
//! A worker may block the runtime of its run, and a runtime may be dropped while a store still has
//! to write for it.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle};

/// The runtime of the thread, which lives as long as the process; `None` if the thread could not be
/// started.
pub(crate) fn runtime() -> Option<&'static Handle> {
    static RUNTIME: OnceLock<Option<Handle>> = OnceLock::new();
    let start = || {
        let runtime = Builder::new_current_thread().enable_all().build().ok()?;
        let handle = runtime.handle().clone();
        let keep = move || runtime.block_on(futures::future::pending::<()>());
        let thread = std::thread::Builder::new().name("ddg-leases".to_owned()).spawn(keep);
        thread.ok().map(|_| handle)
    };
    RUNTIME.get_or_init(start).as_ref()
}
