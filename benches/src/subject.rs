//! An engine that is measured.

use futures::future::BoxFuture;

use crate::workload::Workload;

/// What sort of engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// This one.
    Ddg,
    /// The same work written by hand on tokio or futures.
    Baseline,
    /// Another crate.
    Peer,
}

/// One run of a workload, ready to go: awaiting it is what is timed.
pub type Round = BoxFuture<'static, ()>;

/// Makes one round after the other. What it does itself (declaring the graph) is not timed. Where
/// the graph can be run again and again it is declared before, once.
pub type Prepare = Box<dyn FnMut() -> Round + Send>;

/// One engine with one workload.
pub struct Subject {
    /// Its name, the same in all workloads.
    pub engine: &'static str,
    /// What sort of engine it is.
    pub kind: Kind,
    /// Its rounds, or why it cannot do this workload.
    pub prepare: Result<Prepare, String>,
}

/// Another crate that does what this engine does.
pub trait Peer {
    /// Its name on crates.io.
    fn name(&self) -> &'static str;

    /// Its version.
    fn version(&self) -> &'static str;

    /// Its rounds of `workload`. Called, and the rounds awaited, within a tokio runtime.
    ///
    /// # Errors
    /// Why it cannot do this workload.
    fn prepare(&self, workload: &Workload) -> Result<Prepare, &'static str>;
}
