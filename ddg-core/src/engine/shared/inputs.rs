//! Whether the arguments of a run reach a worker, before it begins.

use std::borrow::Cow;

use crate::args::{Args, Named};
use crate::automa::Program;
use crate::graph::View;
use crate::machine::Machine;
use crate::run::RunError;
use crate::values::Value;
use crate::worker::Body;
use std::sync::Arc;

/// Checks that each argument of a run reaches a worker, and that all needed inputs are present.
pub(super) fn check_arguments(
    program: &Program,
    view: &View<Arc<Body>>,
    args: &Args,
    outer_inputs: &Named,
) -> Result<(), RunError> {
    check_inputs(program, args.named_slice())?;
    let none = Vec::new();
    let named = args.named.as_deref().unwrap_or(&none);
    let faults = program.input_faults(&[named, outer_inputs]);
    if !faults.is_empty() {
        return Err(RunError::Inputs { automa: program.automa().to_string(), faults });
    }
    let given = args.positional.len();
    if given == 0 {
        return Ok(());
    }
    let taken = Machine::most_taken(view, named);
    match given <= taken {
        true => Ok(()),
        false => {
            Err(RunError::UnusedArguments { automa: program.automa().to_string(), given, taken })
        }
    }
}

/// A name that reaches nobody is a typo.
fn check_inputs(program: &Program, named: &[(Cow<'static, str>, Value)]) -> Result<(), RunError> {
    let inputs = &program.inputs;
    if inputs.open {
        return Ok(());
    }
    match named.iter().find(|(name, _)| !inputs.names.contains(name.as_ref())) {
        None => Ok(()),
        Some((name, _)) => {
            let mut known: Vec<_> = inputs.names.iter().cloned().collect();
            known.sort_unstable();
            Err(RunError::UnknownInput {
                automa: program.automa().to_string(),
                name: name.to_string(),
                known,
            })
        }
    }
}
