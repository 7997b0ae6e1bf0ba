//! Many runs of one automa at a time.

use std::sync::Arc;

use ddg_core::prelude::*;
use tokio::task::JoinSet;

use crate::gate::Gate;
use crate::subject::Prepare;

/// A row of `workers`, of which the one in the middle waits at `gate`.
///
/// # Errors
/// Never, but for a defect.
pub fn automa(workers: usize, gate: &Arc<Gate>) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("many");
    for worker in 0..workers {
        let options = match worker {
            0 => start(),
            _ => after([(worker - 1).to_string()]),
        };
        if worker == workers / 2 {
            let gate = Arc::clone(gate);
            let pass = move || {
                let gate = Arc::clone(&gate);
                async move { gate.pass().await }
            };
            automa.add_func_as_worker(worker.to_string(), pass, options)?;
        } else {
            automa.add_func_as_worker(worker.to_string(), async || {}, options)?;
        }
    }
    automa.validate()?;
    Ok(automa)
}

pub(super) fn prepare(runs: usize, workers: usize) -> Result<Prepare, BuildError> {
    let gate = Arc::new(Gate::new(runs));
    let automa = Arc::new(automa(workers, &gate)?);
    Ok(Box::new(move || {
        let (gate, automa) = (Arc::clone(&gate), Arc::clone(&automa));
        Box::pin(async move {
            let mut set = JoinSet::new();
            for _ in 0..runs {
                let automa = Arc::clone(&automa);
                set.spawn(async move { automa.run(()).outcome().await });
            }
            gate.open().await;
            while let Some(ended) = set.join_next().await {
                ended.expect("no run panics").expect("it runs");
            }
        })
    }))
}
