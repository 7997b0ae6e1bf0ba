//! The role of a worker: everything that decides when it runs and with which arguments.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Fault, Gives};
use crate::key::Key;
use crate::values::{Value, ValueType};

/// A worker as the graph and the machine know it. It does not change once it is in a graph.
#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) key: Key,
    pub(crate) params: Box<[Param]>,
    /// Number of parameters that can be filled by position.
    pub(crate) n_positional: usize,
    /// Whether the worker takes any arguments, by position and by name.
    pub(crate) open: bool,
    /// The type of its output, if it is known.
    pub(crate) returns: Option<ValueType>,
    pub(crate) wiring: Wiring,
}

/// The options that decide when a worker runs, with which arguments, and what its output is used
/// for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wiring {
    pub(crate) start: bool,
    pub(crate) output: bool,
    pub(crate) mapping: Mapping,
    pub(crate) dealing: Dealing,
    /// Whether it runs for its dependencies only when all loops have ended.
    pub(crate) after_loops: bool,
    /// Whether it was declared to follow nobody, so that it waits for nothing.
    pub(crate) after_nobody: bool,
}

/// How the outputs of dependencies become arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mapping {
    /// One argument per dependency, in declared order.
    #[default]
    AsIs,
    /// All outputs as one list.
    Merge,
    /// The elements or entries of one list or map.
    Unpack,
    /// No arguments.
    Suppressed,
}

/// What a successor gets of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dealing {
    /// The whole output.
    #[default]
    AsIs,
    /// Each successor gets one element of the list.
    InOrder,
}

/// A parameter that is filled with a value.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) ty: ValueType,
    pub(crate) origin: Origin,
}

/// Where the argument of a parameter comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// By position, else by name.
    Argument,
    /// Only by name, from the run's input.
    Input,
    /// Another worker's last output, else the default.
    From { key: Key, default: Option<Value> },
}

impl Param {
    pub(crate) fn unnamed(ty: ValueType) -> Self {
        Self { name: None, ty, origin: Origin::Argument }
    }
}

impl Role {
    /// A role with the parameters `params`. `names`, if there are any, replace their names.
    ///
    /// Adds a fault if the number of `names` is not that of `params`.
    pub(crate) fn new(
        key: Key,
        mut params: Vec<Param>,
        names: Vec<Cow<'static, str>>,
        wiring: Wiring,
        faults: &mut Vec<Fault>,
    ) -> Self {
        if !names.is_empty() && names.len() != params.len() {
            faults.push(Fault::ParamNames {
                worker: key.clone(),
                parameters: params.len(),
                names: names.len(),
            });
        }
        for (param, name) in params.iter_mut().zip(names) {
            param.name = Some(name);
        }
        let n_positional = params.len();
        Self { key, params: params.into(), n_positional, open: false, returns: None, wiring }
    }

    /// Fills the parameter `param` with the last output of `from`.
    ///
    /// Adds a fault if there is no such parameter.
    pub(crate) fn fill_from(
        &mut self,
        param: Cow<'static, str>,
        from: Key,
        default: Option<Value>,
        faults: &mut Vec<Fault>,
    ) {
        match self.params.iter_mut().find(|have| have.name.as_ref() == Some(&param)) {
            Some(param) => {
                if matches!(param.origin, Origin::Argument) {
                    self.n_positional -= 1;
                }
                param.origin = Origin::From { key: from, default };
            }
            None => faults.push(Fault::UnknownParameter {
                worker: self.key.clone(),
                parameter: param.into_owned(),
                from,
            }),
        }
    }

    /// Fills the parameter `param` only from the run's inputs.
    ///
    /// Appends a fault if there is no such parameter.
    pub(crate) fn fill_by_name(&mut self, param: Cow<'static, str>, faults: &mut Vec<Fault>) {
        match self.params.iter_mut().find(|have| have.name.as_ref() == Some(&param)) {
            Some(param) => {
                if matches!(param.origin, Origin::Argument) {
                    self.n_positional -= 1;
                }
                param.origin = Origin::Input;
            }
            None => faults.push(Fault::UnknownInputParameter {
                worker: self.key.clone(),
                parameter: param.into_owned(),
            }),
        }
    }

    /// What successors of this worker get. A unit output only orders them.
    pub(crate) fn gives(&self) -> Gives {
        match self.wiring.dealing {
            _ if self.returns.is_some_and(ValueType::is_unit) => Gives::Nothing,
            Dealing::AsIs => Gives::Output,
            Dealing::InOrder => Gives::Element,
        }
    }

    /// The parameters that can be filled by position, with their index among all.
    pub(crate) fn positional(&self) -> impl Iterator<Item = (usize, &Param)> {
        self.params.iter().enumerate().filter(|(_, param)| matches!(param.origin, Origin::Argument))
    }

    /// The parameters that run inputs can fill, with the names of the inputs.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = (&str, &Param)> {
        let takes = |param: &&Param| !matches!(param.origin, Origin::From { .. });
        self.params.iter().filter(takes).filter_map(|param| Some((param.name.as_deref()?, param)))
    }

    /// What messages call the parameter at `place`: its name in backquotes, or its position.
    pub(crate) fn param_label(&self, place: usize) -> String {
        match &self.params[place].name {
            Some(name) => format!("`{name}`"),
            None => format!("#{}", place + 1),
        }
    }
}
