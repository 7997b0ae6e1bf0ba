//! Checks the requirements of providers and models on a tool.

use super::model::Tool;
use crate::fault::Faults;

/// Maximum number of characters of a name.
const MAX_NAME: usize = 64;

/// Reports what a model could not use.
pub(super) fn check(tool: &Tool, faults: &mut Faults) {
    check_name(tool, faults);
    if tool.description.is_none() {
        faults.push_with_help(
            &tool.ident,
            format_args!(
                "the tool `{}` has no description, by which a model chooses it",
                tool.name()
            ),
            "write a doc comment that says what it does and when to use it, or `#[tool(description \
             = \"..\")]`",
        );
    }
}

fn check_name(tool: &Tool, faults: &mut Faults) {
    let name = tool.name();
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if name.chars().all(is_allowed) && name.len() <= MAX_NAME {
        return;
    }
    let message = format!("no tool can be named `{name}`");
    let help = format!("a name is 1 to {MAX_NAME} letters (a to z), digits, `_` and `-`");
    match &tool.name {
        Some(literal) => faults.push_with_help(literal, message, help),
        None => faults.push_with_help(
            &tool.ident,
            message,
            format_args!("{help}; give it another with `#[tool(name = \"..\")]`"),
        ),
    }
}
