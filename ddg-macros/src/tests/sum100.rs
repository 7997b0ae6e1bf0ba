//! Tests of the automa in the README.

use expect_test::expect;

use super::{check_expansion, expand_source};

#[test]
fn sum100_expands_to_plain_calls() {
    check_expansion(
        r##"#[automa]
        impl Sum100 {
            #[worker(start)]
            async fn start(&self, x: i64) -> i64 { x }

            /// Adds up.
            #[worker(dependencies = [start])]
            async fn accumulate(&self, x: i64, cx: &Context) {
                let sum = cx.local().update("sum", |sum: &mut i64| { *sum += x; *sum });
                if x < 100 { cx.ferry_to(Self::START, (x + 1,)) } else { cx.ferry_to(Self::END, (sum,)) }
            }

            #[worker(output)]
            pub async fn end(&self, x: i64) -> i64 { x }
        }"##,
        &expect![[r#"
            impl Sum100 {
                /// The worker `start`.
                #[allow(dead_code)]
                const START: ::ddg_core::worker::WorkerRef<fn(i64) -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "start",
                );
                /// The worker `accumulate`.
                #[allow(dead_code)]
                const ACCUMULATE: ::ddg_core::worker::WorkerRef<fn(i64) -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "accumulate",
                );
                /// The worker `end`.
                #[allow(dead_code)]
                pub const END: ::ddg_core::worker::WorkerRef<fn(i64) -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "end",
                );
            }
            impl ::ddg_core::Automa for Sum100 {
                type Output = i64;
                const NAME: &'static str = "Sum100";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    graph
                        .add_func_as_worker(
                            "start",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |x: i64| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::start(&this, x).await }
                                }
                            },
                            ::ddg_core::start().params(["x"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "accumulate",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |x: i64, cx: ::ddg_core::Context| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::accumulate(&this, x, &cx).await }
                                }
                            },
                            ::ddg_core::after(["start"]).params(["x"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "end",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |x: i64| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::end(&this, x).await }
                                }
                            },
                            ::ddg_core::free().params(["x"]).output(),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn the_block_itself_loses_only_our_attributes() {
    let (expansion, _) = expand_source(
        r##"#[automa]
        impl Sum100 {
            const LIMIT: i64 = 100;

            /// Begins.
            #[worker(start)]
            #[tracing::instrument]
            async fn start(&self, #[from("end", default = 0)] #[allow(unused)] x: i64) -> i64 { x }

            #[ddg_core::worker(output)]
            async fn end(&self, x: i64) -> i64 { self.helper(x) }

            fn helper(&self, x: i64) -> i64 { x }
        }"##,
    );
    let file: syn::File = syn::parse2(expansion).expect("the expansion consists of items");
    let own = syn::File { items: vec![file.items[0].clone()], ..file };
    expect![[r#"
        impl Sum100 {
            const LIMIT: i64 = 100;
            /// Begins.
            #[tracing::instrument]
            async fn start(&self, #[allow(unused)] x: i64) -> i64 {
                x
            }
            async fn end(&self, x: i64) -> i64 {
                self.helper(x)
            }
            fn helper(&self, x: i64) -> i64 {
                x
            }
        }
    "#]]
    .assert_eq(&prettyplease::unparse(&own));
}
