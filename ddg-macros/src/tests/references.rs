//! Tests of references to workers that do not exist or cannot be waited for.

use expect_test::expect;

use super::{check_faults, check_method_faults, check_no_faults};

#[test]
fn a_slip() {
    check_method_faults(
        r##"#[worker(dependencies = [strat, "othr"])] fn f(x: i64, y: i64) {}"##,
        &expect![[r#"
            strat
                this block has no worker `strat`
                = help: did you mean `start`?
                = help: a worker that is added at run time is written `dynamic("strat")`
            "othr"
                this block has no worker `othr`
                = help: did you mean `other`?
                = help: a worker that is added at run time is written `dynamic("othr")`
        "#]],
    );
}

#[test]
fn a_name_like_no_other() {
    check_method_faults(
        r##"#[worker(dependencies = [fetch])] fn f(x: i64) {}"##,
        &expect![[r#"
            fetch
                this block has no worker `fetch`
                = help: there are `start` and `other`
                = help: a worker that is added at run time is written `dynamic("fetch")`
        "#]],
    );
}

#[test]
fn no_others() {
    check_faults(
        r##"#[automa] impl Agent { #[worker(dependencies = [fetch])] fn f(x: i64) {} }"##,
        &expect![[r#"
            fetch
                this block has no worker `fetch`
                = help: there are no others
                = help: a worker that is added at run time is written `dynamic("fetch")`
        "#]],
    );
}

#[test]
fn a_worker_of_another_fragment() {
    check_faults(
        r##"#[automa(fragments = [Self::tools])]
        impl Agent {
            #[worker(dependencies = ["search"])]
            fn f(x: i64) {}
        }"##,
        &expect![[r#"
            "search"
                this block has no worker `search`
                = help: there are no others
                = help: a worker of another fragment is written `dynamic("search")`
        "#]],
    );
}

#[test]
fn a_method_that_is_not_a_worker() {
    check_method_faults(
        r##"#[worker(dependencies = [helper])] fn f(x: i64) {} fn helper() {}"##,
        &expect![[r#"
            helper
                the method `helper` is not a worker
                = help: mark it with `#[worker]`
        "#]],
    );
}

#[test]
fn itself() {
    check_method_faults(
        r##"#[worker(dependencies = [start, f])] fn f(x: i64) {}"##,
        &expect![[r#"
            f
                `f` waits for itself, so it would never run
                = help: drop the dependency; to run again, a worker ferries to itself with `cx.ferry_to`
        "#]],
    );
}

#[test]
fn a_detached_worker() {
    check_method_faults(
        r##"#[worker(dependencies = [placed_later])] fn f() {} #[worker(detached)] fn placed_later() {}"##,
        &expect![[r#"
            placed_later
                `placed_later` is detached, so there is nothing to wait for yet
                = help: add the dependency when you place it, or make it an ordinary worker
        "#]],
    );
}

#[test]
fn one_twice() {
    check_method_faults(
        r##"#[worker(dependencies = [start, "start"])] fn f(x: i64) {}"##,
        &expect![[r#"
            "start"
                `start` is named twice: one dependency is enough
        "#]],
    );
}

#[test]
fn references_that_name_no_worker() {
    check_method_faults(
        r##"#[worker(dependencies = [Self::start, 3, dynamic(start), fixed("x"), ""])] fn f() {}"##,
        &expect![[r#"
            Self::start
                this names no worker
                = help: write a method of this block (`start`), a key (`"start"`), or `dynamic("start")` for a worker that this block doesn't declare
            3
                this names no worker
                = help: write a method of this block (`start`), a key (`"start"`), or `dynamic("start")` for a worker that this block doesn't declare
            dynamic(start)
                this names no worker
                = help: write a method of this block (`start`), a key (`"start"`), or `dynamic("start")` for a worker that this block doesn't declare
            fixed("x")
                this names no worker
                = help: write a method of this block (`start`), a key (`"start"`), or `dynamic("start")` for a worker that this block doesn't declare
            ""
                the key of a worker can't be empty
        "#]],
    );
}

#[test]
fn keys_and_methods_are_distinguished() {
    check_no_faults(
        r##"#[automa]
        impl Agent {
            #[worker(start, key = "the beginning")]
            fn begin() {}

            #[worker(dependencies = [begin, dynamic("anything")])]
            fn end() {}

            #[worker(dependencies = ["the beginning"])]
            fn another_end() {}
        }"##,
    );
}
