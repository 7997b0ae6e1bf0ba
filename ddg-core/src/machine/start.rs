//! Distribution of a run's positional arguments to its start workers.

use super::bind::merge;
use super::{Hosts, Machine};
use crate::args::{Args, Named, find};
use crate::graph::{Mapping, Param, Role, View};
use crate::values::Value;

impl<P: Hosts> Machine<P> {
    /// Maximum number of positional arguments that a run of `view` takes besides the `named` ones.
    pub(crate) fn most_taken(view: &View<P>, named: &Named) -> usize {
        let starts = view.starts().map(|start| view.node(start).role());
        let starts = starts.filter(|role| role.wiring.start);
        starts.map(|role| n_taken(role, named)).max().unwrap_or_default()
    }
}

/// Maximum number of positional arguments that a start worker takes.
fn n_taken(role: &Role, named: &Named) -> usize {
    let n_left = match role.open {
        true => role.n_positional,
        false => role.positional().filter(|(_, param)| given(named, param).is_none()).count(),
    };
    match role.wiring.mapping {
        Mapping::AsIs => n_left,
        Mapping::Unpack => n_left.min(1),
        Mapping::Merge if n_left > 0 => usize::MAX,
        Mapping::Merge | Mapping::Suppressed => 0,
    }
}

/// The arguments that a start worker takes. An unpacked argument counts as one until it is bound.
pub(super) fn taken(role: &Role, positional: &[Value], named: &Named) -> Args {
    let most = n_taken(role, named);
    let positional = &positional[..most.min(positional.len())];
    let mut args = Args::new();
    match role.wiring.mapping {
        Mapping::Merge if most == 0 => {}
        Mapping::Merge => args.push_value(merge(role, positional.iter().collect())),
        Mapping::AsIs if !role.open && !named.is_empty() => {
            as_is(role, positional, named, &mut args);
        }
        Mapping::AsIs | Mapping::Unpack | Mapping::Suppressed => {
            args.positional.extend(positional.iter().cloned());
        }
    }
    args
}

/// Fills parameters by position, except those that a named argument of the run fills.
fn as_is(role: &Role, positional: &[Value], named: &Named, args: &mut Args) {
    let mut positional = positional.iter();
    for (_, param) in role.positional() {
        if positional.len() == 0 {
            // The others are filled by name, as in any other worker.
            break;
        }
        match given(named, param).or_else(|| positional.next()) {
            Some(value) => args.push_value(value.clone()),
            None => break,
        }
    }
}

/// The named argument for `param`.
fn given<'a>(named: &'a Named, param: &Param) -> Option<&'a Value> {
    find(named, param.name.as_deref()?)
}
