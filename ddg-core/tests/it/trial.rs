//! An automa with one failing run while another is active: a failure affects its own run only.

use ddg_core::prelude::*;
use tokio::sync::Semaphore;

/// Holds a run up in its first step.
pub(crate) struct Gate {
    reached: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(crate) fn shut() -> Opaque<Self> {
        Opaque::new(Self { reached: Semaphore::new(0), open: Semaphore::new(0) })
    }

    pub(crate) fn opened() -> Opaque<Self> {
        let gate = Self::shut();
        gate.open();
        gate
    }

    /// Lets pass what is waiting and what comes later.
    pub(crate) fn open(&self) {
        self.open.close();
    }

    /// Waits until somebody has reached the gate.
    pub(crate) async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    /// Waits until the gate is open.
    pub(crate) async fn pass(&self) {
        self.reached.add_permits(1);
        _ = self.open.acquire().await;
    }
}

async fn entry(bad: bool, gate: Opaque<Gate>) -> bool {
    gate.pass().await;
    bad
}

/// Runs an automa whose start worker is `entry`, to which `declare` adds workers. The argument of
/// workers after `entry` is whether they misbehave; if they do not, the result is `"fine"`.
///
/// Returns the error of a bad run. A good run that begins before it and ends after it is not
/// affected, and neither is one that begins after it.
pub(crate) async fn failure(declare: impl FnOnce(&mut GraphAutoma)) -> RunError {
    let mut automa = GraphAutoma::new("trial");
    automa.add_func_as_worker("entry", entry, start()).unwrap();
    declare(&mut automa);
    let gate = Gate::shut();
    let concurrent = automa.run(args!(false, gate.clone())).spawn();
    gate.reached().await;
    let bad = automa.run(args!(true, Gate::opened())).await;
    gate.open();
    assert_eq!(concurrent.output::<String>().await.unwrap(), "fine");
    let later = automa.run(args!(false, Gate::opened())).output::<String>().await;
    assert_eq!(later.unwrap(), "fine");
    bad.expect_err("what was bad was taken")
}

/// What `failure` says.
pub(crate) async fn message(declare: impl FnOnce(&mut GraphAutoma)) -> String {
    failure(declare).await.to_string()
}

/// An output worker that is content.
pub(crate) async fn fine() -> String {
    "fine".to_owned()
}
