//! A method marked `#[worker]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Expr, LitStr, Visibility, ext::IdentExt};

use super::{Output, Param, Reference};

/// A worker of the block.
pub(crate) struct Worker {
    /// The method's name.
    pub(crate) ident: Ident,
    /// The method's visibility, which its constant shares.
    pub(crate) vis: Visibility,
    /// The method's `#[cfg]`s, carried over to everything generated for it.
    pub(crate) cfgs: Vec<Attribute>,
    /// Its key.
    pub(crate) key: Key,
    /// Its place in the graph.
    pub(crate) placement: Placement,
    /// How dependency outputs become arguments.
    pub(crate) mapping: Mapping,
    /// Whether the output list is dealt out, one element per successor.
    pub(crate) in_order: bool,
    /// Whether the method takes `&self`.
    pub(crate) takes_self: bool,
    /// Whether the method is an `async fn`.
    pub(crate) is_async: bool,
    /// The parameters without the receiver, in order.
    pub(crate) params: Vec<Param>,
    /// What it gives.
    pub(crate) output: Output,
    /// `timeout = ..`
    pub(crate) timeout: Option<Expr>,
    /// `retry = ..`
    pub(crate) retry: Option<Expr>,
    /// `blocking` or `inline`
    pub(crate) pool: Option<Pool>,
    /// `callbacks = [..]`
    pub(crate) callbacks: Vec<Expr>,
}

/// A worker's place in the graph.
pub(crate) enum Placement {
    /// In the graph from the beginning.
    Placed {
        /// Added, or put in another's place.
        declaration: Declaration,
        /// The option `start`.
        start: Option<Ident>,
        /// The option `output`.
        output: Option<Ident>,
        /// The option `dependencies`.
        dependencies: Vec<Reference>,
    },
    /// Declared, placed at run time.
    Detached,
}

/// How a placed worker comes into the graph.
pub(crate) enum Declaration {
    /// Under a key of its own.
    Added,
    /// In place of a fragment's worker; holds the option `override`.
    Override(Ident),
}

/// A worker's key.
pub(crate) struct Key {
    /// The key itself.
    pub(crate) text: String,
    /// The option `key`; without it the key is the method's name.
    pub(crate) literal: Option<LitStr>,
}

/// How dependency outputs become arguments.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mapping {
    /// One argument per output.
    AsIs,
    /// All outputs as one list.
    Merge,
    /// One list or map spread out.
    Unpack,
    /// None.
    Suppressed,
}

/// Where a sync worker runs.
#[derive(Clone, Copy)]
pub(crate) enum Pool {
    /// On the blocking pool.
    Blocking,
    /// In place.
    Inline,
}

impl Worker {
    /// The parameters that are filled by position.
    pub(crate) fn positional_params(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| param.is_positional())
    }

    /// The workers that it waits for.
    pub(crate) fn dependencies(&self) -> &[Reference] {
        match &self.placement {
            Placement::Placed { dependencies, .. } => dependencies,
            Placement::Detached => &[],
        }
    }

    /// The option `output`.
    pub(crate) fn output_option(&self) -> Option<&Ident> {
        match &self.placement {
            Placement::Placed { output, .. } => output.as_ref(),
            Placement::Detached => None,
        }
    }

    /// The method's name without `r#`.
    pub(crate) fn method(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// The tokens that gave it its key.
    pub(crate) fn key_tokens(&self) -> TokenStream {
        match &self.key.literal {
            Some(literal) => literal.to_token_stream(),
            None => self.ident.to_token_stream(),
        }
    }

    /// Where generated code about it is located, so that the compiler's messages point at it.
    pub(crate) fn span(&self) -> Span {
        Span::call_site().located_at(self.ident.span())
    }
}
