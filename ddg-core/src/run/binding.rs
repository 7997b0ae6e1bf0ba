//! Turns what a kickoff has (dependency outputs, ferry or run arguments, run inputs) into the
//! arguments of its worker.
//!
//! By position come the outputs of the dependencies (mapped), or the ferry's or the run's
//! arguments. What position leaves open is filled by name, the strongest first: the ferry's
//! arguments, the unpacked map, the run inputs. Injected parameters are filled by name only.

use std::borrow::Cow;

use super::BindError;
use crate::args::{Args, find};
use crate::graph::Spec;
use crate::key::Key;
use crate::values::Value;
use crate::worker::{Mapping, Origin};

/// Arguments before they are matched with parameters.
#[derive(Default)]
pub(super) struct Given<'a> {
    pub(super) args: Args,
    pub(super) inputs: &'a [(Cow<'static, str>, Value)],
}

/// Where a worker's last output can be had.
pub(super) enum LastOutput {
    Is(Value),
    NotYet,
    NoSuchWorker,
}

/// The arguments that dependencies give, by the worker's mapping.
pub(super) fn map<'a>(
    mapping: Mapping,
    mut outputs: impl Iterator<Item = (&'a Key, Value)>,
) -> Result<Args, BindError> {
    let mut args = Args::new();
    match mapping {
        Mapping::AsIs => args.positional.extend(outputs.map(|(_, output)| output)),
        Mapping::Merge => {
            args.push_value(Value::list(outputs.map(|(_, output)| output).collect()));
        }
        Mapping::Unpack => {
            if let Some((key, output)) = outputs.next() {
                unpack(key, output, &mut args)?;
            }
        }
        Mapping::Suppressed => {}
    }
    Ok(args)
}

fn unpack(dependency: &Key, output: Value, args: &mut Args) -> Result<(), BindError> {
    if let Some(len) = output.list_len() {
        let dealt = crate::values::Dealt::new(output);
        args.positional.extend((0..len).map(|index| Value::element(dealt.clone(), index)));
        return Ok(());
    }
    match output.map_entries() {
        Some(entries) => {
            for (name, value) in entries {
                args.set_named(Cow::Owned(name), value);
            }
            Ok(())
        }
        None => Err(BindError::NotUnpackable {
            dependency: dependency.clone(),
            found: output.type_name(),
        }),
    }
}

/// Matches what is given with the worker's parameters.
pub(super) fn bind(
    spec: &Spec,
    given: Given<'_>,
    last_output: impl Fn(&Key) -> LastOutput,
) -> Result<Args, BindError> {
    if spec.open {
        return Ok(given.args);
    }
    let Given { args, inputs } = given;
    let Args { positional, named } = args;
    let named = named.map(|named| *named).unwrap_or_default();
    let n_given = positional.len();
    let mut positional = positional.into_iter();
    let mut bound = Args::new();
    for (place, param) in spec.params.iter().enumerate() {
        let by_name = |source| Some(find(source, param.name.as_deref()?)?.clone());
        let value = match &param.origin {
            Origin::Argument => positional
                .next()
                .or_else(|| by_name(&named))
                .or_else(|| by_name(inputs))
                .or_else(|| param.ty.missing()),
            Origin::From { key, default } => match by_name(&named) {
                Some(value) => Some(value),
                None => match (last_output(key), default) {
                    (LastOutput::Is(value), _) => Some(value),
                    (_, Some(default)) => Some(default.clone()),
                    (LastOutput::NotYet, None) => Some(no_output(spec, place, key, "has not run")?),
                    (LastOutput::NoSuchWorker, None) => {
                        Some(no_output(spec, place, key, "does not exist")?)
                    }
                },
            },
        };
        let value = value.ok_or_else(|| BindError::TooFew {
            parameter: spec.param_label(place),
            expected: param.ty.to_string(),
            given: n_given,
        })?;
        let value = param
            .ty
            .adopt(value)
            .map_err(|source| BindError::Mismatch { parameter: spec.param_label(place), source })?;
        bound.positional.push(value);
    }
    if positional.len() > 0 {
        return Err(BindError::TooMany { given: n_given, parameters: spec.positional().count() });
    }
    if !named.is_empty() {
        check_names(spec, &named)?;
    }
    Ok(bound)
}

/// What stands for the output of a worker that has none, if the parameter is optional.
fn no_output(spec: &Spec, place: usize, from: &Key, why: &'static str) -> Result<Value, BindError> {
    spec.params[place].ty.missing().ok_or_else(|| BindError::From {
        parameter: spec.param_label(place),
        from: from.clone(),
        why,
    })
}

/// A name that no parameter has is a typo.
fn check_names(spec: &Spec, named: &[(Cow<'static, str>, Value)]) -> Result<(), BindError> {
    let known = || spec.params.iter().filter_map(|param| param.name.as_deref());
    match named.iter().find(|(name, _)| !known().any(|known| known == name)) {
        None => Ok(()),
        Some((name, _)) => Err(BindError::UnknownName {
            name: name.to_string(),
            known: known().map(str::to_owned).collect(),
        }),
    }
}
