//! References from one worker to another in `dependencies` and `#[from]`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;

/// A reference to a worker.
pub(crate) struct Reference {
    /// The name of the method, or the key.
    pub(crate) text: String,
    /// How it was written.
    pub(crate) form: Form,
    /// The tokens that messages point at.
    pub(crate) tokens: TokenStream,
}

/// The three forms of a reference.
pub(crate) enum Form {
    /// A method of the block: `start`.
    Method(Ident),
    /// The key of a worker of the block: `"start"`.
    Key,
    /// Any key, not checked at compile time: `dynamic("start")`.
    Dynamic,
}

impl ToTokens for Reference {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}
