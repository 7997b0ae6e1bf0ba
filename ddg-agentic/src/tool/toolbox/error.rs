//! Faults of toolboxes.

use ddg_core::__report::{shown, shown_lines};
use std::fmt;

use ddg_core::graph::BuildError;

/// A toolbox that cannot be built, with all of its faults.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToolboxError {
    /// The faults, in the order of the tools; never empty.
    pub faults: Vec<ToolboxFault>,
}

/// A fault of a toolbox.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolboxFault {
    /// Two tools have the same name.
    #[error(
        "two tools are named `{name}`: a model could not tell them apart; rename one",
        name = shown(.name)
    )]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// Providers would refuse the name of a tool.
    #[error(
        "no tool can be named `{name}`: a name is 1 to 64 letters, digits, `_` and `-`",
        name = shown(.name)
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A tool has no description, so a model would not know its purpose.
    #[error(
        "tool `{tool}` has no description: say what it does and when to use it",
        tool = shown(.tool)
    )]
    NoDescription {
        /// The tool.
        tool: String,
    },
    /// The parameters of a tool are not a JSON schema of an object.
    #[error(
        "the parameters of tool `{tool}` are not the JSON schema of an object: {reason}",
        tool = shown(.tool), reason = shown_lines(.reason)
    )]
    Schema {
        /// The tool.
        tool: String,
        /// The reason.
        reason: String,
    },
    /// A tool needs a state that the toolbox does not have.
    #[error(
        "tool `{tool}` needs the state `{ty}`, which is missing: give it with `state`",
        tool = shown(.tool)
    )]
    MissingState {
        /// The tool.
        tool: String,
        /// The type.
        ty: &'static str,
    },
    /// An automa that is a tool is invalid.
    #[error("tool `{tool}`: {error}", tool = shown(.tool))]
    Automa {
        /// The tool.
        tool: String,
        /// The faults of the automa.
        error: BuildError,
    },
    /// Two states have the same type.
    #[error("the state `{ty}` is given twice: states are told apart by their types; wrap one")]
    DuplicateState {
        /// The type.
        ty: &'static str,
    },
}

impl fmt::Display for ToolboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("toolbox: ")?;
        match self.faults.as_slice() {
            [fault] => write!(f, "{fault}"),
            faults => {
                write!(f, "{} faults", faults.len())?;
                faults.iter().try_for_each(|fault| write!(f, "\n- {fault}"))
            }
        }
    }
}

impl std::error::Error for ToolboxError {}

ddg_core::__report::debug_is_display!(ToolboxError, ToolboxFault);
