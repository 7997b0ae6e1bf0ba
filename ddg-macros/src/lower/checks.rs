//! Generates the checks that only the compiler can do: whether types can travel, whether
//! errors can be told from data, and whether outputs fit the parameters that they fill.

mod data;
mod errors;
mod fits;
mod removed;

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Block;

/// A closure that is never called. It compiles only if all types can travel and the types along the
/// edges fit.
pub(super) fn type_checks(block: &Block) -> TokenStream {
    let mut checks = data::checks(block);
    checks.extend(errors::checks(block));
    checks.extend(fits::checks(block));
    checks.extend(removed::checks(block));
    if checks.is_empty() {
        return TokenStream::new();
    }
    quote! {
        let _never_called = || {
            #checks
        };
    }
}
