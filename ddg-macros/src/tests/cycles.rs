//! Tests of workers that wait for each other.

use expect_test::expect;

use super::{check_faults, check_no_faults};

#[test]
fn two() {
    check_faults(
        r##"#[automa]
        impl Agent {
            #[worker(dependencies = [b])]
            fn a() {}
            #[worker(dependencies = [a])]
            fn b() {}
        }"##,
        &expect![[r#"
            b
                these workers wait for each other: a -> b -> a
                = help: drop one of the dependencies; a loop is closed at run time with `cx.ferry_to`
        "#]],
    );
}

#[test]
fn three_in_the_order_in_which_they_would_run() {
    check_faults(
        r##"#[automa]
        impl Agent {
            #[worker(dependencies = [c])]
            fn a() {}
            #[worker(dependencies = [a])]
            fn b() {}
            #[worker(dependencies = ["b"])]
            fn c() {}
        }"##,
        &expect![[r#"
            c
                these workers wait for each other: a -> b -> c -> a
                = help: drop one of the dependencies; a loop is closed at run time with `cx.ferry_to`
        "#]],
    );
}

#[test]
fn two_cycles_are_two_messages() {
    check_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start, dependencies = [b, d])]
            fn a() {}
            #[worker(dependencies = [a])]
            fn b() {}
            #[worker(dependencies = [a])]
            fn c() {}
            #[worker(dependencies = [c])]
            fn d() {}
        }"##,
        &expect![[r#"
            b
                these workers wait for each other: a -> b -> a
                = help: drop one of the dependencies; a loop is closed at run time with `cx.ferry_to`
            d
                these workers wait for each other: a -> c -> d -> a
                = help: drop one of the dependencies; a loop is closed at run time with `cx.ferry_to`
        "#]],
    );
}

#[test]
fn a_diamond_is_not_a_cycle() {
    check_no_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start)]
            fn a() {}
            #[worker(dependencies = [a])]
            fn b() {}
            #[worker(dependencies = [a])]
            fn c() {}
            #[worker(dependencies = [b, c, a])]
            fn d() {}
        }"##,
    );
}
