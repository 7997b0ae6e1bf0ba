//! The output of a worker.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Path, Type, parse_quote, parse_quote_spanned};

use crate::type_syntax::is_dynamic;

/// The output of a worker: its return type without `Result`.
#[derive(Clone)]
pub(crate) enum Output {
    /// A value of this type.
    Value(Type),
    /// An `impl Stream<Item = T>` with this `T`.
    Stream(Type),
    /// The return type was refused.
    Refused,
}

/// Types are equal if they are written the same. `syn` could compare them, for a second of compile
/// time.
impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        let written = |ty: &Type| ty.to_token_stream().to_string();
        match (self, other) {
            (Self::Value(a), Self::Value(b)) | (Self::Stream(a), Self::Stream(b)) => {
                written(a) == written(b)
            }
            (Self::Refused, Self::Refused) => true,
            (Self::Value(_) | Self::Stream(_) | Self::Refused, _) => false,
        }
    }
}

impl Output {
    /// The output of a function without a return type.
    pub(crate) fn unit() -> Self {
        Self::Value(parse_quote!(()))
    }

    /// The output of a function that returns a literal. It is passed on as text that owns itself.
    pub(crate) fn text(span: Span) -> Self {
        let span = Span::call_site().located_at(span);
        Self::Value(parse_quote_spanned!(span=> ::std::string::String))
    }

    /// Whether there is nothing to pass on, so that no parameter of a successor is filled.
    pub(crate) fn is_unit(&self) -> bool {
        match self {
            Self::Value(Type::Tuple(tuple)) => tuple.elems.is_empty(),
            Self::Value(_) | Self::Stream(_) | Self::Refused => false,
        }
    }

    /// The type, if the compiler can compare it with a parameter's.
    pub(crate) fn comparable(&self) -> Option<&Type> {
        match self {
            Self::Value(ty) if !is_dynamic(ty) => Some(ty),
            Self::Value(_) | Self::Stream(_) | Self::Refused => None,
        }
    }

    /// The type in full.
    pub(crate) fn ty(&self, krate: &Path) -> TokenStream {
        match self {
            Self::Value(ty) => quote!(#ty),
            Self::Stream(item) => quote!(#krate::values::ItemStream<#item>),
            Self::Refused => quote!(#krate::Value),
        }
    }
}
