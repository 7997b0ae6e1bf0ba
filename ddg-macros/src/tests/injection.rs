//! Tests of parameters that take the last output of a worker.

use expect_test::expect;

use super::check_expansion;

#[test]
fn an_input_is_filled_by_name_and_left_out_of_ferries() {
    check_expansion(
        r##"#[automa]
        impl Greet {
            #[worker(start)]
            async fn greet(&self, times: usize, #[input] name: &str) -> String { todo!() }
        }"##,
        &expect![[r#"
            impl Greet {
                /// The worker `greet`.
                #[allow(dead_code)]
                const GREET: ::ddg_core::worker::WorkerRef<fn(usize) -> String> = ::ddg_core::worker::WorkerRef::new(
                    "greet",
                );
            }
            impl ::ddg_core::Automa for Greet {
                type Output = ();
                const NAME: &'static str = "Greet";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    graph
                        .add_func_as_worker(
                            "greet",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |times: usize, name: ::std::sync::Arc<::std::string::String>| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::greet(&this, times, &name).await }
                                }
                            },
                            ::ddg_core::start().params(["times", "name"]).input("name"),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn from_names_parameter_and_worker() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker(start, key = "the plan")]
            async fn plan(&self) -> Plan { todo!() }

            #[worker(dependencies = [plan], suppressed)]
            async fn act(
                &self,
                x: i64,
                #[from(plan)] plan: &Plan,
                #[from("the plan", default = Plan::empty())] again: Plan,
                #[from(dynamic("limit"), default = self.limit)] limit: u64,
                #[from(act, default = None)] last: Option<String>,
            ) -> String { todo!() }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `the plan`.
                #[allow(dead_code)]
                const PLAN: ::ddg_core::worker::WorkerRef<fn() -> Plan> = ::ddg_core::worker::WorkerRef::new(
                    "the plan",
                );
                /// The worker `act`.
                #[allow(dead_code)]
                const ACT: ::ddg_core::worker::WorkerRef<fn(i64) -> String> = ::ddg_core::worker::WorkerRef::new(
                    "act",
                );
            }
            impl ::ddg_core::Automa for Agent {
                type Output = ();
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::output::<Plan>();
                        ::ddg_core::check::injected!(
                            String => Option < String >,
                            "`act` takes `Option<String>` as `last`, but `act` gives `String`"
                        );
                    };
                    graph
                        .add_func_as_worker(
                            "the plan",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::plan(&this).await }
                                }
                            },
                            ::ddg_core::start(),
                        )?;
                    graph
                        .add_func_as_worker(
                            "act",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |
                                    x: i64,
                                    plan: ::std::sync::Arc<Plan>,
                                    again: Plan,
                                    limit: u64,
                                    last: Option<String>|
                                {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move {
                                        Self::act(&this, x, &plan, again, limit, last).await
                                    }
                                }
                            },
                            ::ddg_core::after(["the plan"])
                                .params(["x", "plan", "again", "limit", "last"])
                                .from("plan", "the plan")
                                .from_or(
                                    "again",
                                    "the plan",
                                    ::core::convert::identity::<Plan>(Plan::empty()),
                                )
                                .from_or(
                                    "limit",
                                    "limit",
                                    ::core::convert::identity::<u64>(this.limit),
                                )
                                .from_or(
                                    "last",
                                    "act",
                                    ::core::convert::identity::<Option<String>>(None),
                                )
                                .suppressed(),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn what_is_made_from_the_context_is_no_argument() {
    check_expansion(
        r##"#[automa]
        impl Team {
            #[worker(start)]
            async fn ask(&self, #[context] turn: Turn, topic: String, #[context] me: &Me) -> String { todo!() }

            #[worker(dependencies = [ask])]
            fn count(text: &str, #[context] turn: &subturn::Turn, last: Turn) {}
        }"##,
        &expect![[r#"
            impl Team {
                /// The worker `ask`.
                #[allow(dead_code)]
                const ASK: ::ddg_core::worker::WorkerRef<fn(String) -> String> = ::ddg_core::worker::WorkerRef::new(
                    "ask",
                );
                /// The worker `count`.
                #[allow(dead_code)]
                const COUNT: ::ddg_core::worker::WorkerRef<fn(::std::string::String, Turn) -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "count",
                );
            }
            impl ::ddg_core::Automa for Team {
                type Output = ();
                const NAME: &'static str = "Team";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::derived::<Turn>();
                        ::ddg_core::check::derived::<Me>();
                        ::ddg_core::check::derived::<subturn::Turn>();
                        ::ddg_core::check::parameter::<Turn>();
                    };
                    graph
                        .add_func_as_worker(
                            "ask",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |turn: Turn, topic: String, me: Me| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::ask(&this, turn, topic, &me).await }
                                }
                            },
                            ::ddg_core::start().params(["topic"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "count",
                            |
                                text: ::std::sync::Arc<::std::string::String>,
                                turn: subturn::Turn,
                                last: Turn|
                            Self::count(&text, &turn, last),
                            ::ddg_core::after(["ask"]).params(["text", "last"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}
