//! The graphs that are measured, with workers that do nothing.

use ddg_core::prelude::*;

async fn noop() {}

/// `n` workers in a row.
///
/// # Errors
/// Never, but for a defect.
pub fn chain(n: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("chain");
    for place in 0..n {
        let options = if place == 0 { start() } else { after([format!("{}", place - 1)]) };
        automa.add_func_as_worker(place.to_string(), noop, options)?;
    }
    automa.validate()?;
    Ok(automa)
}

/// One worker, `n` after it, one after those.
///
/// # Errors
/// Never, but for a defect.
pub fn fan(n: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("fan");
    automa.add_func_as_worker("first", noop, start())?;
    for place in 0..n {
        automa.add_func_as_worker(place.to_string(), noop, after(["first"]))?;
    }
    automa.add_func_as_worker("last", noop, after((0..n).map(|place| place.to_string())))?;
    automa.validate()?;
    Ok(automa)
}

/// A binary tree of `n` workers.
///
/// # Errors
/// Never, but for a defect.
pub fn tree(n: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("tree");
    for place in 0..n {
        let options = if place == 0 { start() } else { after([((place - 1) / 2).to_string()]) };
        automa.add_func_as_worker(place.to_string(), noop, options)?;
    }
    automa.validate()?;
    Ok(automa)
}

/// Two workers that ferry to each other until the count they are given is used up.
///
/// # Errors
/// Never, but for a defect.
pub fn looped() -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("loop");
    let jump = |to: &'static str| {
        move |left: u64, cx: Context| async move {
            if left > 1 {
                cx.ferry_to(to, (left - 1,));
            }
        }
    };
    automa.add_func_as_worker("ping", jump("pong"), start())?;
    automa.add_func_as_worker("pong", jump("ping"), free())?;
    automa.validate()?;
    Ok(automa)
}
