//! Checks that a worker overrides another only if another block may have declared it.

use crate::fault::Faults;
use crate::model::{Block, Declaration, Placement};

pub(super) fn check(block: &Block, faults: &mut Faults) {
    if block.shares_its_automa() {
        return;
    }
    for worker in &block.workers {
        if let Placement::Placed { declaration: Declaration::Override(option), .. } =
            &worker.placement
        {
            faults.push_with_help(
                option,
                "there is nothing to override: this automa has no fragments",
                "drop `override`, or name the fragment in `#[automa(fragments = [..])]`",
            );
        }
    }
}
