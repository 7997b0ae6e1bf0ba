//! Generates the function that declares the block's workers in a graph.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, Path, Type, spanned::Spanned};

use super::{
    callable::callable,
    checks::type_checks,
    inherent_impl,
    names::{graph, this, with_this},
    options::options,
};
use crate::model::{Block, Declaration, Fragment, Placement, Role, Worker};
use crate::type_syntax::{find_dyn, is_surely_data, last_segment};

/// The `impl Automa` with this body, or the function of a fragment.
pub(super) fn declaration(block: &Block, generics: &Generics, body: &TokenStream) -> TokenStream {
    let Block { krate, self_ty, cfgs, .. } = block;
    let (this, graph) = (this(), graph());
    let signature = quote! {
        (
            #this: &::std::sync::Arc<Self>,
            #graph: &mut #krate::GraphAutoma,
        ) -> ::core::result::Result<(), #krate::graph::BuildError>
    };
    match &block.role {
        Role::Automa { name, output } => {
            let (impl_generics, _, where_clause) = generics.split_for_impl();
            let output = match output {
                Some(ty) => quote!(#ty),
                None => output_ty(block),
            };
            let output = travelling(krate, &output);
            let items = quote! {
                type Output = #output;
                const NAME: &'static str = #name;

                fn declare #signature { #body }
            };
            // Errors about the type of the automa as a whole point at its name.
            let implementation = quote_spanned! {self_ty.span()=>
                impl #impl_generics #krate::Automa for #self_ty #where_clause { #items }
            };
            quote!(#(#cfgs)* #implementation)
        }
        Role::Fragment(name) => {
            let doc = format!(" Declares the workers of the fragment `{name}`.");
            inherent_impl(
                block,
                generics,
                &quote! {
                    #[doc = #doc]
                    #[allow(dead_code)]
                    pub fn #name #signature { #body }
                },
            )
        }
    }
}

/// The calls that declare the fragments and then the workers, and the checks for the compiler.
pub(super) fn body(block: &Block) -> TokenStream {
    let fragments = block.fragments.iter().map(|fragment| fragment_call(block, fragment));
    let workers = block.workers.iter().map(|worker| worker_call(block, worker));
    let checks = type_checks(block);
    quote! {
        #checks
        #(#fragments)*
        #(#workers)*
        ::core::result::Result::Ok(())
    }
}

fn fragment_call(block: &Block, fragment: &Fragment) -> TokenStream {
    let krate = &block.krate;
    let (this, graph) = (this(), graph());
    let span = this.span().located_at(fragment.span());
    match fragment {
        Fragment::Block(path) => quote_spanned!(span=> #path(#this, #graph)?;),
        Fragment::Field(field) => {
            let field = with_this(field);
            quote_spanned!(span=> #krate::Automa::declare(&#field, #graph)?;)
        }
    }
}

fn worker_call(block: &Block, worker: &Worker) -> TokenStream {
    let (key, cfgs, graph) = (&worker.key.text, &worker.cfgs, graph());
    let callable = callable(&block.krate, worker);
    let options = options(block, worker);
    let method = match &worker.placement {
        Placement::Placed { declaration: Declaration::Added, .. } => "add_func_as_worker",
        Placement::Placed { declaration: Declaration::Override(_), .. } => {
            "override_func_as_worker"
        }
        Placement::Detached => "declare_func",
    };
    let method = Ident::new(method, worker.span());
    quote_spanned! {worker.span()=>
        #(#cfgs)*
        #graph.#method(#key, #callable, #options)?;
    }
}

/// The type itself, named in a way that a type that cannot travel is one error of the compiler.
/// Without it, each trait that is missing would be one.
fn travelling(krate: &Path, output: &TokenStream) -> TokenStream {
    match syn::parse2::<Type>(output.clone()) {
        Ok(ty) if !is_surely_data(&ty) && find_dyn(&ty).is_none() && !is_stream(&ty) => {
            let span = Span::call_site().located_at(ty.span());
            quote_spanned!(span=> <#output as #krate::check::Travels>::Itself)
        }
        Ok(_) | Err(_) => output.clone(),
    }
}

/// Whether this is the type of a stream, whose items are checked by the worker's own type.
fn is_stream(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "ItemStream")
}

/// The output type of a run: that of the output workers, if they agree.
pub(super) fn output_ty(block: &Block) -> TokenStream {
    let krate = &block.krate;
    let outputs = block.workers.iter().filter(|worker| worker.output_option().is_some());
    let unreadable = block.unreadable.iter().filter(|worker| worker.is_output);
    let mut outputs =
        outputs.map(|worker| &worker.output).chain(unreadable.map(|worker| &worker.output));
    match outputs.next() {
        Some(first) if outputs.all(|output| output == first) => first.ty(krate),
        None if block.fragments.is_empty() => quote!(()),
        Some(_) | None => quote!(#krate::Value),
    }
}
