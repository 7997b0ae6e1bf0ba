//! Invalid graphs are reported before anything runs, with all faults together; graphs without a
//! start worker return null at once.

use ddg_core::Key;
use ddg_core::graph::Fault;
use ddg_core::prelude::*;
use expect_test::{Expect, expect};
use futures::FutureExt;

async fn number() -> i64 {
    1
}

async fn same(x: i64) -> i64 {
    x
}

async fn sum(a: i64, b: i64) -> i64 {
    a + b
}

/// What is wrong with the graph that `declare` makes, which `validate` and every run tell.
#[track_caller]
fn check(declare: impl FnOnce(&mut GraphAutoma) -> Result<(), BuildError>, expected: &Expect) {
    let mut automa = GraphAutoma::new("graph");
    declare(&mut automa).unwrap();
    let message = automa.validate().unwrap_err().to_string();
    expected.assert_eq(&message);
    for _ in 0..2 {
        let run = automa.run(()).output::<Value>().now_or_never().expect("nothing runs");
        assert_eq!(run.unwrap_err().to_string(), message);
    }
}

/// What is wrong with the call that `declare` ends with; the automa is as it was before.
#[track_caller]
fn check_refused(
    declare: impl FnOnce(&mut GraphAutoma) -> Result<(), BuildError>,
    expected: &Expect,
) {
    let mut automa = GraphAutoma::new("graph");
    automa.add_func_as_worker("number", number, start()).unwrap();
    automa.add_func_as_worker("same", same, after(["number"]).output()).unwrap();
    expected.assert_eq(&declare(&mut automa).unwrap_err().to_string());
    assert_eq!(automa.keys().map(Key::as_str).collect::<Vec<_>>(), ["number", "same"]);
    let run = automa.run(()).output::<i64>().now_or_never().expect("nobody waits");
    assert_eq!(run.unwrap(), 1);
}

#[test]
fn an_empty_graph_gives_null_at_once() {
    let automa = GraphAutoma::new("empty");
    automa.validate().unwrap();
    let outcome =
        automa.run(()).outcome().now_or_never().expect("there is nothing to wait for").unwrap();
    assert!(outcome.output().is_null());
    assert_eq!((outcome.steps(), outcome.stopped(), outcome.waiting()), (0, false, vec![]));
    automa.run(()).output::<()>().now_or_never().unwrap().unwrap();
    assert_eq!(automa.run(()).output::<Option<i64>>().now_or_never().unwrap().unwrap(), None);
    assert!(automa.run(()).output::<Value>().now_or_never().unwrap().unwrap().is_null());
    let error = automa.run(()).output::<i64>().now_or_never().unwrap().unwrap_err();
    let expected =
        expect!["automa `empty`: no worker is marked with `.output()`, so there is no `i64`"];
    expected.assert_eq(&error.to_string());
}

#[test]
fn without_a_start_worker_the_result_is_null_at_once() {
    let mut automa = GraphAutoma::new("idle");
    automa.add_func_as_worker("free", number, free()).unwrap();
    automa.add_func_as_worker("same", same, after(["free"]).output()).unwrap();
    let outcome =
        automa.run(()).outcome().now_or_never().expect("there is nothing to wait for").unwrap();
    assert!(outcome.output().is_null());
    assert_eq!(outcome.steps(), 0);
    assert_eq!(automa.run(()).output::<Option<i64>>().now_or_never().unwrap().unwrap(), None);
    let error = automa.run(()).output::<i64>().now_or_never().unwrap().unwrap_err();
    let expected = expect![[r#"
        automa `idle`: no output worker ran, so there is no `i64`; left waiting: `same` (for `free`)"#]];
    expected.assert_eq(&error.to_string());
}

#[test]
fn a_run_without_a_result_names_the_waiting_workers() {
    let mut automa = GraphAutoma::new("fan");
    automa.add_func_as_worker("number", number, start()).unwrap();
    automa.add_func_as_worker("never", number, free()).unwrap();
    for n in 0..10 {
        let options = after(["number", "never"]).output();
        automa.add_func_as_worker(format!("sum_{n}"), sum, options).unwrap();
    }
    let error = automa.run(()).output::<i64>().now_or_never().unwrap().unwrap_err();
    let expected = expect![[r#"
        automa `fan`: no output worker ran, so there is no `i64`; left waiting: `sum_0` (for `never`), `sum_1` (for `never`), `sum_2` (for `never`), `sum_3` (for `never`), `sum_4` (for `never`), `sum_5` (for `never`), `sum_6` (for `never`), `sum_7` (for `never`), and 2 more"#]];
    expected.assert_eq(&error.to_string());
}

#[test]
fn an_unknown_dependency() {
    check(
        |automa| {
            automa.add_func_as_worker("number", number, start())?;
            automa.add_func_as_worker("same", same, after(["nmuber"]))
        },
        &expect![
            "automa `graph`: worker `same` depends on `nmuber`, which does not exist; did you mean `number`?"
        ],
    );
}

#[test]
fn an_unknown_dependency_among_many_workers() {
    check(
        |automa| {
            for n in 0..10 {
                automa.add_func_as_worker(format!("number_{n}"), number, start())?;
            }
            automa.add_dependency("number_3", "number_10")
        },
        &expect![
            "automa `graph`: worker `number_3` depends on `number_10`, which does not exist; did you mean `number_0`?"
        ],
    );
}

#[test]
fn a_dependency_named_twice() {
    check(
        |automa| {
            automa.add_func_as_worker("number", number, start())?;
            automa.add_func_as_worker("sum", sum, after(["number", "number"]))
        },
        &expect!["automa `graph`: worker `sum` names its dependency `number` twice"],
    );
}

#[test]
fn a_dependency_named_twice_among_many() {
    check(
        |automa| {
            let keys: Vec<String> = (0..20).map(|n| format!("number_{n}")).collect();
            for key in &keys {
                automa.add_func_as_worker(key, number, start())?;
            }
            automa.add_func_as_worker("all", same, after(&keys).after(["number_7"]).suppressed())
        },
        &expect!["automa `graph`: worker `all` names its dependency `number_7` twice"],
    );
}

#[test]
fn a_worker_that_depends_on_itself() {
    check(
        |automa| automa.add_func_as_worker("same", same, after(["same"])),
        &expect![[r#"
        automa `graph`: worker `same` depends on itself; to repeat it, let it ferry to itself"#]],
    );
}

#[test]
fn a_cycle() {
    check(
        |automa| {
            automa.add_func_as_worker("number", number, start())?;
            automa.add_func_as_worker("a", sum, after(["number", "c"]))?;
            automa.add_func_as_worker("b", same, after(["a"]))?;
            automa.add_func_as_worker("c", same, after(["b"]))?;
            automa.add_func_as_worker("after the cycle", same, after(["c"]))
        },
        &expect![[r#"
            automa `graph`: the dependencies `a` → `b` → `c` → `a` form a cycle; to go back, use a ferry"#]],
    );
}

#[test]
fn two_cycles() {
    check(
        |automa| {
            automa.add_func_as_worker("a", same, after(["b"]))?;
            automa.add_func_as_worker("b", same, after(["a"]))?;
            automa.add_func_as_worker("x", sum, after(["y", "b"]))?;
            automa.add_func_as_worker("y", same, after(["x"]))
        },
        &expect![[r#"
            automa `graph`: 2 faults
            - the dependencies `a` → `b` → `a` form a cycle; to go back, use a ferry
            - the dependencies `x` → `y` → `x` form a cycle; to go back, use a ferry"#]],
    );
}

#[test]
fn a_long_cycle() {
    check(
        |automa| {
            for n in 0..20 {
                let on = format!("w{}", (n + 19) % 20);
                automa.add_func_as_worker(format!("w{n}"), same, after([on]))?;
            }
            Ok(())
        },
        &expect![[r#"
            automa `graph`: the dependencies `w0` → `w1` → `w2` → `w3` → `w4` → `w5` → `w6` → `w7` → `w8` → `w9` → `w10` → `w11` → … (8 more) → `w0` form a cycle; to go back, use a ferry"#]],
    );
}

#[test]
fn an_output_of_another_type_than_the_parameter() {
    check(
        |automa| {
            automa.add_func_as_worker("text", async || "text".to_owned(), start())?;
            automa.add_func_as_worker("same", same, after(["text"]).params(["x"]))?;
            automa.add_func_as_worker("unnamed", same, after(["text"]))
        },
        &expect![[r#"
            automa `graph`: 2 faults
            - parameter `x` of worker `same` takes `i64`, but dependency `text` gives `String`
            - parameter #1 of worker `unnamed` takes `i64`, but dependency `text` gives `String`"#]],
    );
}

#[test]
fn more_dependencies_than_parameters() {
    check(
        |automa| {
            automa.add_func_as_worker("one", number, start())?;
            automa.add_func_as_worker("two", number, start())?;
            automa.add_func_as_worker("same", same, after(["one", "two"]))
        },
        &expect![
            "automa `graph`: worker `same` gets 2 outputs from its dependencies, but has 1 parameter to take them: add parameters, or `.merge()` or `.suppressed()`"
        ],
    );
}

#[test]
fn unpack_of_more_than_one_dependency() {
    check(
        |automa| {
            automa.add_func_as_worker("one", number, start())?;
            automa.add_func_as_worker("two", number, start())?;
            automa.add_func_as_worker("none", sum, free().unpack())?;
            automa.add_func_as_worker("both", sum, after(["one", "two"]).unpack())
        },
        &expect!["automa `graph`: worker `both` unpacks, which takes one dependency; it has 2"],
    );
}

#[test]
fn all_faults_of_a_graph_are_reported_together() {
    check(
        |automa| {
            automa.add_func_as_worker("self", same, after(["self"]))?;
            automa.add_func_as_worker("lost", same, after(["nowhere"]))?;
            automa.add_func_as_worker("twice", sum, after(["lost", "lost"]))?;
            automa.add_func_as_worker("a", same, after(["b"]))?;
            automa.add_func_as_worker("b", same, after(["a"]))
        },
        &expect![[r#"
            automa `graph`: 4 faults
            - worker `self` depends on itself; to repeat it, let it ferry to itself
            - worker `lost` depends on `nowhere`, which does not exist; the workers are: `self`, `lost`, `twice`, `a`, `b`
            - worker `twice` names its dependency `lost` twice
            - the dependencies `a` → `b` → `a` form a cycle; to go back, use a ferry"#]],
    );
}

#[test]
fn faults_of_nested_automata() {
    check(
        |automa| {
            let mut inner = GraphAutoma::new("inner");
            inner.add_func_as_worker("self", same, after(["self"]))?;
            let mut middle = GraphAutoma::new("middle");
            middle.add_worker("inner one", inner, start())?;
            middle.add_func_as_worker("lost", same, after(["nowhere"]))?;
            automa.add_worker("middle one", middle, start())
        },
        &expect![[r#"
            automa `graph`: 2 faults
            - in nested automa `middle one`: worker `lost` depends on `nowhere`, which does not exist; the workers are: `inner one`, `lost`
            - in nested automa `middle one`: in nested automa `inner one`: worker `self` depends on itself; to repeat it, let it ferry to itself"#]],
    );
}

#[test]
fn a_faulty_graph_runs_after_it_is_repaired() {
    let mut automa = GraphAutoma::new("graph");
    automa.add_func_as_worker("same", same, after(["number"]).output()).unwrap();
    let error = automa.validate().unwrap_err();
    assert!(matches!(error.faults[..], [Fault::UnknownDependency { .. }]), "{error}");
    automa.add_func_as_worker("number", number, start()).unwrap();
    assert_eq!(automa.run(()).output::<i64>().now_or_never().unwrap().unwrap(), 1);
}

#[test]
fn a_key_that_is_taken() {
    check_refused(
        |automa| automa.add_func_as_worker("number", same, after(["same"]).output()),
        &expect![[r#"
            automa `graph`: there is a worker `number` already: choose another key, or remove the other first"#]],
    );
    check_refused(
        |automa| automa.add_worker("number", GraphAutoma::new("inner"), free()),
        &expect![[r#"
            automa `graph`: there is a worker `number` already: choose another key, or remove the other first"#]],
    );
}

#[test]
fn a_declaration_that_is_taken() {
    check_refused(
        |automa| {
            automa.declare_func("tool", same, free())?;
            automa.declare_func("tool", same, free())
        },
        &expect!["automa `graph`: `tool` is declared already: choose another name"],
    );
}

#[test]
fn nothing_to_override() {
    check_refused(
        |automa| automa.override_func_as_worker("nmuber", same, free()),
        &expect!["automa `graph`: there is no worker `nmuber` to override; did you mean `number`?"],
    );
}

#[test]
fn a_dependency_of_a_worker_that_does_not_exist() {
    check_refused(
        |automa| automa.add_dependency("smae", "number"),
        &expect![
            "automa `graph`: cannot change the dependencies of `smae`: there is no such worker; did you mean `same`?"
        ],
    );
}

#[test]
fn removals_of_what_is_not_there() {
    check_refused(
        |automa| automa.remove_worker("smae"),
        &expect![
            "automa `graph`: cannot remove `smae`: there is no such worker; did you mean `same`?"
        ],
    );
    check_refused(
        |automa| automa.remove_dependency("smae", "number"),
        &expect![
            "automa `graph`: cannot change the dependencies of `smae`: there is no such worker; did you mean `same`?"
        ],
    );
    check_refused(
        |automa| automa.remove_dependency("same", "nobody"),
        &expect!["automa `graph`: cannot remove the dependency of `same` on `nobody`: it has none"],
    );
}

/// As in a run.
#[tokio::test]
async fn a_worker_is_removed_with_its_edges_and_an_edge_alone() {
    let mut automa = GraphAutoma::new("graph");
    automa.add_func_as_worker("a", async || 1, start()).unwrap();
    automa.add_func_as_worker("b", async || 2, start()).unwrap();
    automa.add_func_as_worker("c", async |x: i32| x, after(["a", "b"]).output()).unwrap();
    let mut one_edge_less = automa.clone();
    one_edge_less.remove_dependency("c", "b").unwrap();
    assert_eq!(one_edge_less.dependencies("c").unwrap(), ["a"]);
    assert_eq!(one_edge_less.run(()).output::<i32>().await.unwrap(), 1);
    automa.remove_worker("a").unwrap();
    assert_eq!(automa.dependencies("c").unwrap(), ["b"]);
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 2);
}

#[test]
fn names_for_another_number_of_parameters() {
    check_refused(
        |automa| automa.add_func_as_worker("sum", sum, free().params(["a"])),
        &expect!["automa `graph`: worker `sum` has 2 parameters, but `.params([…])` names 1"],
    );
    check_refused(
        |automa| {
            let with_context = async |x: i64, _cx: Context| x;
            automa.add_func_as_worker("sum", with_context, free().params(["x", "cx"]))
        },
        &expect!["automa `graph`: worker `sum` has 1 parameter, but `.params([…])` names 2"],
    );
    check_refused(
        |automa| automa.override_func_as_worker("same", same, free().params(["a", "b"])),
        &expect!["automa `graph`: worker `same` has 1 parameter, but `.params([…])` names 2"],
    );
}

#[test]
fn from_for_a_parameter_that_does_not_exist() {
    check_refused(
        |automa| {
            let options = free().params(["a", "b"]).from("c", "number");
            automa.add_func_as_worker("sum", sum, options)
        },
        &expect![[r#"
            automa `graph`: worker `sum` has no parameter `c` to fill from `number`; name its parameters with `.params([…])`"#]],
    );
    check_refused(
        |automa| automa.add_func_as_worker("sum", sum, free().from("a", "number")),
        &expect![[r#"
            automa `graph`: worker `sum` has no parameter `a` to fill from `number`; name its parameters with `.params([…])`"#]],
    );
}
