//! Tests of the parameters that a model fills: types, docs, defaults, and how the function takes
//! them.

use expect_test::expect;

use super::{check_expansion, expand};

#[test]
fn parameters_become_the_fields_of_a_struct() {
    check_expansion(
        r##"#[tool]
        /// Tells the weather.
        ///
        /// Of the next days.
        pub async fn weather(
            /// The city, in English.
            city: &str,
            #[default = 2 + 1] #[schemars(range(min = 1))] days: u32,
            #[default] unit: Unit,
            mut only: Option<Vec<String>>,
            words: &[String],
        ) -> Forecast { todo!() }"##,
        &expect![[r#"
            /// The tool `weather`.
            #[allow(non_camel_case_types, dead_code)]
            pub struct weather {}
            impl weather {
                /// The tool `weather`.
                #[allow(dead_code)]
                pub fn tool() -> impl ::ddg_agentic::tool::Tool {
                    fn __default_days() -> u32 {
                        2 + 1
                    }
                    #[derive(
                        ::ddg_agentic::__private::serde::Deserialize,
                        ::ddg_agentic::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "::ddg_agentic::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "::ddg_agentic::__private::schemars")]
                    struct __Arguments {
                        /// The city, in English.
                        city: ::std::string::String,
                        #[schemars(range(min = 1))]
                        #[serde(default = "__default_days")]
                        days: u32,
                        #[serde(default)]
                        unit: Unit,
                        only: Option<Vec<String>>,
                        words: ::std::vec::Vec<String>,
                    }
                    ::ddg_agentic::__private::FuncTool::new(
                        "weather",
                        "Tells the weather.\n\nOf the next days.",
                        |arguments: __Arguments, _| {
                            ::std::boxed::Box::pin(async move {
                                ::ddg_agentic::__private::output(
                                    weather(
                                            &arguments.city,
                                            arguments.days,
                                            arguments.unit,
                                            arguments.only,
                                            &arguments.words,
                                        )
                                        .await,
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
fn raw_names_lose_their_prefix() {
    check_expansion(
        r##"#[tool]
        /// Asks.
        async fn r#await(#[default = 1] r#type: i64, arguments: String, given: Arguments) -> i64 { r#type }"##,
        &expect![[r#"
            /// The tool `await`.
            #[allow(non_camel_case_types, dead_code)]
            struct r#await {}
            impl r#await {
                /// The tool `await`.
                #[allow(dead_code)]
                fn tool() -> impl ::ddg_agentic::tool::Tool {
                    fn __default_type() -> i64 {
                        1
                    }
                    #[derive(
                        ::ddg_agentic::__private::serde::Deserialize,
                        ::ddg_agentic::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "::ddg_agentic::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "::ddg_agentic::__private::schemars")]
                    struct __Arguments {
                        #[serde(default = "__default_type")]
                        r#type: i64,
                        arguments: String,
                        given: Arguments,
                    }
                    ::ddg_agentic::__private::FuncTool::new(
                        "await",
                        "Asks.",
                        |arguments: __Arguments, _| {
                            ::std::boxed::Box::pin(async move {
                                ::ddg_agentic::__private::output(
                                    r#await(arguments.r#type, arguments.arguments, arguments.given)
                                        .await,
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
fn the_function_itself_loses_only_what_is_said_to_models() {
    let (expansion, _) = expand(
        r##"#[tool(name = "search")]
        /// Searches.
        #[tracing::instrument]
        async fn find(
            /// What.
            #[allow(unused)] #[serde(rename = "q")] query: String,
            #[default = 3] #[schemars(range(max = 9))] n: u32,
        ) -> String { query }"##,
    );
    let file: syn::File = syn::parse2(expansion).expect("the expansion consists of items");
    let own = syn::File { items: vec![file.items[0].clone()], ..file };
    expect![[r#"
        /// Searches.
        #[tracing::instrument]
        async fn find(#[allow(unused)] query: String, n: u32) -> String {
            query
        }
    "#]]
    .assert_eq(&prettyplease::unparse(&own));
}
