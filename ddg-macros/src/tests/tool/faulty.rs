//! Tests that the remains of a faulty function give other code no second error.

use expect_test::expect;
use quote::quote;

use crate::tests::code;
use crate::tool::expand;

#[test]
fn the_type_beside_it_stays() {
    let expansion =
        expand(quote!(), quote! { pub async fn now(#[default] cx: &Context) -> u64 { 0 } });
    expect![[r#"
        ::core::compile_error! {
            "no model gives this argument: drop the `#[default]`"
        }
        ::core::compile_error! {
            "the tool `now` has no description, by which a model chooses it\n= help: write a doc comment that says what it does and when to use it, or `#[tool(description = \"..\")]`"
        }
        pub async fn now(cx: &Context) -> u64 {
            0
        }
        /// The tool `now`.
        #[allow(non_camel_case_types, dead_code)]
        pub struct now {}
        impl now {
            /// The tool `now`.
            #[allow(dead_code)]
            pub fn tool() -> ::std::sync::Arc<dyn ::ddg_agentic::tool::Tool> {
                ::core::unimplemented!()
            }
        }
    "#]].assert_eq(&code(expansion));
}

#[test]
fn an_item_that_is_not_a_function_stays() {
    let expansion = expand(
        quote!(),
        quote!(
            struct Weather;
        ),
    );
    expect![[r##"
        ::core::compile_error! {
            "#[tool] belongs on a function\n= help: write `#[tool] async fn weather(city: String) -> String { .. }`; an automa becomes a tool with `AutomaTool`"
        }
        struct Weather;
    "##]].assert_eq(&code(expansion));
}

#[test]
fn a_body_with_a_syntax_error_stays_and_the_tool_is_whole() {
    let expansion = tokens(
        "/// Tells the time.
        async fn now(zone: String) -> u64 { zone.; }",
    );
    assert!(expansion.starts_with(&normal(
        "/// Tells the time.\n async fn now(zone: String) -> u64 { zone.; }"
    )));
    assert!(expansion.contains(&normal("__private::FuncTool::new")), "{expansion}");
}

#[test]
fn a_head_with_a_syntax_error_leaves_the_type_beside_it() {
    let expansion = tokens("pub async fn now(#[default = 1] zone: ) -> u64 { 0 }");
    assert!(expansion.starts_with(&normal("pub async fn now(zone: ) -> u64 { 0 }")), "{expansion}");
    assert!(expansion.contains(&normal("pub struct now {}")), "{expansion}");
    assert!(expansion.contains(&normal("::core::unimplemented!()")), "{expansion}");
    assert!(!expansion.contains("compile_error"), "{expansion}");
}

/// The expansion of a function that can't be parsed.
fn tokens(function: &str) -> String {
    expand(quote!(), function.parse().expect("it consists of tokens")).to_string()
}

fn normal(source: &str) -> String {
    source.parse::<proc_macro2::TokenStream>().expect("it consists of tokens").to_string()
}
