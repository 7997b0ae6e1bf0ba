//! Tests that the remains of a faulty block give other code no second error.

use expect_test::expect;
use quote::quote;

use super::code;
use crate::expand::expand;

#[test]
fn constants_stay_and_nothing_is_declared() {
    let expansion = expand(
        quote!(),
        quote! {
            impl Agent {
                #[worker(start)]
                async fn begin(&self, x: i64) -> i64 { x }

                #[worker(output, dependencies = [begn])]
                async fn end(&self, x: impl Into<i64>) -> i64 { x.into() }
            }
        },
    );
    expect![[r#"
        ::core::compile_error! {
            "a worker's parameter needs a concrete type, into which outputs and inputs are turned\n= help: name the type; where it has to stay open make the automa generic: `impl<T: Trait> MyAutoma<T>`"
        }
        ::core::compile_error! {
            "this block has no worker `begn`\n= help: did you mean `begin`?\n= help: a worker that is added at run time is written `dynamic(\"begn\")`"
        }
        impl Agent {
            async fn begin(&self, x: i64) -> i64 {
                x
            }
            async fn end(&self, x: impl Into<i64>) -> i64 {
                x.into()
            }
        }
        impl Agent {
            /// The worker `begin`.
            #[allow(dead_code)]
            const BEGIN: ::ddg_core::worker::WorkerRef<fn(i64) -> i64> = ::ddg_core::worker::WorkerRef::new(
                "begin",
            );
            /// The worker `end`.
            #[allow(dead_code)]
            const END: ::ddg_core::worker::WorkerRef<fn(::ddg_core::Value) -> i64> = ::ddg_core::worker::WorkerRef::new(
                "end",
            );
        }
        impl ::ddg_core::Automa for Agent {
            type Output = i64;
            const NAME: &'static str = "Agent";
            fn declare(
                this: &::std::sync::Arc<Self>,
                graph: &mut ::ddg_core::GraphAutoma,
            ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                ::core::unimplemented!()
            }
        }
    "#]].assert_eq(&code(expansion));
}

#[test]
fn a_fragment_keeps_its_function() {
    let expansion = expand(
        quote!(fragment = tools, name = "tools"),
        quote!(impl Agent { #[worker] async fn search(&self) {} }),
    );
    expect![[r#"
        ::core::compile_error! {
            "a fragment has no `name` of its own\n= help: give it where the automa itself is declared"
        }
        impl Agent {
            async fn search(&self) {}
        }
        impl Agent {
            /// The worker `search`.
            #[allow(dead_code)]
            const SEARCH: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                "search",
            );
        }
        impl Agent {
            /// Declares the workers of the fragment `tools`.
            #[allow(dead_code)]
            pub fn tools(
                this: &::std::sync::Arc<Self>,
                graph: &mut ::ddg_core::GraphAutoma,
            ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                ::core::unimplemented!()
            }
        }
    "#]].assert_eq(&code(expansion));
}

#[test]
fn an_item_that_is_not_a_block_stays() {
    let expansion = expand(
        quote!(),
        quote!(
            struct Agent;
        ),
    );
    expect![[r##"
        ::core::compile_error! {
            "#[automa] belongs on an inherent impl block\n= help: write `#[automa] impl MyAutoma { .. }`, with methods marked `#[worker]`"
        }
        struct Agent;
    "##]].assert_eq(&code(expansion));
}
