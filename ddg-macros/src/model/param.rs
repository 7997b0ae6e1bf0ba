//! The parameters of a worker.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, Path, Type, ext::IdentExt, spanned::Spanned};

use super::Reference;

/// A parameter of a worker's method.
pub(crate) struct Param {
    /// Its name, by which it can be filled as well.
    pub(crate) ident: Ident,
    /// Where its argument comes from.
    pub(crate) source: Source,
    /// How the method takes it.
    pub(crate) passing: Passing,
    /// The type that a caller gives: the owned type, also if the method borrows.
    pub(crate) ty: Type,
    /// Its type in messages, in the form in which it was written.
    pub(crate) written: String,
}

/// Where an argument comes from.
pub(crate) enum Source {
    /// Outputs of dependencies, a ferry or the run's inputs.
    Argument,
    /// `#[input]`: the run's input of this name.
    Input,
    /// `cx: &Context`: the context of the execution.
    Context,
    /// `#[context] turn: Turn`: what its type makes from the context.
    Derived,
    /// `#[from("key", default = expr)]`: the last output of that worker.
    From {
        /// The worker.
        worker: Reference,
        /// The value if the worker has not run.
        default: Option<Box<Expr>>,
    },
}

/// How the method takes an argument.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Passing {
    /// By value: `x: T`.
    Owned,
    /// By reference to an `Arc<T>` that the engine passes: `x: &T`.
    Shared,
    /// By reference to a value that is cheap to pass: `cx: &Context`, `x: &Arc<T>`.
    Borrowed,
}

impl Param {
    /// The type that the engine passes.
    pub(crate) fn bound_ty(&self, krate: &Path) -> TokenStream {
        let ty = &self.ty;
        let span = Span::call_site().located_at(ty.span());
        match (&self.source, self.passing) {
            (Source::Context, _) => quote_spanned!(span=> #krate::Context),
            (_, Passing::Owned | Passing::Borrowed) => quote!(#ty),
            (_, Passing::Shared) => quote_spanned!(span=> ::std::sync::Arc<#ty>),
        }
    }

    /// Its name without `r#`.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }

    /// The argument of the method's call.
    pub(crate) fn argument(&self) -> TokenStream {
        let ident = &self.ident;
        match self.passing {
            Passing::Owned => quote!(#ident),
            Passing::Shared | Passing::Borrowed => quote!(&#ident),
        }
    }

    /// Whether it is the context.
    pub(crate) fn is_context(&self) -> bool {
        matches!(self.source, Source::Context)
    }

    /// Whether it is filled by a value, which also has a name.
    pub(crate) fn is_argument(&self) -> bool {
        !matches!(self.source, Source::Context | Source::Derived)
    }

    /// Whether it is filled by position.
    pub(crate) fn is_positional(&self) -> bool {
        matches!(self.source, Source::Argument)
    }
}
