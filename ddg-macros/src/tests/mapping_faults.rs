//! Tests of messages about `merge`, `unpack` and `in_order` without lists.

use expect_test::{Expect, expect};

use super::{check_faults, check_no_faults};

#[track_caller]
fn check(workers: &str, expected: &Expect) {
    check_faults(&source(workers), expected);
}

fn source(workers: &str) -> String {
    format!(
        "#[automa]
        impl Agent {{
            #[worker(start)] fn number(&self) -> i64 {{ 0 }}
            #[worker(start)] fn list(&self) -> Vec<i64> {{ vec![] }}
            {workers}
        }}"
    )
}

#[test]
fn merged_outputs_are_a_list() {
    check(
        "#[worker(dependencies = [number, list], merge)] fn a(&self, all: u8) {}
        #[worker(dependencies = [number, list], merge)] fn b(&self, all: &HashMap<String, u8>) {}
        #[worker(dependencies = [number, list], merge)] fn c(&self, all: Option<String>) {}
        #[worker(dependencies = [number, list], merge)] fn d(&self, cx: &Context) {}",
        &expect![[r#"
            u8
                `merge` gives one list of all outputs, but `a` takes `u8` as `all`
                = help: take `Vec<T>`, where all dependencies give `T`, or a tuple with one type for each
            HashMap<String, u8>
                `merge` gives one list of all outputs, but `b` takes `&HashMap<String, u8>` as `all`
                = help: take `Vec<T>`, where all dependencies give `T`, or a tuple with one type for each
            Option<String>
                `merge` gives one list of all outputs, but `c` takes `Option<String>` as `all`
                = help: take `Vec<T>`, where all dependencies give `T`, or a tuple with one type for each
            d
                `merge` gives one list of all outputs, and no parameter takes it
                = help: take `Vec<T>`, where all dependencies give `T`, or a tuple with one type for each
        "#]],
    );
}

#[test]
fn a_list_is_taken_in_many_ways() {
    for param in ["Vec<Value>", "&[i64]", "(i64, Vec<i64>)", "Gathered", "Value", "Arc<Vec<T>>"] {
        check_no_faults(&source(&format!(
            "#[worker(dependencies = [number, list], merge)] fn a(&self, all: {param}) {{}}"
        )));
    }
}

#[test]
fn one_output_is_unpacked() {
    check(
        "#[worker(dependencies = [list, number], unpack)] fn a(&self, x: i64) {}",
        &expect![[r#"
            number
                `unpack` spreads out the output of one dependency, and `a` has 2
                = help: drop this one, or take each output as it is (without `unpack`) or all as one list (`merge`)
        "#]],
    );
}

#[test]
fn lists_and_maps_are_unpacked() {
    check(
        "#[worker(dependencies = [number], unpack)] fn a(&self, x: i64) {}
        #[worker(dependencies = [list], unpack)] fn b(&self, x: i64) {}
        #[worker(dependencies = [report], unpack)] fn c(&self, x: i64) {}
        #[worker(start)] fn report(&self) -> Report { todo!() }",
        &expect![[r#"
            number
                `unpack` spreads out a list or a map, but `number` gives `i64`
                = help: drop `unpack` to take the output as it is
        "#]],
    );
}

#[test]
fn lists_are_scattered() {
    check(
        "#[worker(start, in_order)] fn a(&self) -> String { todo!() }
        #[worker(start, in_order)] fn b(&self) -> HashMap<String, i64> { todo!() }
        #[worker(start, in_order)] fn c(&self) {}
        #[worker(start, in_order)] fn d(&self) -> Result<Vec<i64>, E> { todo!() }
        #[worker(start, in_order)] fn e(&self) -> (i64, i64) { todo!() }",
        &expect![[r#"
            String
                `in_order` scatters a list, but `a` gives `String`
                = help: return `Vec<T>` with one element for each worker that depends on this one, or drop `in_order`
            HashMap<String, i64>
                `in_order` scatters a list, but `b` gives `HashMap<String, i64>`
                = help: return `Vec<T>` with one element for each worker that depends on this one, or drop `in_order`
            c
                `in_order` scatters a list, but `c` gives `()`
                = help: return `Vec<T>` with one element for each worker that depends on this one, or drop `in_order`
        "#]],
    );
}
