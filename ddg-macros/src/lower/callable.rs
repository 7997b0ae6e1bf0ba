//! Generates the function that a worker becomes.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;

use super::names::this;
use crate::model::{Param, Passing, Worker};

/// The method itself if it can be called as it is, else a closure around it.
pub(super) fn callable(krate: &Path, worker: &Worker) -> TokenStream {
    let method = &worker.ident;
    if worker.takes_self {
        return bound_to_this(krate, worker);
    }
    if worker.params.iter().all(|param| param.passing == Passing::Owned) {
        return quote_spanned!(worker.span()=> Self::#method);
    }
    let params = params(krate, worker);
    let arguments = worker.params.iter().map(Param::argument);
    let call = quote_spanned!(worker.span()=> Self::#method(#(#arguments),*));
    if worker.is_async {
        quote_spanned!(worker.span()=> |#params| async move { #call.await })
    } else {
        quote_spanned!(worker.span()=> |#params| #call)
    }
}

/// A closure that owns the automa.
///
/// It calls the method by its path, because `this.run(..)` could also be a method of `Arc`.
fn bound_to_this(krate: &Path, worker: &Worker) -> TokenStream {
    let (this, method) = (this(), &worker.ident);
    let params = params(krate, worker);
    let arguments = worker.params.iter().map(Param::argument);
    let call = quote_spanned!(worker.span()=> Self::#method(&#this, #(#arguments),*));
    let closure = if worker.is_async {
        quote_spanned! {worker.span()=>
            move |#params| {
                let #this = ::std::sync::Arc::clone(&#this);
                async move { #call.await }
            }
        }
    } else {
        quote_spanned!(worker.span()=> move |#params| #call)
    };
    quote_spanned! {worker.span()=>
        {
            let #this = ::std::sync::Arc::clone(#this);
            #closure
        }
    }
}

fn params(krate: &Path, worker: &Worker) -> TokenStream {
    let idents = worker.params.iter().map(|param| &param.ident);
    let types = worker.params.iter().map(|param| param.bound_ty(krate));
    quote!(#(#idents: #types),*)
}
