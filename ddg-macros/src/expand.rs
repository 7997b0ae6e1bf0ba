//! Expands an `#[automa]` block: parse → model → check → lower.

use proc_macro2::TokenStream;
use quote::quote;

use crate::check;
use crate::fault::Faults;
use crate::lower;
use crate::parse;

/// Expands `#[automa(attr)] item`. Faults become `compile_error!`s before the expansion.
pub(crate) fn expand(attr: TokenStream, item: TokenStream) -> TokenStream {
    let mut faults = Faults::default();
    let expansion = expand_collecting(attr, item, &mut faults);
    let errors = faults.to_compile_errors();
    quote!(#errors #expansion)
}

/// Expands as far as the faults allow.
///
/// The user's item is always part of the expansion, and so is everything that other code may refer
/// to, so that one mistake gives one message.
pub(crate) fn expand_collecting(
    attr: TokenStream,
    item: TokenStream,
    faults: &mut Faults,
) -> TokenStream {
    let (item, block) = parse::parse_block(attr, item, faults);
    let Some(block) = block else { return item };
    check::check(&block, faults);
    let is_whole = faults.is_empty() && block.unreadable.is_empty();
    let generated = if is_whole { lower::lower(&block) } else { lower::stub(&block) };
    quote!(#item #generated)
}

/// Expands a `#[worker]` that no `#[automa]` has removed: to an error and the item.
pub(crate) fn expand_lone_worker(item: TokenStream) -> TokenStream {
    let mut faults = Faults::default();
    faults.push_with_help(
        TokenStream::new(),
        "#[worker] belongs on a method inside an #[automa] impl block",
        "put `#[automa]` on the `impl`; a function outside of one becomes a worker with \
         `add_func_as_worker`",
    );
    let errors = faults.to_compile_errors();
    let item = parse::strip_from_attributes(item);
    quote!(#errors #item)
}
