//! Tests of how parameters are passed.

use expect_test::expect;

use super::check_expansion;

#[test]
fn values_are_moved_and_shared_ones_borrowed() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker]
            async fn all(
                &self,
                mut own: String,
                shared: &Report,
                text: &str,
                list: &[i64],
                arc: &Arc<Report>,
                nested: Option<Arc<Report>>,
                cx: &Context,
            ) -> Arc<Report> { todo!() }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `all`.
                #[allow(dead_code)]
                const ALL: ::ddg_core::worker::WorkerRef<
                    fn(
                        String,
                        Report,
                        ::std::string::String,
                        ::std::vec::Vec<i64>,
                        Arc<Report>,
                        Option<Arc<Report>>,
                    ) -> Arc<Report>,
                > = ::ddg_core::worker::WorkerRef::new("all");
            }
            impl ::ddg_core::Automa for Agent {
                type Output = ();
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::output::<Arc<Report>>();
                        ::ddg_core::check::parameter::<Report>();
                        ::ddg_core::check::parameter::<Option<Arc<Report>>>();
                    };
                    graph
                        .add_func_as_worker(
                            "all",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |
                                    own: String,
                                    shared: ::std::sync::Arc<Report>,
                                    text: ::std::sync::Arc<::std::string::String>,
                                    list: ::std::sync::Arc<::std::vec::Vec<i64>>,
                                    arc: Arc<Report>,
                                    nested: Option<Arc<Report>>,
                                    cx: ::ddg_core::Context|
                                {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move {
                                        Self::all(
                                                &this,
                                                own,
                                                &shared,
                                                &text,
                                                &list,
                                                &arc,
                                                nested,
                                                &cx,
                                            )
                                            .await
                                    }
                                }
                            },
                            ::ddg_core::free()
                                .params(["own", "shared", "text", "list", "arc", "nested"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn a_sync_worker_is_a_sync_closure() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker]
            fn parse(&self, text: &str, cx: ddg_core::Context) -> i64 { 0 }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `parse`.
                #[allow(dead_code)]
                const PARSE: ::ddg_core::worker::WorkerRef<fn(::std::string::String) -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "parse",
                );
            }
            impl ::ddg_core::Automa for Agent {
                type Output = ();
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    graph
                        .add_func_as_worker(
                            "parse",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |
                                    text: ::std::sync::Arc<::std::string::String>,
                                    cx: ::ddg_core::Context|
                                Self::parse(&this, &text, cx)
                            },
                            ::ddg_core::free().params(["text"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn a_function_that_owns_all_it_takes_is_passed_as_it_is() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker]
            async fn add(x: i64, cx: Context) -> i64 { x }

            #[worker]
            fn nothing() {}
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `add`.
                #[allow(dead_code)]
                const ADD: ::ddg_core::worker::WorkerRef<fn(i64) -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "add",
                );
                /// The worker `nothing`.
                #[allow(dead_code)]
                const NOTHING: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "nothing",
                );
            }
            impl ::ddg_core::Automa for Agent {
                type Output = ();
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    graph.add_func_as_worker("add", Self::add, ::ddg_core::free().params(["x"]))?;
                    graph.add_func_as_worker("nothing", Self::nothing, ::ddg_core::free())?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn a_function_that_borrows_gets_a_closure() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker]
            async fn count(text: &str, cx: &Context) -> usize { 0 }

            #[worker]
            fn count_sync(text: &str) -> usize { 0 }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `count`.
                #[allow(dead_code)]
                const COUNT: ::ddg_core::worker::WorkerRef<fn(::std::string::String) -> usize> = ::ddg_core::worker::WorkerRef::new(
                    "count",
                );
                /// The worker `count_sync`.
                #[allow(dead_code)]
                const COUNT_SYNC: ::ddg_core::worker::WorkerRef<
                    fn(::std::string::String) -> usize,
                > = ::ddg_core::worker::WorkerRef::new("count_sync");
            }
            impl ::ddg_core::Automa for Agent {
                type Output = ();
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    graph
                        .add_func_as_worker(
                            "count",
                            |text: ::std::sync::Arc<::std::string::String>, cx: ::ddg_core::Context| async move {
                                Self::count(&text, &cx).await
                            },
                            ::ddg_core::free().params(["text"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "count_sync",
                            |text: ::std::sync::Arc<::std::string::String>| Self::count_sync(&text),
                            ::ddg_core::free().params(["text"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn raw_names_lose_their_prefix_in_keys() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker(start)]
            async fn r#loop(&self, r#type: i64, this: i64, graph: i64) -> i64 { r#type }

            #[worker(dependencies = [r#loop])]
            async fn nextStep(&self, x: i64) -> i64 { x }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `loop`.
                #[allow(dead_code)]
                const LOOP: ::ddg_core::worker::WorkerRef<fn(i64, i64, i64) -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "loop",
                );
                /// The worker `nextStep`.
                #[allow(dead_code)]
                const NEXT_STEP: ::ddg_core::worker::WorkerRef<fn(i64) -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "nextStep",
                );
            }
            impl ::ddg_core::Automa for Agent {
                type Output = ();
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    graph
                        .add_func_as_worker(
                            "loop",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |r#type: i64, this: i64, graph: i64| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::r#loop(&this, r#type, this, graph).await }
                                }
                            },
                            ::ddg_core::start().params(["type", "this", "graph"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "nextStep",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |x: i64| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::nextStep(&this, x).await }
                                }
                            },
                            ::ddg_core::after(["loop"]).params(["x"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}
