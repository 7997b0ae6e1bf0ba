//! Tests of blocks with a syntax error, which the compiler reports: everything is kept except items
//! with an error in their head.

use expect_test::expect;

use super::{expand_source, render};

/// Checks the expansion token by token, because not all of it can be parsed.
#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let (expansion, faults) = expand_source(source);
    assert_eq!(render(&faults), "", "the compiler has reported it");
    let code = expansion.to_string();
    for part in expected {
        let part = part.parse::<proc_macro2::TokenStream>().expect("it consists of tokens");
        assert!(code.contains(&part.to_string()), "no {part} in\n{code}");
    }
}

#[test]
fn a_body_may_be_anything() {
    check(
        "#[automa]
        impl Agent {
            #[worker(start)]
            async fn begin(&self, x: i64) -> i64 { x.; }

            #[worker(dependencies = [begin], output)]
            async fn end(&self, x: i64) -> i64 { let y = x 3 }
        }",
        &[
            "impl Agent { async fn begin(&self, x: i64) -> i64 { x.; } async fn end(&self, x: i64) -> i64 { let y = x 3 } }",
            "const BEGIN: ::ddg_core::worker::WorkerRef<fn(i64) -> i64>",
            "type Output = i64;",
            r#"::ddg_core::after(["begin"]).params(["x"]).output()"#,
        ],
    );
}

#[test]
fn a_head_with_an_error_leaves_the_others_and_its_own_name() {
    check(
        "#[automa]
        impl Agent {
            #[worker(start)]
            async fn begin(&self, x: i64) -> i64 { x }

            #[worker(dependencies = [begin], output)]
            pub async fn middle(&self, #[from(begin)] x: ) -> u8 { 0 }

            #[worker(dependencies = [middle])]
            async fn end(&self, x: u8) {}
        }",
        &[
            "impl Agent { async fn begin(&self, x: i64) -> i64 { x } async fn end(&self, x: u8) {} }",
            "impl Agent { pub async fn middle(&self, x: ) -> u8 { 0 } }",
            "const END: ::ddg_core::worker::WorkerRef<fn(u8) -> ()>",
            r#"pub const MIDDLE: ::ddg_core::Key = ::ddg_core::Key::from_static("middle");"#,
            "type Output = u8;",
            "::core::unimplemented!()",
        ],
    );
}

#[test]
fn items_without_a_body_are_left_out() {
    for half in ["async fn", "pub", "async fn more", "fn more(&self) ->", "fn more(&self)"] {
        check(
            &format!(
                "#[automa]
                impl Agent {{
                    #[worker]
                    {half}
                    #[worker(start)]
                    async fn begin(&self) {{}}
                }}"
            ),
            &[
                "impl Agent { async fn begin(&self) {} }",
                "const BEGIN: ::ddg_core::worker::WorkerRef<fn() -> ()>",
            ],
        );
    }
}

#[test]
fn items_that_are_not_methods_stay() {
    check(
        "#[automa]
        impl Agent {
            const LIMIT: Limit = Limit { n: };

            #[worker(start)]
            async fn begin(&self) {}

            helper! { anything at . all }
        }",
        &[
            "async fn begin(&self) {}",
            "helper! { anything at . all }",
            "const BEGIN: ::ddg_core::worker::WorkerRef<fn() -> ()>",
        ],
    );
}

#[test]
fn an_error_ahead_of_the_braces_leaves_only_the_block() {
    let (expansion, faults) = expand_source(
        "#[automa]
        impl Agent< {
            #[worker(start)]
            async fn begin(&self, #[from(begin)] x: i64) {}
        }",
    );
    assert_eq!(render(&faults), "");
    expect!["impl Agent < { async fn begin (& self , x : i64) { } }"]
        .assert_eq(&expansion.to_string());
}
