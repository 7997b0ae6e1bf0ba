//! What it takes until a graph runs.

use std::sync::{Arc, Mutex, PoisonError};

use ddg_core::prelude::*;

use crate::shape::Shape;
use crate::subject::Prepare;
use crate::workload::Phase;

/// An automa of `workers` of which one runs.
///
/// # Errors
/// Never, but for a defect.
pub fn starts_one(workers: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("start");
    automa.add_func_as_worker("0", async || {}, start())?;
    for worker in 1..workers {
        automa.add_func_as_worker(worker.to_string(), async || {}, free())?;
    }
    Ok(automa)
}

/// Declares `shape`, of which a run stops after its first worker.
///
/// # Errors
/// Never, but for a defect.
pub fn declare(shape: &Shape) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("build");
    for (worker, dependencies) in shape.dependencies.iter().enumerate() {
        let key = worker.to_string();
        if dependencies.is_empty() {
            automa.add_func_as_worker(key, async |cx: Context| cx.stop(), start())?;
        } else {
            let options = after(dependencies.iter().map(usize::to_string));
            automa.add_func_as_worker(key, async || {}, options)?;
        }
    }
    Ok(automa)
}

/// Rounds that take one phase. The graph of a round is dropped before the next, outside of the
/// time of either.
pub(super) fn prepare(shape: &Shape, phase: Phase) -> Result<Prepare, BuildError> {
    if phase == Phase::Start {
        return super::runs(declare(shape)?, ());
    }
    let shape = Arc::new(shape.clone());
    let built = Arc::new(Mutex::new(Vec::new()));
    Ok(Box::new(move || {
        let (shape, built) = (Arc::clone(&shape), Arc::clone(&built));
        built.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let declared =
            (phase == Phase::Validate).then(|| declare(&shape).expect("nothing is wrong with it"));
        Box::pin(async move {
            let automa =
                declared.unwrap_or_else(|| declare(&shape).expect("nothing is wrong with it"));
            if phase != Phase::Declare {
                automa.validate().expect("it is valid");
            }
            if phase == Phase::All {
                automa.run(()).outcome().await.expect("it runs");
            }
            built.lock().unwrap_or_else(PoisonError::into_inner).push(automa);
        })
    }))
}
