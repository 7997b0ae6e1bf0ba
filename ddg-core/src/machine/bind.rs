//! Binds outputs of dependencies, arguments of ferries and runs, and run inputs to a worker's
//! parameters.
//!
//! Positional arguments are the mapped outputs of the dependencies, or the arguments of the ferry
//! or of the run. Parameters that are still open are filled by name, in this order of precedence:
//! arguments of the ferry, the unpacked map, run inputs. Injected parameters are filled by name
//! only.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::BindError;
use crate::args::{Args, find};
use crate::graph::{Mapping, Origin, Role};
use crate::key::Key;
use crate::values::{Dealt, Value};

/// The last output of a worker, or the reason why there is none.
pub(super) enum LastOutput {
    Is(Value),
    NotYet,
    NoSuchWorker,
}

impl LastOutput {
    /// The reason why there is none.
    fn why(&self) -> &'static str {
        match self {
            Self::Is(_) => "is there",
            Self::NotYet => "has not run; give it a default",
            Self::NoSuchWorker => "does not exist; misspelled?",
        }
    }
}

/// Adds the outputs of the dependencies to `args`, as the mapping of the worker says.
///
/// # Errors
/// Describes the value if `unpack` meets neither a list nor a map.
#[inline(always)]
pub(super) fn map<'a>(
    role: &Role,
    mut outputs: impl Iterator<Item = &'a Value>,
    args: &mut Args,
) -> Result<(), String> {
    match role.wiring.mapping {
        Mapping::AsIs => {
            for output in outputs {
                args.push_value(output.clone());
            }
        }
        Mapping::Merge => args.push_value(merge(role, outputs.collect())),
        Mapping::Unpack => {
            if let Some(output) = outputs.next() {
                unpack(output.clone(), args)?;
            }
        }
        Mapping::Suppressed => {}
    }
    Ok(())
}

/// One list of all outputs: of the parameter's own type if they are such, so that they are read
/// where they are; else of shared values.
pub(super) fn merge(role: &Role, outputs: SmallVec<[&Value; 32]>) -> Value {
    let gathered = match &*role.params {
        [param] => param.ty.gather(&outputs),
        _ => None,
    };
    gathered.unwrap_or_else(|| Value::list(outputs.into_iter().cloned().collect()))
}

fn unpack(output: Value, args: &mut Args) -> Result<(), String> {
    if let Some(len) = output.list_len() {
        // Shares the list: each argument is an index into it, so nothing is copied.
        let dealt = Dealt::new(output);
        args.positional.extend((0..len).map(|index| Value::element(Arc::clone(&dealt), index)));
        return Ok(());
    }
    let entries = output.map_entries().ok_or_else(|| output.describe())?;
    for (name, value) in entries {
        args.set_named(Cow::Owned(name), value);
    }
    Ok(())
}

/// Binds arguments to the worker's parameters, in place. Named arguments are those of the ferry,
/// which take precedence over injection, or those of an unpacked map, over which injection takes
/// precedence.
#[inline]
pub(super) fn bind(
    role: &Role,
    args: &mut Args,
    ferried: bool,
    inputs: &[(Cow<'static, str>, Value)],
    last_output: impl Fn(&Key) -> LastOutput,
) -> Result<(), Box<BindError>> {
    if role.open {
        return Ok(());
    }
    // Fast path: nothing is given by name or injected, so the arguments are already in their
    // places.
    if args.named.is_none()
        && args.positional.len() == role.n_positional
        && role.n_positional == role.params.len()
    {
        for (place, param) in role.params.iter().enumerate() {
            let value = &mut args.positional[place];
            // Nearly always the output has exactly the type of the parameter, and stays where it
            // is.
            if !value.holds(param.ty) {
                *value = adopt(role, place, std::mem::take(value))?;
            }
        }
        return Ok(());
    }
    *args = bind_by_name(role, std::mem::take(args), ferried, inputs, last_output)?;
    Ok(())
}

/// Binds in the general case: something is given by name, injected, or missing.
fn bind_by_name(
    role: &Role,
    args: Args,
    ferried: bool,
    inputs: &[(Cow<'static, str>, Value)],
    last_output: impl Fn(&Key) -> LastOutput,
) -> Result<Args, Box<BindError>> {
    let Args { positional, named } = args;
    let named = named.map(|named| *named).unwrap_or_default();
    check_names(role, &named)?;
    let n_given = positional.len();
    let mut positional = positional.into_iter();
    let mut bound = Args::new();
    for (place, param) in role.params.iter().enumerate() {
        let by_name = |source| Some(find(source, param.name.as_deref()?)?.clone());
        let value = match &param.origin {
            Origin::Argument => positional
                .next()
                .or_else(|| by_name(&named))
                .or_else(|| by_name(inputs))
                .or_else(|| param.ty.missing())
                .ok_or_else(|| BindError::TooFew {
                    parameter: role.param_label(place),
                    expected: param.ty.to_string(),
                    given: n_given,
                })?,
            Origin::Input => by_name(&named)
                .or_else(|| by_name(inputs))
                .or_else(|| param.ty.missing())
                .ok_or_else(|| BindError::NoInput {
                    parameter: role.param_label(place),
                    expected: param.ty.to_string(),
                })?,
            Origin::From { key, default } => {
                let (by_ferry, by_map) =
                    if ferried { (by_name(&named), None) } else { (None, by_name(&named)) };
                match by_ferry.map_or_else(|| last_output(key), LastOutput::Is) {
                    LastOutput::Is(value) => value,
                    missing => {
                        default.clone().or(by_map).or_else(|| param.ty.missing()).ok_or_else(
                            || BindError::From {
                                parameter: role.param_label(place),
                                from: key.clone(),
                                why: missing.why(),
                            },
                        )?
                    }
                }
            }
        };
        bound.positional.push(adopt(role, place, value)?);
    }
    if positional.len() > 0 {
        let parameters = role.n_positional;
        return Err(BindError::TooMany { given: n_given, parameters }.into());
    }
    Ok(bound)
}

fn adopt(role: &Role, place: usize, value: Value) -> Result<Value, BindError> {
    role.params[place]
        .ty
        .adopt(value)
        .map_err(|source| BindError::Mismatch { parameter: role.param_label(place), source })
}

/// Refuses a name that no parameter has, because it is a typo.
fn check_names(role: &Role, named: &[(Cow<'static, str>, Value)]) -> Result<(), BindError> {
    let known = || role.params.iter().filter_map(|param| param.name.as_deref());
    match named.iter().find(|(name, _)| !known().any(|known| known == name)) {
        None => Ok(()),
        Some((name, _)) => Err(BindError::UnknownName {
            name: name.to_string(),
            known: known().map(str::to_owned).collect(),
        }),
    }
}
