//! Checks what can be known about a block before anything runs.

mod cycles;
mod generics;
mod keys;
mod mappings;
mod outputs;
mod overrides;
mod references;
mod surplus;
mod topology;

pub(crate) use self::generics::completed;
use self::topology::Topology;
use crate::fault::Faults;
use crate::model::Block;

/// Reports what is wrong with the graph that the block declares.
///
/// The compiler checks the types of parameters; see [`crate::lower`].
pub(crate) fn check(block: &Block, faults: &mut Faults) {
    keys::check(block, faults);
    references::check(block, faults);
    overrides::check(block, faults);
    let topology = Topology::new(block);
    let is_acyclic = cycles::check(block, &topology, faults);
    if is_acyclic {
        outputs::check(block, &topology, faults);
    }
    surplus::check(block, faults);
    mappings::check(block, faults);
    generics::check(block, faults);
}
