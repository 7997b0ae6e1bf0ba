//! Lowers a checked block to plain calls that a person could have written.
//!
//! Lowering cannot fail, because every fault has been reported before.

mod callable;
mod checks;
mod constants;
mod declaration;
mod names;
mod options;

use proc_macro2::TokenStream;
use quote::quote;
use syn::Generics;

use crate::check::completed;
use crate::model::Block;

/// Generates everything for a block without faults.
pub(crate) fn lower(block: &Block) -> TokenStream {
    let constants = constants::constants(block);
    let declaration = declaration::declaration(block, &block.generics, &declaration::body(block));
    quote!(#constants #declaration)
}

/// Generates what other code may refer to, for a block with faults or syntax errors. Its automa is
/// never built, because there is a compile error.
pub(crate) fn stub(block: &Block) -> TokenStream {
    let generics = completed(block);
    let constants = constants::constants(block);
    let declaration = declaration::declaration(block, &generics, &quote!(::core::unimplemented!()));
    quote!(#constants #declaration)
}

/// `impl SelfTy { items }`, or nothing without items.
fn inherent_impl(block: &Block, generics: &Generics, items: &TokenStream) -> TokenStream {
    if items.is_empty() {
        return TokenStream::new();
    }
    let Block { self_ty, cfgs, .. } = block;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote! {
        #(#cfgs)*
        impl #impl_generics #self_ty #where_clause {
            #items
        }
    }
}
