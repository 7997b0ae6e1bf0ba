//! Tests of `#[worker]` outside of an `#[automa]` block.

use expect_test::expect;
use quote::{ToTokens, quote};

use super::code;
use crate::expand::expand_lone_worker;

#[test]
fn the_item_stays_and_the_message_says_where_it_belongs() {
    let expansion = expand_lone_worker(quote! {
        async fn fetch(&self, #[from("plan")] plan: Plan) -> Page { todo!() }
    });
    let items: syn::ItemImpl = syn::parse_quote!(impl Agent { #expansion });
    expect![[r##"
        impl Agent {
            ::core::compile_error! {
                "#[worker] belongs on a method inside an #[automa] impl block\n= help: put `#[automa]` on the `impl`; a function outside of one becomes a worker with `add_func_as_worker`"
            }
            async fn fetch(&self, plan: Plan) -> Page {
                todo!()
            }
        }
    "##]].assert_eq(&code(items.to_token_stream()));
}
