//! How one worker names another in `dependencies` and `#[from]`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

/// The name of a worker, as it was written.
pub(crate) struct Reference {
    /// The method's name or the key.
    pub(crate) text: String,
    /// How it was written.
    pub(crate) form: Form,
    /// What messages point at.
    pub(crate) tokens: TokenStream,
}

/// The three ways to name a worker.
pub(crate) enum Form {
    /// `start`: a method of the block.
    Method(Ident),
    /// `"start"`: the key of a worker of the block.
    Key,
    /// `dynamic("start")`: any key, not checked at compile time.
    Dynamic,
}

impl ToTokens for Reference {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}
