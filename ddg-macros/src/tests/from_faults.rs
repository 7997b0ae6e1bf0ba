//! Tests of injections from workers that do not exist.

use expect_test::expect;

use super::{check_faults, check_method_faults, check_no_faults};

#[test]
fn an_unknown_worker() {
    check_method_faults(
        r##"#[worker] fn f(#[from("strat")] a: i64, #[from(elsewhere, default = 0)] b: i64) {}"##,
        &expect![[r#"
            "strat"
                this block has no worker `strat`
                = help: did you mean `start`?
                = help: a worker that is added at run time is written `dynamic("strat")`
            elsewhere
                this block has no worker `elsewhere`
                = help: there are `start`, `f` and `other`
                = help: a worker that is added at run time is written `dynamic("elsewhere")`
        "#]],
    );
}

#[test]
fn which_worker() {
    check_method_faults(
        r##"#[worker] fn f(#[from] a: i64, #[from()] b: i64, #[from = "start"] c: i64) {}"##,
        &expect![[r##"
            #[from]
                which worker? Write `#[from("key")]`
            #[from()]
                which worker? Write `#[from("key")]`
            #[from = "start"]
                which worker? Write `#[from("key")]`
        "##]],
    );
}

#[test]
fn a_default_in_place_of_the_worker() {
    check_method_faults(
        r##"#[worker] fn f(#[from(default = 0)] a: i64) {}"##,
        &expect![[r#"
            default = 0
                this names no worker
                = help: write a method of this block (`start`), a key (`"start"`), or `dynamic("start")` for a worker that this block doesn't declare
        "#]],
    );
}

#[test]
fn an_unknown_option() {
    check_method_faults(
        r##"#[worker] fn f(#[from(start, defalt = 0)] a: i64, #[from(start default = 0)] b: i64) {}"##,
        &expect![[r#"
            defalt
                unknown option `defalt` of #[from]
                = help: did you mean `default`?
            default
                expected `,`
        "#]],
    );
}

#[test]
fn two_workers() {
    check_method_faults(
        r##"#[worker] fn f(#[from(start)] #[from(other)] a: i64) {}"##,
        &expect![[r#"
            #[from(other)]
                a parameter is injected from one worker: drop this `#[from]`
        "#]],
    );
}

#[test]
fn itself_and_detached_workers_are_fine() {
    check_no_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start)]
            fn f(#[from(f, default = 0)] a: i64, #[from(later, default = 0)] b: i64) -> i64 { a + b }

            #[worker(detached)]
            fn later() -> i64 { 0 }
        }"##,
    );
}

#[test]
fn a_parameter_is_filled_in_one_way() {
    check_method_faults(
        r##"#[worker] fn f(
            #[from(start)] #[context] a: Me,
            #[input] #[context] b: Me,
            #[context] cx: &Context,
            #[context(x)] c: Me,
        ) {}"##,
        &expect![[r#"
            a
                `#[from]` and `#[context]` fill the same parameter: drop one
            b
                `#[input]` and `#[context]` fill the same parameter: drop one
            cx
                the context is always given: drop the `#[context]`
            #[context(x)]
                `#[context]` has no options
                = help: the type of the parameter says how it is made from the context
        "#]],
    );
}

#[test]
fn a_context_of_a_method_that_is_no_worker() {
    check_faults(
        r##"#[automa] impl Agent { fn f(#[context] me: Me) {} }"##,
        &expect![[r#"
            #[context]
                #[context] injects into a worker, and this method is none
                = help: mark the method with `#[worker]`, or drop the `#[context]`
        "#]],
    );
}
