//! Tests of the options of `#[tool]`.

use expect_test::expect;

use super::check_expansion;

#[test]
fn name_description_crate_and_cfg_are_taken_over() {
    check_expansion(
        r##"#[tool(name = "web-search", description = "Searches.", crate = my::agents)]
        #[cfg(feature = "web")]
        pub(crate) async fn search() {}"##,
        &expect![[r##"
            #[cfg(feature = "web")]
            /// The tool `web-search`.
            #[allow(non_camel_case_types, dead_code)]
            pub(crate) struct search {}
            #[cfg(feature = "web")]
            impl search {
                /// The tool `web-search`.
                #[allow(dead_code)]
                pub(crate) fn tool() -> impl my::agents::tool::Tool {
                    #[derive(
                        my::agents::__private::serde::Deserialize,
                        my::agents::__private::schemars::JsonSchema,
                    )]
                    #[serde(crate = "my::agents::__private::serde", deny_unknown_fields)]
                    #[schemars(crate = "my::agents::__private::schemars")]
                    struct __Arguments {}
                    my::agents::__private::FuncTool::new(
                        "web-search",
                        "Searches.",
                        |_: __Arguments, _| {
                            ::std::boxed::Box::pin(async move {
                                my::agents::__private::output(search().await)
                            })
                        },
                    )
                }
            }
        "##]],
    );
}
