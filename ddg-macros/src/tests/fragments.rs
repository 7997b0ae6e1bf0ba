//! Tests of automata that consist of several blocks.

use expect_test::expect;

use super::check_expansion;

#[test]
fn fragments_are_declared_first() {
    check_expansion(
        r##"#[automa(fragments = [Self::tools, self.retrieval, self.shared.search])]
        impl Agent {
            #[worker(dependencies = [dynamic("search")], output)]
            async fn answer(&self, hits: Vec<Hit>) -> String { todo!() }

            #[worker(override)]
            async fn rank(&self) {}
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `answer`.
                #[allow(dead_code)]
                const ANSWER: ::ddg_core::worker::WorkerRef<fn(Vec<Hit>) -> String> = ::ddg_core::worker::WorkerRef::new(
                    "answer",
                );
                /// The worker `rank`.
                #[allow(dead_code)]
                const RANK: ::ddg_core::worker::WorkerRef<fn() -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "rank",
                );
            }
            impl ::ddg_core::Automa for Agent {
                type Output = String;
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::parameter::<Vec<Hit>>();
                    };
                    Self::tools(this, graph)?;
                    ::ddg_core::Automa::declare(&this.retrieval, graph)?;
                    ::ddg_core::Automa::declare(&this.shared.search, graph)?;
                    graph
                        .add_func_as_worker(
                            "answer",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |hits: Vec<Hit>| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::answer(&this, hits).await }
                                }
                            },
                            ::ddg_core::after(["search"]).params(["hits"]).output(),
                        )?;
                    graph
                        .override_func_as_worker(
                            "rank",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::rank(&this).await }
                                }
                            },
                            ::ddg_core::free(),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn a_fragment_is_a_function() {
    check_expansion(
        r##"#[automa(fragment = tools, fragments = [Self::more])]
        impl Agent {
            #[worker(start)]
            async fn search(&self, query: String) -> Vec<Hit> { todo!() }

            #[worker(dependencies = [search])]
            async fn rank(&self, hits: &[Hit]) -> Vec<Hit> { todo!() }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `search`.
                #[allow(dead_code)]
                const SEARCH: ::ddg_core::worker::WorkerRef<fn(String) -> Vec<Hit>> = ::ddg_core::worker::WorkerRef::new(
                    "search",
                );
                /// The worker `rank`.
                #[allow(dead_code)]
                const RANK: ::ddg_core::worker::WorkerRef<fn(::std::vec::Vec<Hit>) -> Vec<Hit>> = ::ddg_core::worker::WorkerRef::new(
                    "rank",
                );
            }
            impl Agent {
                /// Declares the workers of the fragment `tools`.
                #[allow(dead_code)]
                pub fn tools(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::output::<Vec<Hit>>();
                        ::ddg_core::check::parameter::<::std::vec::Vec<Hit>>();
                    };
                    Self::more(this, graph)?;
                    graph
                        .add_func_as_worker(
                            "search",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |query: String| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::search(&this, query).await }
                                }
                            },
                            ::ddg_core::start().params(["query"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "rank",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |hits: ::std::sync::Arc<::std::vec::Vec<Hit>>| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::rank(&this, &hits).await }
                                }
                            },
                            ::ddg_core::after(["search"]).params(["hits"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn a_fragment_without_a_name_is_called_fragment() {
    check_expansion(
        r##"#[automa(fragment)]
        impl Agent {}"##,
        &expect![[r#"
            impl Agent {
                /// Declares the workers of the fragment `fragment`.
                #[allow(dead_code)]
                pub fn fragment(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}
