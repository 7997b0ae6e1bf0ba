//! Parses the return type of a tool.

use syn::ReturnType;

use crate::fault::Faults;
use crate::type_syntax::{ends_in, find_borrow};

/// Whether the return type is a `Result`.
pub(super) fn is_result(output: &ReturnType, faults: &mut Faults) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    if let Some(borrow) = find_borrow(ty) {
        faults.push_with_help(
            borrow,
            "what a tool gives must own its data: it outlives the call",
            "return `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`",
        );
    }
    ends_in(ty, "Result")
}
