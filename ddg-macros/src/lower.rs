//! From a checked block to plain calls that a person could have written.
//!
//! Lowering cannot fail: whatever could be wrong has been reported by then.

mod callable;
mod constants;
mod declaration;
mod edges;
mod names;
mod options;

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Block;

/// Everything that a block without faults generates.
pub(crate) fn lower(block: &Block) -> TokenStream {
    let constants = constants::constants(block);
    let checks = edges::type_checks(block);
    let declaration = declaration::declaration(block, &declaration::calls(block));
    quote!(#constants #checks #declaration)
}

/// What other code may name of a block with faults, declaring nothing.
pub(crate) fn stub(block: &Block) -> TokenStream {
    let constants = constants::constants(block);
    let declaration = declaration::declaration(block, &TokenStream::new());
    quote!(#constants #declaration)
}

/// `impl SelfTy { items }`, or nothing without items.
fn inherent_impl(block: &Block, items: &TokenStream) -> TokenStream {
    if items.is_empty() {
        return TokenStream::new();
    }
    let Block { generics, self_ty, cfgs, .. } = block;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    quote! {
        #(#cfgs)*
        impl #impl_generics #self_ty #where_clause {
            #items
        }
    }
}
