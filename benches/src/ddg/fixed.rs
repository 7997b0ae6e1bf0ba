//! Graphs that do not change.

use std::hint::black_box;

use ddg_core::prelude::*;

use crate::shape::{Carries, Shape, Work};
use crate::work::compute;

/// An automa of this shape.
///
/// # Errors
/// Never, but for a defect.
pub fn automa(shape: &Shape) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new(shape.name);
    for worker in 0..shape.n_workers() {
        let (key, options) = (worker.to_string(), options(shape, worker));
        match (shape.carries, shape.work[worker]) {
            (Carries::Nothing, Work::Nothing) => {
                // Holds its number, as the workers of all other engines do.
                let run = move || async move { _ = black_box(worker) };
                automa.add_func_as_worker(key, run, options.suppressed())
            }
            (Carries::Nothing, Work::Yield) => {
                automa.add_func_as_worker(key, tokio::task::yield_now, options.suppressed())
            }
            (Carries::Nothing, Work::Compute) => {
                automa.add_func_as_worker(key, async || compute(), options.suppressed())
            }
            (Carries::Nothing, Work::Sleep(duration)) => {
                let sleep = move || tokio::time::sleep(duration);
                automa.add_func_as_worker(key, sleep, options.suppressed())
            }
            (Carries::Numbers, _) if shape.dependencies[worker].is_empty() => {
                automa.add_func_as_worker(key, async || 1_u64, options)
            }
            (Carries::Numbers, _) => {
                let read = async |numbers: Vec<u64>| numbers.len() as u64;
                automa.add_func_as_worker(key, read, options.merge())
            }
        }?;
    }
    Ok(automa)
}

fn options(shape: &Shape, worker: usize) -> WorkerOptions {
    match shape.dependencies[worker].as_slice() {
        [] => start(),
        dependencies => after(dependencies.iter().map(usize::to_string)),
    }
}
