//! Tests of more outputs than parameters.

use expect_test::expect;

use super::{check_method_faults, check_no_faults};

#[test]
fn no_parameter() {
    check_method_faults(
        r##"#[worker(dependencies = [start, other])] fn f(&self, cx: &Context) {}"##,
        &expect![[r#"
            start
                2 outputs for no parameters of `f`
                = help: add a parameter, or map the outputs: `merge`, `unpack`, `suppressed`
        "#]],
    );
}

#[test]
fn one_parameter() {
    check_method_faults(
        r##"#[worker(dependencies = [start, other])] fn f(&self, x: i64, #[from(start)] y: i64) {}"##,
        &expect![[r#"
            other
                2 outputs for 1 parameter of `f`
                = help: add a parameter, or map the outputs: `merge`, `unpack`, `suppressed`
        "#]],
    );
}

#[test]
fn two_parameters() {
    check_method_faults(
        r##"#[worker(dependencies = [start, other, more])] fn f(&self, x: i64, y: i64) {} #[worker] fn more() -> i64 { 0 }"##,
        &expect![[r#"
            more
                3 outputs for 2 parameters of `f`
                = help: add a parameter, or map the outputs: `merge`, `unpack`, `suppressed`
        "#]],
    );
}

#[test]
fn outputs_of_nothing_do_not_count() {
    check_no_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start)]
            fn nothing() -> Result<(), E> { Ok(()) }

            #[worker(start)]
            fn number() -> i64 { 0 }

            #[worker(dependencies = [nothing, number])]
            fn end(x: i64) {}

            #[worker(dependencies = [nothing, number], suppressed)]
            fn suppressed() {}

            #[worker(dependencies = [number, dynamic("anything")])]
            fn not_known() {}

            #[worker(dependencies = [number])]
            fn more_parameters(x: i64, y: i64) {}
        }"##,
    );
}
