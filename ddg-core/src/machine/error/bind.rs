//! Why a worker could not be called.

use super::hint::did_you_mean;
use crate::graph::count;
use crate::key::Key;
use crate::values::TypeMismatch;

/// A worker could not be called with what there was.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// A parameter has no argument.
    #[error(
        "parameter {parameter} (`{expected}`) got no argument: {given} given by position{}",
        or_by_name(.parameter)
    )]
    TooFew {
        /// The parameter: its name in backquotes, or its position from 1.
        parameter: String,
        /// Its type.
        expected: String,
        /// How many arguments were given by position.
        given: usize,
    },
    /// A parameter that only a run input fills has none.
    #[error(
        "parameter {parameter} (`{expected}`) is an input, and the run was given none of that name"
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
        /// How many arguments were given by position.
        given: usize,
        /// How many parameters can take one.
        parameters: usize,
    },
    /// An argument is named like no parameter.
    #[error("there is no parameter `{name}`{}", did_you_mean(.name, .known))]
    UnknownName {
        /// The argument's name.
        name: String,
        /// The parameters' names.
        known: Vec<String>,
    },
    /// An argument is of another type than the parameter.
    #[error("parameter {parameter}: {source}")]
    Mismatch {
        /// The parameter: its name in backquotes, or its position from 1.
        parameter: String,
        /// Expected and found.
        r#source: TypeMismatch,
    },
    /// What is to be unpacked is neither a list nor a map.
    #[error("cannot unpack the output of `{dependency}`: it is no list and no map, but {found}")]
    NotUnpackable {
        /// The worker whose output it is.
        dependency: Key,
        /// What it is.
        found: String,
    },
    /// The run's argument that a start worker is to unpack is neither a list nor a map.
    #[error("cannot unpack the run's argument: it is no list and no map, but {found}")]
    ArgumentNotUnpackable {
        /// What it is.
        found: String,
    },
    /// A parameter takes the output of a worker that has not run.
    #[error("parameter {parameter} takes the output of `{from}`, which {why}")]
    From {
        /// The parameter.
        parameter: String,
        /// The worker it takes the output of.
        from: Key,
        /// Why there is none.
        why: &'static str,
    },
}

fn or_by_name(parameter: &str) -> &'static str {
    if parameter.starts_with('`') { ", none of that name" } else { "" }
}

crate::__debug_is_display!(BindError);
