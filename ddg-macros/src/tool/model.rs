//! The model of a `#[tool]` function: the result of parsing, which checks and lowering read.

use proc_macro2::Ident;
use syn::{Attribute, Expr, LitStr, Path, Type, Visibility, ext::IdentExt};

/// A `#[tool]` function.
pub(super) struct Tool {
    /// Path of the crate for agents, by default `::ddg_agentic`.
    pub(super) krate: Path,
    /// The name of the function.
    pub(super) ident: Ident,
    /// The visibility of the function, which everything generated has as well.
    pub(super) vis: Visibility,
    /// The `#[cfg]`s of the function, which everything generated has as well.
    pub(super) cfgs: Vec<Attribute>,
    /// The name of the tool, if it is not that of the function.
    pub(super) name: Option<LitStr>,
    /// The description for the model, if there is one.
    pub(super) description: Option<String>,
    /// The parameters in the order of the function.
    pub(super) params: Vec<Param>,
    /// How the function is called.
    pub(super) call: Call,
    /// Whether it returns a `Result`.
    pub(super) fallible: bool,
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Call {
    /// As an `async fn`.
    Async,
    /// On the blocking pool.
    Blocking,
    /// In place.
    Inline,
}

/// A parameter of the function.
pub(super) struct Param {
    pub(super) ident: Ident,
    pub(super) source: Source,
    /// The type of the value that is passed: the owned type, also if the function borrows.
    pub(super) ty: Type,
    /// Whether the function borrows it.
    pub(super) borrowed: bool,
}

/// Where an argument comes from.
pub(super) enum Source {
    /// The model gives it.
    Model {
        /// The doc comment, and the attributes for serde and schemars.
        attrs: Vec<Attribute>,
        /// The value if the model leaves it out.
        default: Option<Absent>,
    },
    /// `#[input]`: the run's input of the parameter's name, with the doc comment.
    Input(Option<String>),
    /// The context.
    Context,
    /// The turn of the agent that makes the call.
    Turn,
    /// A state of the toolbox, of this type.
    State(Box<Type>),
}

/// The value of an argument that the model leaves out.
pub(super) enum Absent {
    /// The default of the type: `#[default]`.
    Default,
    /// An expression: `#[default = expr]`.
    Expr(Box<Expr>),
}

impl Tool {
    /// The name that models call it by.
    pub(super) fn name(&self) -> String {
        self.name.as_ref().map_or_else(|| self.ident.unraw().to_string(), LitStr::value)
    }
}

impl Param {
    /// Its name without `r#`.
    pub(super) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
}
