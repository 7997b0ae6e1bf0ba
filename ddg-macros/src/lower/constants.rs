//! `Self::START`: a typed name for each worker.

use proc_macro2::TokenStream;
use quote::quote;

use super::{inherent_impl, names::screaming};
use crate::model::{Block, Worker};

/// An impl with one constant per worker.
pub(super) fn constants(block: &Block) -> TokenStream {
    let constants: TokenStream =
        block.workers.iter().map(|worker| constant(block, worker)).collect();
    inherent_impl(block, &constants)
}

fn constant(block: &Block, worker: &Worker) -> TokenStream {
    let krate = &block.krate;
    let Worker { cfgs, vis, .. } = worker;
    let key = &worker.key.text;
    let doc = format!(" The worker `{key}`.");
    let name = screaming(&worker.ident);
    let given = worker.params.iter().filter(|param| param.is_positional()).map(|param| &param.ty);
    let output = worker.output.ty(krate);
    quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        #(#cfgs)*
        #vis const #name: #krate::Declared<fn(#(#given),*) -> #output> =
            #krate::Declared::new(#key);
    }
}
