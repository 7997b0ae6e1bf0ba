//! Two workers that jump to each other.

use ddg_core::prelude::*;

/// Its run takes how many workers shall run in all.
///
/// # Errors
/// Never, but for a defect.
pub fn automa() -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("loop");
    for (key, other, options) in [("ping", "pong", start()), ("pong", "ping", free())] {
        let jump = move |left: u64, cx: Context| async move {
            if left > 1 {
                cx.ferry_to(other, (left - 1,));
            }
        };
        automa.add_func_as_worker(key, jump, options)?;
    }
    Ok(automa)
}
