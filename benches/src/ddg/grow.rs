//! A graph that grows and shrinks while it runs.

use ddg_core::prelude::*;

/// `bystanders` workers that never run, and a plan that adds `width` workers and one that takes
/// together what they give. Its run takes how often.
///
/// # Errors
/// Never, but for a defect.
pub fn automa(bystanders: usize, width: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("grow");
    let plan = move |left: u64, cx: Context| async move {
        let keys: Vec<_> = (0..width).map(|part| format!("part {left}.{part}")).collect();
        for (part, key) in keys.iter().enumerate() {
            cx.add_func_as_worker(key, async |part: u64| part, free());
            cx.ferry_to(key, (part as u64,));
        }
        let gather = {
            let keys = keys.clone();
            move |parts: Vec<u64>, cx: Context| {
                assert_eq!(parts.len(), keys.len());
                keys.iter().for_each(|key| cx.remove_worker(key));
                cx.remove_worker(cx.key());
                if left > 1 {
                    cx.ferry_to("plan", (left - 1,));
                }
            }
        };
        cx.add_func_as_worker("gather", gather, after(keys).merge().inline());
    };
    automa.add_func_as_worker("plan", plan, start())?;
    for bystander in 0..bystanders {
        automa.add_func_as_worker(format!("bystander {bystander}"), async || {}, free())?;
    }
    Ok(automa)
}
