//! A `#[tool]` function as the user meant it: what parsing yields, and checks and lowering read.

use proc_macro2::Ident;
use syn::{Attribute, Expr, LitStr, Path, Type, Visibility, ext::IdentExt};

/// One `#[tool]` function.
pub(super) struct Tool {
    /// Path to the crate of agents, `::ddg_agentic` unless told otherwise.
    pub(super) krate: Path,
    /// The function's name.
    pub(super) ident: Ident,
    /// Carried over to everything generated.
    pub(super) vis: Visibility,
    /// `#[cfg]`s of the function, carried over to everything generated.
    pub(super) cfgs: Vec<Attribute>,
    /// The tool's name where it is not the function's.
    pub(super) name: Option<LitStr>,
    /// What the model is told of it, if anybody has said.
    pub(super) description: Option<String>,
    /// In the order of the function.
    pub(super) params: Vec<Param>,
    /// How it is called.
    pub(super) call: Call,
    /// Whether it returns a `Result`.
    pub(super) fallible: bool,
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Call {
    /// It is an `async fn`.
    Async,
    /// Where blocking is allowed.
    Blocking,
    /// Where it stands.
    Inline,
}

/// A parameter of the function.
pub(super) struct Param {
    pub(super) ident: Ident,
    pub(super) source: Source,
    /// What is there for the function: the owned type also where it borrows.
    pub(super) ty: Type,
    /// Whether the function borrows it.
    pub(super) borrowed: bool,
}

/// Where an argument comes from.
pub(super) enum Source {
    /// The model gives it.
    Model {
        /// Its doc comment, and what it says to serde and schemars.
        attrs: Vec<Attribute>,
        /// What it is if the model leaves it out.
        default: Option<Absent>,
    },
    /// It is the context.
    Context,
    /// It is the turn of the agent that makes the call.
    Turn,
    /// It is a state of the toolbox, of this type.
    State(Box<Type>),
}

/// What an argument is that the model leaves out.
pub(super) enum Absent {
    /// `#[default]`
    Default,
    /// `#[default = expr]`
    Expr(Box<Expr>),
}

impl Tool {
    /// The name by which models call it.
    pub(super) fn name(&self) -> String {
        self.name.as_ref().map_or_else(|| self.ident.unraw().to_string(), LitStr::value)
    }
}
