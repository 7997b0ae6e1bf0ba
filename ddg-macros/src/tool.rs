//! Expands a `#[tool]` function: parse → model → check → lower.

mod check;
mod lower;
mod model;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;

use self::parse::Parsed;
use crate::fault::Faults;

/// Expands `#[tool(attr)] item`. Faults become `compile_error!`s before the expansion.
pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut faults = Faults::default();
    let expansion = expand_collecting(attr, item, &mut faults);
    let errors = faults.to_compile_errors();
    quote!(#errors #expansion)
}

/// Expands as far as the faults allow. The function is always part of the expansion, and so is the
/// type beside it, so that one mistake gives one message.
pub(crate) fn expand_collecting(
    attr: TokenStream,
    item: TokenStream,
    faults: &mut Faults,
) -> TokenStream {
    let (item, parsed) = parse::parse_tool(attr, item, faults);
    let generated = match parsed {
        Parsed::Tool(tool) => {
            check::check(&tool, faults);
            if faults.is_empty() { lower::lower(&tool) } else { lower::stub(&tool) }
        }
        Parsed::Unreadable(tool) => lower::stub(&tool),
        Parsed::Nothing => TokenStream::new(),
    };
    quote!(#item #generated)
}
