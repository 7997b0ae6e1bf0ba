//! Generates the typed constants of the workers, such as `Self::START`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{inherent_impl, names::screaming};
use crate::model::{Block, UnreadableWorker, Worker};

/// An impl with one constant per worker.
pub(super) fn constants(block: &Block) -> TokenStream {
    let constants = block.workers.iter().map(|worker| constant(block, worker));
    let unreadable = block.unreadable.iter().map(|worker| key_constant(block, worker));
    inherent_impl(block, &block.generics, &constants.chain(unreadable).collect())
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
        #vis const #name: #krate::worker::WorkerRef<fn(#(#given),*) -> #output> =
            #krate::worker::WorkerRef::new(#key);
    }
}

/// A constant for a worker with unknown parameters. It accepts any arguments.
fn key_constant(block: &Block, worker: &UnreadableWorker) -> TokenStream {
    let krate = &block.krate;
    let UnreadableWorker { cfgs, vis, .. } = worker;
    let key = &worker.key.text;
    let doc = format!(" The worker `{key}`.");
    let name = screaming(&worker.ident);
    quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        #(#cfgs)*
        #vis const #name: #krate::Key = #krate::Key::from_static(#key);
    }
}
