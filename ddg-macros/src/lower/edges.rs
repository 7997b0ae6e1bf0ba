//! Leaves to the compiler whether outputs can travel, and whether they fit the parameters that they
//! fill.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::inherent_impl;
use crate::model::{Block, Mapping, Param, Role, Worker};

/// A function that is never called and compiles only if all outputs can travel and the types along
/// the edges agree.
pub(super) fn type_checks(block: &Block) -> TokenStream {
    let outputs = block.workers.iter().map(|worker| output_check(block, worker));
    let edges = block
        .workers
        .iter()
        .filter(|worker| worker.mapping == Mapping::AsIs)
        .flat_map(|worker| edges_to(block, worker))
        .map(|edge| type_check(block, &edge));
    let checks: TokenStream = outputs.chain(edges).collect();
    if checks.is_empty() {
        return TokenStream::new();
    }
    let name = function_name(&block.role);
    inherent_impl(
        block,
        &quote! {
            #[doc(hidden)]
            #[allow(dead_code, clippy::all)]
            fn #name() {
                #checks
            }
        },
    )
}

/// Whether a worker's output can travel, pointed at its type: that the whole method is no worker
/// function would not say what is wrong with it.
fn output_check(block: &Block, worker: &Worker) -> TokenStream {
    let (Some(output), false) = (worker.output.comparable(), worker.output.is_unit()) else {
        return TokenStream::new();
    };
    let (krate, cfgs) = (&block.krate, &worker.cfgs);
    let span = Span::call_site().located_at(output.span());
    quote_spanned! {span=>
        #(#cfgs)*
        #krate::check::output::<#output>();
    }
}

/// An output and the parameter that it fills.
struct Edge<'a> {
    dependency: &'a Worker,
    worker: &'a Worker,
    param: &'a Param,
}

/// The edges to a worker, up to the first dependency that is not of this block: behind it the
/// positions are not known.
fn edges_to<'a>(block: &'a Block, worker: &'a Worker) -> impl Iterator<Item = Edge<'a>> {
    worker
        .dependencies()
        .iter()
        .map_while(|reference| block.resolve(reference))
        .map(|worker_idx| &block.workers[worker_idx])
        .filter(|dependency| !dependency.output.is_unit())
        .zip(worker.positional_params())
        .map(move |(dependency, param)| Edge { dependency, worker, param })
}

fn type_check(block: &Block, edge: &Edge<'_>) -> TokenStream {
    let Edge { dependency, worker, param } = edge;
    // A dealt list arrives as its elements.
    let given = dependency.output.comparable().filter(|_| !dependency.in_order);
    let (Some(given), true) = (given, param.is_comparable()) else {
        return TokenStream::new();
    };
    let krate = &block.krate;
    let taken = param.bound_ty(krate);
    let cfgs = dependency.cfgs.iter().chain(&worker.cfgs);
    let span = Span::call_site().located_at(param.ty.span());
    quote_spanned! {span=>
        #(#cfgs)*
        #krate::check::dependency::<#given, #taken, _>();
    }
}

fn function_name(role: &Role) -> Ident {
    match role {
        Role::Automa { .. } => format_ident!("__ddg_check_types", span = Span::call_site()),
        Role::Fragment(name) => {
            format_ident!("__ddg_check_types_{name}", span = Span::call_site())
        }
    }
}
