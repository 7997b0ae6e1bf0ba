//! A large payload on its way.

use std::sync::Arc;

use ddg_core::prelude::*;

/// Passed on from worker to worker, shared.
///
/// # Errors
/// Never, but for a defect.
pub fn chain(length: usize, bytes: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("payload-chain");
    automa.add_func_as_worker("0", move || async move { Arc::new(vec![0_u8; bytes]) }, start())?;
    for worker in 1..length {
        let options = after([(worker - 1).to_string()]);
        automa.add_func_as_worker(worker.to_string(), async |p: Arc<Vec<u8>>| p, options)?;
    }
    Ok(automa)
}

/// Passed on from worker to worker by value.
///
/// # Errors
/// Never, but for a defect.
pub fn moved(length: usize, bytes: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("payload-moved");
    automa.add_func_as_worker("0", move || async move { vec![0_u8; bytes] }, start())?;
    for worker in 1..length {
        let options = after([(worker - 1).to_string()]);
        automa.add_func_as_worker(worker.to_string(), async |p: Vec<u8>| p, options)?;
    }
    Ok(automa)
}

/// A `u64` handed down, and one more each time.
///
/// # Errors
/// Never, but for a defect.
pub fn numbers(length: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("numbers");
    automa.add_func_as_worker("0", async || 1_u64, start())?;
    for worker in 1..length {
        let options = after([(worker - 1).to_string()]);
        automa.add_func_as_worker(worker.to_string(), async |x: u64| x + 1, options)?;
    }
    Ok(automa)
}

/// Read by many.
///
/// # Errors
/// Never, but for a defect.
pub fn fan(width: usize, bytes: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("payload-fan");
    automa.add_func_as_worker("first", move || async move { vec![0_u8; bytes] }, start())?;
    for reader in 0..width {
        let read = async |payload: &Vec<u8>| payload.len() as u64;
        automa.add_func_as_worker(reader.to_string(), read, after(["first"]))?;
    }
    let sum = async |lengths: Vec<u64>| lengths.iter().sum::<u64>();
    let readers = (0..width).map(|reader| reader.to_string());
    automa.add_func_as_worker("last", sum, after(readers).merge())?;
    Ok(automa)
}
