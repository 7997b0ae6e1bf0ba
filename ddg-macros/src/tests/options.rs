//! Tests of the calls that the options of `#[worker]` become.

use expect_test::expect;
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::quote;

use super::{check_expansion, render};
use crate::expand::expand_collecting;
use crate::fault::Faults;

#[test]
fn options_are_chained_in_one_order() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker(start, dependencies = [seed, "other key", dynamic("elsewhere")], retry = Retry::times(3), timeout = self.patience,
                     callbacks = [Timing, self.tracing.clone()], in_order, merge, output, blocking)]
            fn everything(&self, all: Vec<i64>) -> Vec<i64> { all }

            #[worker(unpack, inline, dependencies = [everything])]
            fn spread(&self, a: i64, b: i64) {}

            #[worker(after_loops, suppressed, dependencies = [everything])]
            async fn later(&self) {}

            #[worker(as_is, dependencies = [])]
            async fn free(&self) {}

            #[worker(start)]
            async fn seed(&self) {}

            #[worker(key = "other key")]
            async fn other(&self) {}

            #[worker(dependencies = [other])]
            async fn after_other(&self) {}
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `everything`.
                #[allow(dead_code)]
                const EVERYTHING: ::ddg_core::worker::WorkerRef<fn(Vec<i64>) -> Vec<i64>> = ::ddg_core::worker::WorkerRef::new(
                    "everything",
                );
                /// The worker `spread`.
                #[allow(dead_code)]
                const SPREAD: ::ddg_core::worker::WorkerRef<fn(i64, i64) -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "spread",
                );
                /// The worker `later`.
                #[allow(dead_code)]
                const LATER: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "later",
                );
                /// The worker `free`.
                #[allow(dead_code)]
                const FREE: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "free",
                );
                /// The worker `seed`.
                #[allow(dead_code)]
                const SEED: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "seed",
                );
                /// The worker `other key`.
                #[allow(dead_code)]
                const OTHER: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "other key",
                );
                /// The worker `after_other`.
                #[allow(dead_code)]
                const AFTER_OTHER: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "after_other",
                );
            }
            impl ::ddg_core::Automa for Agent {
                type Output = Vec<i64>;
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::merged!(
                            () => i64,
                            "`everything` takes `Vec<i64>` as `all`, but `seed` gives `()`"
                        );
                        ::ddg_core::check::merged!(
                            () => i64,
                            "`everything` takes `Vec<i64>` as `all`, but `other` gives `()`"
                        );
                    };
                    graph
                        .add_func_as_worker(
                            "everything",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |all: Vec<i64>| Self::everything(&this, all)
                            },
                            ::ddg_core::start()
                                .after(["seed", "other key", "elsewhere"])
                                .params(["all"])
                                .output()
                                .merge()
                                .in_order()
                                .timeout(this.patience)
                                .retry(Retry::times(3))
                                .blocking()
                                .callback(Timing)
                                .callback(this.tracing.clone()),
                        )?;
                    graph
                        .add_func_as_worker(
                            "spread",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |a: i64, b: i64| Self::spread(&this, a, b)
                            },
                            ::ddg_core::after(["everything"]).params(["a", "b"]).unpack().inline(),
                        )?;
                    graph
                        .add_func_as_worker(
                            "later",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::later(&this).await }
                                }
                            },
                            ::ddg_core::after(["everything"]).suppressed().after_loops(),
                        )?;
                    graph
                        .add_func_as_worker(
                            "free",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::free(&this).await }
                                }
                            },
                            ::ddg_core::free(),
                        )?;
                    graph
                        .add_func_as_worker(
                            "seed",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::seed(&this).await }
                                }
                            },
                            ::ddg_core::start(),
                        )?;
                    graph
                        .add_func_as_worker(
                            "other key",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::other(&this).await }
                                }
                            },
                            ::ddg_core::free(),
                        )?;
                    graph
                        .add_func_as_worker(
                            "after_other",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::after_other(&this).await }
                                }
                            },
                            ::ddg_core::after(["other key"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn values_may_come_from_another_macro() {
    let group = |tokens: TokenStream| Group::new(Delimiter::None, tokens);
    let (key, start) = (group(quote!("k")), group(quote!(start)));
    let mut faults = Faults::default();
    expand_collecting(
        quote!(name = #key),
        quote! {
            impl Agent {
                #[worker(start)]
                fn start() -> i64 { 0 }

                #[worker(key = #key, dependencies = [#start])]
                fn f(x: i64, #[from(#start)] y: i64) {}
            }
        },
        &mut faults,
    );
    assert_eq!(render(&faults), "");
}
