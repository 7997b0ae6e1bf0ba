//! Collects the faults of a block, so that all of them are reported at once.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The faults found so far, in the order in which they were found.
#[derive(Default)]
pub(crate) struct Faults(Vec<syn::Error>);

impl Faults {
    /// Reports `message` at the tokens `at`.
    pub(crate) fn push(&mut self, at: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(at, message));
    }

    /// Reports `message` at the tokens `at`, with a help on a line of its own.
    pub(crate) fn push_with_help(
        &mut self,
        at: impl ToTokens,
        message: impl Display,
        help: impl Display,
    ) {
        self.push(at, format_args!("{message}\n= help: {help}"));
    }

    /// Reports every message of a parser's error.
    pub(crate) fn push_error(&mut self, error: syn::Error) {
        self.0.extend(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One `compile_error!` per fault.
    pub(crate) fn to_compile_errors(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }

    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &syn::Error> {
        self.0.iter()
    }
}
