//! Workers: methods marked `#[worker]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Expr, LitStr, Type, Visibility, ext::IdentExt};

use super::{Output, Param, Reference};

/// A worker of the block.
pub(crate) struct Worker {
    /// The name of the method.
    pub(crate) ident: Ident,
    /// The visibility of the method, which its constant has as well.
    pub(crate) vis: Visibility,
    /// The `#[cfg]`s of the method, which everything generated for it has as well.
    pub(crate) cfgs: Vec<Attribute>,
    /// Its key.
    pub(crate) key: Key,
    /// Its place in the graph.
    pub(crate) placement: Placement,
    /// How dependency outputs become arguments.
    pub(crate) mapping: Mapping,
    /// Whether the output list is scattered, one element per successor.
    pub(crate) in_order: bool,
    /// Whether it runs for its dependencies only when all loops have ended.
    pub(crate) after_loops: bool,
    /// Whether the method takes `&self`.
    pub(crate) takes_self: bool,
    /// Whether the method is an `async fn`.
    pub(crate) is_async: bool,
    /// The parameters in order, without the receiver.
    pub(crate) params: Vec<Param>,
    /// Its output.
    pub(crate) output: Output,
    /// The `E` of a return type that is written `Result<T, E>`.
    pub(crate) error: Option<Type>,
    /// The option `timeout = ..`.
    pub(crate) timeout: Option<Expr>,
    /// The option `retry = ..`.
    pub(crate) retry: Option<Expr>,
    /// The option `blocking` or `inline`.
    pub(crate) pool: Option<Pool>,
    /// The option `callbacks = [..]`.
    pub(crate) callbacks: Vec<Expr>,
}

/// A worker's place in the graph.
pub(crate) enum Placement {
    /// Placed in the graph from the start.
    Placed {
        /// How it is added.
        declaration: Declaration,
        /// The option `start`.
        start: Option<Ident>,
        /// The option `output`.
        output: Option<Ident>,
        /// The option `dependencies`.
        dependencies: Vec<Reference>,
    },
    /// Declared, and placed at run time.
    Detached,
}

/// How a placed worker is added to the graph.
pub(crate) enum Declaration {
    /// Under a key of its own.
    Added,
    /// In place of a fragment's worker. Holds the option `override`.
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
    /// The elements or entries of one list or map.
    Unpack,
    /// No arguments.
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

    /// Its dependencies.
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

    /// The tokens that the key comes from.
    pub(crate) fn key_tokens(&self) -> TokenStream {
        match &self.key.literal {
            Some(literal) => literal.to_token_stream(),
            None => self.ident.to_token_stream(),
        }
    }

    /// The span of code generated for the worker, so that the compiler's messages point at it.
    pub(crate) fn span(&self) -> Span {
        Span::call_site().located_at(self.ident.span())
    }
}
