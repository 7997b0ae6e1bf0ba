//! Tests of functions that are not async.

use expect_test::expect;

use super::check_expansion;

#[test]
fn they_run_where_blocking_is_allowed_or_in_place() {
    check_expansion(
        r##"#[tool]
        /// Reads.
        fn read(path: &str, cx: Context) -> io::Result<String> { todo!() }"##,
        &expect![[r#"
            /// The tool `read`.
            #[allow(non_camel_case_types, dead_code)]
            struct read {}
            impl read {
                /// The tool `read`.
                #[allow(dead_code)]
                fn tool() -> impl ::ddg_agentic::tool::Tool {
                    #[derive(
                        ::ddg_agentic::__private::serde::Deserialize,
                        ::ddg_agentic::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "::ddg_agentic::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "::ddg_agentic::__private::schemars")]
                    struct __Arguments {
                        path: ::std::string::String,
                    }
                    ::ddg_agentic::__private::FuncTool::new(
                        "read",
                        "Reads.",
                        |arguments: __Arguments, given| {
                            ::std::boxed::Box::pin(async move {
                                let cx = given.context().clone();
                                ::ddg_agentic::__private::blocking(move || ::ddg_agentic::__private::result(
                                        read(&arguments.path, cx),
                                    ))
                                    .await
                            })
                        },
                    )
                }
            }
        "#]],
    );
    check_expansion(
        r##"#[tool(inline)]
        /// Adds.
        fn add(a: i64, b: i64) -> i64 { a + b }"##,
        &expect![[r#"
            /// The tool `add`.
            #[allow(non_camel_case_types, dead_code)]
            struct add {}
            impl add {
                /// The tool `add`.
                #[allow(dead_code)]
                fn tool() -> impl ::ddg_agentic::tool::Tool {
                    #[derive(
                        ::ddg_agentic::__private::serde::Deserialize,
                        ::ddg_agentic::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "::ddg_agentic::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "::ddg_agentic::__private::schemars")]
                    struct __Arguments {
                        a: i64,
                        b: i64,
                    }
                    ::ddg_agentic::__private::FuncTool::new(
                        "add",
                        "Adds.",
                        |arguments: __Arguments, _| {
                            ::std::boxed::Box::pin(async move {
                                ::ddg_agentic::__private::output(add(arguments.a, arguments.b))
                            })
                        },
                    )
                }
            }
        "#]],
    );
}
