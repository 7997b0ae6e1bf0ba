//! Tests of two outputs on one path.

use expect_test::expect;

use super::{check_faults, check_no_faults};

#[test]
fn one_after_the_other() {
    check_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start, output)]
            fn a() {}
            #[worker(dependencies = [a])]
            fn b() {}
            #[worker(dependencies = [b], output)]
            fn c() {}
        }"##,
        &expect![[r#"
            output
                `a` is an output, and so is `c`, which runs after it
                = help: a run has one output: leave `output` to the last worker of the path
        "#]],
    );
}

#[test]
fn each_but_the_last_is_reported_once() {
    check_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start, output)]
            fn a() {}
            #[worker(dependencies = [a], output)]
            fn b() {}
            #[worker(dependencies = [b], output)]
            fn c() {}
        }"##,
        &expect![[r#"
            output
                `a` is an output, and so is `b`, which runs after it
                = help: a run has one output: leave `output` to the last worker of the path
            output
                `b` is an output, and so is `c`, which runs after it
                = help: a run has one output: leave `output` to the last worker of the path
        "#]],
    );
}

#[test]
fn on_branches_they_are_fine() {
    check_no_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start)]
            fn a() {}
            #[worker(dependencies = [a], output)]
            fn b() {}
            #[worker(dependencies = [a], output)]
            fn c() {}
        }"##,
    );
}
