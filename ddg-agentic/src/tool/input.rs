//! Inputs of a run that tools read: data that is neither the model's nor the toolbox's, such as the
//! user who is speaking.

use ddg_core::__report::{shown, shown_lines};
use std::borrow::Cow;
use std::fmt;

use ddg_core::values::ValueType;
use ddg_core::{Context, Data, Value, WorkerError};

/// An input of a run that a tool reads. A function with `#[tool]` has one for each parameter that
/// is marked `#[input]`.
///
/// An [agent](crate::ReActAutoma) declares the inputs of its tools, and checks them when a run
/// begins, before its model is asked.
#[derive(Clone)]
pub struct ToolInput {
    name: Cow<'static, str>,
    description: &'static str,
    /// The type, and whether a run has such an input. `None` if the type is not known.
    ty: Option<(ValueType, Check)>,
}

type Check = fn(&ToolInput, &Context) -> Result<(), InputError>;

/// A run has no input that a tool reads, or one of another type.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} {what}: {hint}",
    shown(&self.subject()), what = shown_lines(.what), hint = shown_lines(.hint)
)]
#[non_exhaustive]
pub struct InputError {
    /// The name of the input.
    pub name: String,
    /// The type that is read.
    pub ty: String,
    /// Its description, if there is one.
    pub description: &'static str,
    what: String,
    hint: String,
}

impl ToolInput {
    /// An input that is read as a `T`. An `Option<T>` need not be given.
    pub fn new<T: Data>(name: &'static str, description: &'static str) -> Self {
        let check: Check = |input, cx| input.read::<T>(cx).map(drop);
        let ty = Some((ValueType::of::<T>(), check));
        Self { name: name.into(), description: description.trim(), ty }
    }

    /// An input of any type, which need not be given.
    pub(crate) fn of_any_type(name: &str) -> Self {
        Self { name: name.to_owned().into(), description: "", ty: None }
    }

    /// The name of the input.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The description of the input; may be empty.
    pub fn description(&self) -> &str {
        self.description
    }

    /// The input of the run of `cx`.
    pub(super) fn read<T: Data>(&self, cx: &Context) -> Result<T, InputError> {
        match cx.input::<T>(&self.name) {
            Ok(Some(given)) => Ok(given),
            // What is left out is null, as for a parameter of a worker.
            Ok(None) => Value::null().get::<T>().map_err(|_| {
                let name = &self.name;
                let hint = format!(
                    "give it as `args!(task, {name} = ..)`, or in a conversation with \
                     `.input(\"{name}\", ..)`"
                );
                self.error::<T>("is not given to this run".to_owned(), hint)
            }),
            Err(mismatch) => {
                let hint = format!("give a value that is a `{}`", ValueType::of::<T>());
                Err(self.error::<T>(format!("is of another type: {mismatch}"), hint))
            }
        }
    }

    fn error<T: Data>(&self, what: String, hint: String) -> InputError {
        let (name, ty) = (self.name.clone().into_owned(), ValueType::of::<T>().to_string());
        InputError { name, ty, description: self.description, what, hint }
    }

    /// Checks that the run has the input.
    pub(crate) fn check(&self, cx: &Context) -> Result<(), WorkerError> {
        if let Some((_, check)) = self.ty {
            check(self, cx)?;
        }
        Ok(())
    }
}

impl InputError {
    fn subject(&self) -> String {
        match self.description {
            "" => format!("the input `{}` (`{}`)", self.name, self.ty),
            about => format!("the input `{}` (`{}`: {})", self.name, self.ty, about),
        }
    }
}

impl fmt::Debug for ToolInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ty {
            Some((ty, _)) => write!(f, "{}: {ty}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

ddg_core::__report::debug_is_display!(InputError);
