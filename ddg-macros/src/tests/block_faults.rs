//! Tests of items that cannot be an automa.

use expect_test::expect;

use super::{check_faults, check_no_faults};

#[test]
fn no_impl() {
    check_faults(
        r##"#[automa] struct Agent;"##,
        &expect![[r#"
            struct
                #[automa] belongs on an inherent impl block
                = help: write `#[automa] impl MyAutoma { .. }`, with methods marked `#[worker]`
        "#]],
    );
}

#[test]
fn an_impl_of_a_trait() {
    check_faults(
        r##"#[automa] impl std::fmt::Debug for Agent {}"##,
        &expect![[r#"
            std::fmt::Debug
                #[automa] belongs on an inherent impl block, not on the impl of a trait
                = help: move the workers to `impl MyAutoma { .. }`; `Automa` is implemented for you
        "#]],
    );
}

#[test]
fn a_lifetime() {
    check_faults(
        r##"#[automa] impl<'a> Agent<'a> {}"##,
        &expect![[r#"
        'a
            an automa is shared by all its runs, so it must be 'static
            = help: own what it borrows, or share it in an `Arc`
    "#]],
    );
}

#[test]
fn an_anonymous_lifetime() {
    check_faults(
        r##"#[automa] impl Agent<'_> { #[worker] fn f(&mut self) {} }"##,
        &expect![[r#"
            '_
                an automa is shared by all its runs, so it must be 'static
                = help: own what it borrows, or share it in an `Arc`
        "#]],
    );
}

#[test]
fn a_type_without_a_name() {
    check_faults(
        r##"#[automa] impl (i64, i64) {}"##,
        &expect![[r#"
        (i64, i64)
            #[automa] needs a type of your own: a struct or an enum
    "#]],
    );
}

#[test]
fn an_empty_block() {
    check_no_faults(r##"#[automa] impl Agent {}"##);
}
