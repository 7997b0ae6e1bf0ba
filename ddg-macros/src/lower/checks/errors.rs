//! Checks that an error type is not data as well. The engine would not know whether to take the
//! `Result` apart or to pass it on, and the compiler's error about that names neither reading.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned;

use crate::model::{Block, Worker};
use crate::type_syntax::{is_surely_data, last_segment, type_text};

/// Error types that are surely no data.
const PLAIN_ERRORS: [&str; 2] = ["WorkerError", "Box"];

pub(super) fn checks(block: &Block) -> TokenStream {
    // An item in a function cannot name the generics around it.
    if !block.generics.params.is_empty() {
        return TokenStream::new();
    }
    block.workers.iter().filter_map(|worker| check(block, worker)).collect()
}

fn check(block: &Block, worker: &Worker) -> Option<TokenStream> {
    let (krate, cfgs) = (&block.krate, &worker.cfgs);
    let error = worker.error.as_ref()?;
    let is_plain = last_segment(error)
        .is_some_and(|segment| PLAIN_ERRORS.iter().any(|plain| segment.ident == plain));
    if is_plain || is_surely_data(error) {
        return None;
    }
    let text = type_text(error);
    let message = format!(
        "`{text}` is an error and data as well, so a worker that returns it could pass it on or \
         fail\n= help: return `Result<_, WorkerError>`, to which `?` and `.into()` convert, or do \
         not derive serde's traits for `{text}`"
    );
    let span = Span::call_site().located_at(error.span());
    Some(quote_spanned! {span=>
        #(#cfgs)*
        #krate::check::error!(#error, #message);
    })
}
