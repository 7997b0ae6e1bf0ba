//! Tests of parameters that no model fills: the context and states of the toolbox.

use expect_test::expect;

use super::check_expansion;

#[test]
fn the_turn_is_no_field() {
    check_expansion(
        r##"#[tool]
        /// Finds out.
        async fn research(topic: String, turn: Turn) -> String { todo!() }"##,
        &expect![[r#"
            /// The tool `research`.
            #[allow(non_camel_case_types, dead_code)]
            struct research {}
            impl research {
                /// The tool `research`.
                #[allow(dead_code)]
                fn tool() -> impl ::ddg_agentic::tool::Tool {
                    #[derive(
                        ::ddg_agentic::__private::serde::Deserialize,
                        ::ddg_agentic::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "::ddg_agentic::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "::ddg_agentic::__private::schemars")]
                    struct __Arguments {
                        topic: String,
                    }
                    ::ddg_agentic::__private::FuncTool::new(
                        "research",
                        "Finds out.",
                        |arguments: __Arguments, given| {
                            ::std::boxed::Box::pin(async move {
                                let turn = ::ddg_agentic::__private::turn(given)?;
                                ::ddg_agentic::__private::output(
                                    research(arguments.topic, turn).await,
                                )
                            })
                        },
                    )
                }
            }
        "#]],
    );
}

#[test]
fn the_context_and_states_are_not_fields() {
    check_expansion(
        r##"#[tool]
        /// Searches.
        async fn search(
            query: String,
            cx: &ddg_core::Context,
            index: State<Index>,
            cache: &State<Cache<String>>,
        ) -> Result<Vec<Hit>, SearchError> { todo!() }"##,
        &expect![[r#"
            /// The tool `search`.
            #[allow(non_camel_case_types, dead_code)]
            struct search {}
            impl search {
                /// The tool `search`.
                #[allow(dead_code)]
                fn tool() -> impl ::ddg_agentic::tool::Tool {
                    #[derive(
                        ::ddg_agentic::__private::serde::Deserialize,
                        ::ddg_agentic::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "::ddg_agentic::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "::ddg_agentic::__private::schemars")]
                    struct __Arguments {
                        query: String,
                    }
                    ::ddg_agentic::__private::FuncTool::new(
                            "search",
                            "Searches.",
                            |arguments: __Arguments, given| {
                                ::std::boxed::Box::pin(async move {
                                    let cx = given.context().clone();
                                    let index = given.state::<Index>()?;
                                    let cache = given.state::<Cache<String>>()?;
                                    ::ddg_agentic::__private::result(
                                        search(arguments.query, &cx, index, &cache).await,
                                    )
                                })
                            },
                        )
                        .needs::<Index>()
                        .needs::<Cache<String>>()
                }
            }
        "#]],
    );
}

#[test]
fn inputs_of_the_run_are_not_fields() {
    check_expansion(
        r##"#[tool]
        /// Finds orders.
        fn orders(
            /// Who is speaking.
            #[input] user: &str,
            #[input] limit: Option<u32>,
            city: String,
        ) -> String { todo!() }"##,
        &expect![[r#"
            /// The tool `orders`.
            #[allow(non_camel_case_types, dead_code)]
            struct orders {}
            impl orders {
                /// The tool `orders`.
                #[allow(dead_code)]
                fn tool() -> impl ::ddg_agentic::tool::Tool {
                    #[derive(
                        ::ddg_agentic::__private::serde::Deserialize,
                        ::ddg_agentic::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "::ddg_agentic::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "::ddg_agentic::__private::schemars")]
                    struct __Arguments {
                        city: String,
                    }
                    ::ddg_agentic::__private::FuncTool::new(
                            "orders",
                            "Finds orders.",
                            |arguments: __Arguments, given| {
                                ::std::boxed::Box::pin(async move {
                                    let user = given.input::<::std::string::String>("user")?;
                                    let limit = given.input::<Option<u32>>("limit")?;
                                    ::ddg_agentic::__private::blocking(move || ::ddg_agentic::__private::output(
                                            orders(&user, limit, arguments.city),
                                        ))
                                        .await
                                })
                            },
                        )
                        .reads::<::std::string::String>("user", "Who is speaking.")
                        .reads::<Option<u32>>("limit", "")
                }
            }
        "#]],
    );
}
