//! Generates the options of a worker.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::names::with_this;
use crate::model::{Block, Mapping, Placement, Pool, Source, Worker};

/// The options as calls, such as `start().params(["x"])`.
pub(super) fn options(block: &Block, worker: &Worker) -> TokenStream {
    let mut options = placement(block, worker);
    options.extend(injections(block, worker));
    options.extend(flags(worker));
    options.extend(values(worker));
    options
}

fn placement(block: &Block, worker: &Worker) -> TokenStream {
    let (krate, span) = (&block.krate, worker.span());
    let starts = matches!(worker.placement, Placement::Placed { start: Some(_), .. });
    let dependencies = worker.dependencies().iter().map(|reference| block.key_of(reference));
    match (starts, worker.dependencies().is_empty()) {
        (true, true) => quote_spanned!(span=> #krate::start()),
        (true, false) => quote_spanned!(span=> #krate::start().after([#(#dependencies),*])),
        (false, true) => quote_spanned!(span=> #krate::free()),
        (false, false) => quote_spanned!(span=> #krate::after([#(#dependencies),*])),
    }
}

fn injections(block: &Block, worker: &Worker) -> TokenStream {
    let span = worker.span();
    let named: Vec<_> = worker.params.iter().filter(|param| param.is_argument()).collect();
    let mut options = TokenStream::new();
    if !named.is_empty() {
        let names = named.iter().map(|param| param.name());
        options.extend(quote_spanned!(span=> .params([#(#names),*])));
    }
    for param in named {
        if matches!(param.source, Source::Input) {
            let name = param.name();
            options.extend(quote_spanned!(span=> .input(#name)));
        }
        let Source::From { worker, default } = &param.source else {
            continue;
        };
        let (name, key) = (param.name(), block.key_of(worker));
        options.extend(match default {
            None => quote_spanned!(span=> .from(#name, #key)),
            Some(default) => {
                // The type is explicit, because otherwise `default = 0` would be an `i32` for every
                // parameter.
                let (ty, default) = (&param.ty, with_this(default));
                quote_spanned! {span=>
                    .from_or(#name, #key, ::core::convert::identity::<#ty>(#default))
                }
            }
        });
    }
    options
}

fn flags(worker: &Worker) -> TokenStream {
    let span = worker.span();
    let mut options = TokenStream::new();
    if worker.output_option().is_some() {
        options.extend(quote_spanned!(span=> .output()));
    }
    options.extend(match worker.mapping {
        Mapping::AsIs => TokenStream::new(),
        Mapping::Merge => quote_spanned!(span=> .merge()),
        Mapping::Unpack => quote_spanned!(span=> .unpack()),
        Mapping::Suppressed => quote_spanned!(span=> .suppressed()),
    });
    if worker.in_order {
        options.extend(quote_spanned!(span=> .in_order()));
    }
    if worker.after_loops {
        options.extend(quote_spanned!(span=> .after_loops()));
    }
    options
}

fn values(worker: &Worker) -> TokenStream {
    let span = worker.span();
    let mut options = TokenStream::new();
    if let Some(timeout) = worker.timeout.as_ref().map(with_this) {
        options.extend(quote_spanned!(span=> .timeout(#timeout)));
    }
    if let Some(retry) = worker.retry.as_ref().map(with_this) {
        options.extend(quote_spanned!(span=> .retry(#retry)));
    }
    match worker.pool {
        Some(Pool::Blocking) => options.extend(quote_spanned!(span=> .blocking())),
        Some(Pool::Inline) => options.extend(quote_spanned!(span=> .inline())),
        None => {}
    }
    for callback in worker.callbacks.iter().map(with_this) {
        options.extend(quote_spanned!(span=> .callback(#callback)));
    }
    options
}
