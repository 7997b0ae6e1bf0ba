//! Errors of binding arguments.

use super::hint::did_you_mean;
use crate::graph::count;
use crate::key::Key;
use crate::printable::shown;
use crate::values::TypeMismatch;

/// A worker could not be called with the available arguments.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// A parameter has no argument.
    #[error(
        "parameter {parameter} (`{expected}`) got no argument: {given} given by position{}",
        or_by_name(.parameter),
        parameter = shown(.parameter), expected = shown(.expected)
    )]
    TooFew {
        /// The parameter: its name in backquotes, or its position from 1.
        parameter: String,
        /// Its type.
        expected: String,
        /// Number of positional arguments.
        given: usize,
    },
    /// A parameter that only a run input fills has none.
    #[error(
        "parameter {parameter} (`{expected}`) is an input, but the run has no input of that name",
        parameter = shown(.parameter), expected = shown(.expected)
    )]
    NoInput {
        /// The parameter: its name in backquotes.
        parameter: String,
        /// Its type.
        expected: String,
    },
    /// There are more arguments than parameters.
    #[error(
        "{} given by position, but only {} to take them",
        count(*.given, "argument"), count(*.parameters, "parameter")
    )]
    TooMany {
        /// Number of positional arguments.
        given: usize,
        /// Number of parameters that can take one.
        parameters: usize,
    },
    /// A named argument fits no parameter.
    #[error("there is no parameter `{name}`{}", did_you_mean(.name, .known), name = shown(.name))]
    UnknownName {
        /// The name of the argument.
        name: String,
        /// The names of the parameters.
        known: Vec<String>,
    },
    /// An argument has another type than the parameter.
    #[error("parameter {parameter}: {source}", parameter = shown(.parameter))]
    Mismatch {
        /// The parameter: its name in backquotes, or its position from 1.
        parameter: String,
        /// The expected type and the actual one.
        r#source: TypeMismatch,
    },
    /// The output to unpack is neither a list nor a map.
    #[error(
        "cannot unpack the output of `{dependency}`: it is neither a list nor a map, but {found}",
        dependency = shown(.dependency), found = shown(.found)
    )]
    NotUnpackable {
        /// The worker that gave the output.
        dependency: Key,
        /// A description of the output.
        found: String,
    },
    /// The run's argument that a start worker is to unpack is neither a list nor a map.
    #[error(
        "cannot unpack the run's argument: it is neither a list nor a map, but {found}",
        found = shown(.found)
    )]
    ArgumentNotUnpackable {
        /// What it is.
        found: String,
    },
    /// A parameter takes the output of a worker that has not run.
    #[error(
        "parameter {parameter} takes the output of `{from}`, which {why}",
        parameter = shown(.parameter), from = shown(.from)
    )]
    From {
        /// The parameter.
        parameter: String,
        /// The worker that has not run.
        from: Key,
        /// The reason why there is no output.
        why: &'static str,
    },
}

fn or_by_name(parameter: &str) -> &'static str {
    if parameter.starts_with('`') { ", none of that name" } else { "" }
}

crate::__debug_is_display!(BindError);
