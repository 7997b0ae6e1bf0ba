//! Checks that the keys of all workers differ.

use crate::fault::Faults;
use crate::model::Block;

pub(super) fn check(block: &Block, faults: &mut Faults) {
    for (worker_idx, worker) in block.workers.iter().enumerate() {
        let earlier = block.workers[..worker_idx].iter().find(|earlier| {
            // If both have a `#[cfg]`, possibly only one of them exists.
            let conditional = !earlier.cfgs.is_empty() && !worker.cfgs.is_empty();
            earlier.key.text == worker.key.text && !conditional
        });
        if let Some(earlier) = earlier {
            let (key, method) = (&worker.key.text, earlier.method());
            faults.push(
                worker.key_tokens(),
                format_args!(
                    "the key `{key}` is taken by the worker `{method}`: give this one another"
                ),
            );
        }
    }
}
