//! Tests of unknown and malformed options.

use expect_test::expect;

use super::{check_faults, check_method_faults};

#[test]
fn an_unknown_option() {
    check_method_faults(
        r##"#[worker(dependencis = [start], is_start, priority = 3)] fn f() {}"##,
        &expect![[r#"
            dependencis
                unknown option `dependencis` of #[worker]
                = help: did you mean `dependencies`?
            is_start
                unknown option `is_start` of #[worker]
                = help: did you mean `start`?
            priority
                unknown option `priority` of #[worker]
                = help: the options are `start`, `output`, `dependencies`, `as_is`, `merge`, `unpack`, `suppressed`, `in_order`, `after_loops`, `timeout`, `retry`, `blocking`, `inline`, `callbacks`, `key`, `detached` and `override`
        "#]],
    );
}

#[test]
fn an_unknown_option_of_automa() {
    check_faults(
        r##"#[automa(nane = "x", pace = Rolling)] impl Agent {}"##,
        &expect![[r#"
            nane
                unknown option `nane` of #[automa]
                = help: did you mean `name`?
            pace
                unknown option `pace` of #[automa]
                = help: the options are `name`, `output`, `fragments`, `fragment` and `crate`
        "#]],
    );
}

#[test]
fn an_option_given_twice() {
    check_method_faults(
        r##"#[worker(timeout = A, output, timeout = B)] fn f() {}"##,
        &expect![[r#"
            timeout
                the option `timeout` is given twice
        "#]],
    );
}

#[test]
fn a_flag_with_a_value() {
    check_method_faults(
        r##"#[worker(output = true)] fn f() {}"##,
        &expect![[r#"
        output
            `output` takes no value: write `output`
    "#]],
    );
}

#[test]
fn an_option_without_its_value() {
    check_method_faults(
        r##"#[worker(timeout, dependencies, retry, callbacks, key)] fn f() {}"##,
        &expect![[r#"
            timeout
                `timeout` needs a value: write `timeout = Duration::from_secs(30)`
            dependencies
                `dependencies` needs a value: write `dependencies = [start]`
            retry
                `retry` needs a value: write `retry = Retry::times(3)`
            callbacks
                `callbacks` needs a value: write `callbacks = [Timing]`
            key
                `key` needs a value: write `key = "my worker"`
        "#]],
    );
}

#[test]
fn an_option_of_automa_without_its_value() {
    check_faults(
        r##"#[automa(name, output, fragments, crate)] impl Agent {}"##,
        &expect![[r#"
            name
                `name` needs a value: write `name = "my automa"`
            output
                `output` needs a value: write `output = T`
            fragments
                `fragments` needs a value: write `fragments = [Self::tools, self.retrieval]`
            crate
                `crate` needs a value: write `crate = ::ddg_core`
        "#]],
    );
}

#[test]
fn a_value_of_the_wrong_form() {
    check_method_faults(
        r##"#[worker(dependencies = start, callbacks = Timing, key = 3)] fn f() {}"##,
        &expect![[r#"
            3
                `key` wants a string: write `key = "my worker"`
            start
                `dependencies` wants a list: write `dependencies = [start]`
            Timing
                `callbacks` wants a list: write `callbacks = [Timing]`
        "#]],
    );
}

#[test]
fn a_key_that_is_not_a_string() {
    check_method_faults(
        r##"#[worker(key = NAME)] fn f() {}"##,
        &expect![[r#"
        NAME
            `key` wants a string: write `key = "my worker"`
    "#]],
    );
}

#[test]
fn a_value_of_automa_of_the_wrong_form() {
    check_faults(
        r##"#[automa(name = MyAutoma, fragments = Self::tools, crate = "ddg_core")] impl Agent {}"##,
        &expect![[r#"
            Self::tools
                `fragments` wants a list: write `fragments = [Self::tools, self.retrieval]`
            "ddg_core"
                `crate` wants a path: write `crate = ::ddg_core`
            MyAutoma
                `name` wants a string: write `name = "my automa"`
        "#]],
    );
}

#[test]
fn an_empty_key() {
    check_method_faults(
        r##"#[worker(key = "")] fn f() {}"##,
        &expect![[r#"
        ""
            `key` can't be empty
    "#]],
    );
}

#[test]
fn a_value_of_automa_that_breaks_off() {
    check_faults(
        r##"#[automa(name = "x", output = Vec<)] impl Agent {}"##,
        &expect![[r#"
            #[automa]
                unexpected end of input, expected one of: `for`, parentheses, `unsafe`, `fn`, `extern`, identifier, `::`, `<`, `dyn`, square brackets, `*`, `&`, `!`, `impl`, `_`, lifetime
        "#]],
    );
}

#[test]
fn an_empty_name() {
    check_faults(
        r##"#[automa(name = "")] impl Agent {}"##,
        &expect![[r#"
        ""
            `name` can't be empty
    "#]],
    );
}

#[test]
fn unknown_options() {
    check_method_faults(
        r##"#[worker("start", start output, timeout(3), dependencies = [start other], merge)] fn f(x: Vec<i64>) {}"##,
        &expect![[r#"
            "start"
                expected the name of an option
            output
                expected `,` or `=` after the option `start`
            (
                expected `,` or `=` after the option `timeout`
            other
                expected `,` or `;`
        "#]],
    );
}

#[test]
fn a_value_that_is_missing_or_breaks_off() {
    check_method_faults(
        r##"#[worker(timeout = , key = "f", retry = 1 +)] fn f(#[from(start, default = )] x: i64) {}"##,
        &expect![[r#"
            ,
                expected an expression
            )
                unexpected end of input, expected an expression
            )
                unexpected end of input, expected an expression
        "#]],
    );
}

#[test]
fn options_without_parentheses() {
    check_method_faults(
        r##"#[worker = "start"] fn f() {}"##,
        &expect![[r#"
        worker = "start"
            options stand in parentheses: write `#[worker(start)]`
    "#]],
    );
}

#[test]
fn exclusive_mappings() {
    check_method_faults(
        r##"#[worker(merge, output, unpack, as_is)] fn f() {}"##,
        &expect![[r#"
            unpack
                `merge` and `unpack` exclude each other: the outputs of dependencies become arguments in one way
            as_is
                `merge` and `as_is` exclude each other: the outputs of dependencies become arguments in one way
        "#]],
    );
}

#[test]
fn exclusive_pools() {
    check_method_faults(
        r##"#[worker(inline, blocking)] fn f() {}"##,
        &expect![[r#"
        blocking
            `inline` and `blocking` exclude each other: a worker runs in one place
    "#]],
    );
}

#[test]
fn a_pool_for_an_async_worker() {
    check_method_faults(
        r##"#[worker(blocking)] async fn f() {}"##,
        &expect![[r#"
        blocking
            `blocking` is for a sync worker, and this is an `async fn`
            = help: drop `blocking`, or drop the `async`
    "#]],
    );
}

#[test]
fn a_detached_worker_with_options_of_its_placing() {
    check_method_faults(
        r##"#[worker(detached, start, output, dependencies = [start], merge, in_order, key = "k", timeout = T)] fn f() {}"##,
        &expect![[r#"
            start
                a detached worker gets `start` when it is placed, at run time
                = help: beside `detached` only `key`, `timeout`, `retry`, `blocking`, `inline` and `callbacks` are allowed
            output
                a detached worker gets `output` when it is placed, at run time
                = help: beside `detached` only `key`, `timeout`, `retry`, `blocking`, `inline` and `callbacks` are allowed
            dependencies
                a detached worker gets `dependencies` when it is placed, at run time
                = help: beside `detached` only `key`, `timeout`, `retry`, `blocking`, `inline` and `callbacks` are allowed
            merge
                a detached worker gets `merge` when it is placed, at run time
                = help: beside `detached` only `key`, `timeout`, `retry`, `blocking`, `inline` and `callbacks` are allowed
            in_order
                a detached worker gets `in_order` when it is placed, at run time
                = help: beside `detached` only `key`, `timeout`, `retry`, `blocking`, `inline` and `callbacks` are allowed
            f
                `in_order` scatters a list, but `f` gives `()`
                = help: return `Vec<T>` with one element for each worker that depends on this one, or drop `in_order`
        "#]],
    );
}

#[test]
fn two_attributes() {
    check_method_faults(
        r##"#[worker(start)] #[worker(output)] fn f() {}"##,
        &expect![[r#"
            #[worker(output)]
                a method is one worker: put all options in one `#[worker(..)]`
        "#]],
    );
}
