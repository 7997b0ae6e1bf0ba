//! Checks that a named worker still exists after `#[cfg]`s have been evaluated, which only the
//! compiler can do.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Meta, spanned::Spanned};

use crate::model::{Block, Form, Reference, Source, Worker};

pub(super) fn checks(block: &Block) -> TokenStream {
    let checks = block.workers.iter().flat_map(|worker| {
        let injected = worker.params.iter().filter_map(|param| match &param.source {
            Source::From { worker, .. } => Some(worker),
            Source::Argument | Source::Input | Source::Context | Source::Derived => None,
        });
        let named = worker.dependencies().iter().chain(injected);
        named.filter_map(|reference| check(block, worker, reference))
    });
    checks.collect()
}

/// An error that is compiled if `worker` exists but no worker that `reference` may mean does.
fn check(block: &Block, worker: &Worker, reference: &Reference) -> Option<TokenStream> {
    let named: Vec<&Worker> =
        block.workers.iter().filter(|other| is_named(reference, other)).collect();
    let conditions = |worker: &Worker| worker.cfgs.iter().filter_map(condition).collect::<Vec<_>>();
    let own = conditions(worker);
    let texts: Vec<String> = own.iter().map(ToString::to_string).collect();
    let goes_with = |other: &&Worker| {
        conditions(other).iter().all(|condition| texts.contains(&condition.to_string()))
    };
    if named.is_empty() || named.iter().any(goes_with) {
        return None;
    }
    let any = named.iter().map(|other| {
        let conditions = conditions(other);
        quote!(all(#(#conditions),*))
    });
    let message = format!(
        "`{0}` is not there: its `#[cfg]` has removed it\n= help: give `{1}` the same `#[cfg]`, or \
         name a worker that is always there",
        reference.text,
        worker.method(),
    );
    let span = reference.tokens.span();
    Some(quote_spanned! {span=>
        #[cfg(all(#(#own,)* not(any(#(#any),*))))]
        ::core::compile_error!(#message);
    })
}

fn is_named(reference: &Reference, worker: &Worker) -> bool {
    match &reference.form {
        Form::Method(method) => worker.ident == *method,
        Form::Key => worker.key.text == reference.text,
        Form::Dynamic => false,
    }
}

/// The content of the parentheses of a `#[cfg(..)]`.
fn condition(cfg: &Attribute) -> Option<TokenStream> {
    match &cfg.meta {
        Meta::List(list) => Some(list.tokens.clone()),
        Meta::Path(_) | Meta::NameValue(_) => None,
    }
}
