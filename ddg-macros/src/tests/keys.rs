//! Tests of duplicate keys.

use expect_test::expect;

use super::{check_method_faults, check_no_faults};

#[test]
fn a_key_given_twice() {
    check_method_faults(
        r##"#[worker(key = "start")] fn f() {} #[worker(key = "other")] fn g() {}"##,
        &expect![[r#"
            "start"
                the key `start` is taken by the worker `start`: give this one another
            other
                the key `other` is taken by the worker `g`: give this one another
        "#]],
    );
}

#[test]
fn the_compiler_reports_methods_of_one_name() {
    check_no_faults(r##"#[automa] impl Agent { #[worker] fn f() {} #[worker] fn f() {} }"##);
}

#[test]
fn of_two_conditional_workers_one_may_be_there() {
    check_no_faults(
        r##"#[automa]
        impl Agent {
            #[worker]
            #[cfg(unix)]
            fn f() {}

            #[worker]
            #[cfg(windows)]
            fn f() {}
        }"##,
    );
}
