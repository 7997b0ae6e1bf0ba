//! Impossible edits of a running graph fail the run, with an error that names the worker behind
//! them. No edit of the step is applied, and other runs are not affected.

use ddg_core::graph::{EditError, Fault};
use ddg_core::prelude::*;
use ddg_core::run::FailureKind;
use ddg_core::worker::WorkerRef;
use expect_test::{Expect, expect};

use super::trial::{failure, fine};

async fn same(x: i64) -> i64 {
    x
}

async fn sum(a: i64, b: i64) -> i64 {
    a + b
}

/// `editor` asks for `edit` if it is to do something bad; beside it are `number` and `same`, which
/// depends on `number`, a nested automa `inner` with a worker `within`, and the output worker.
fn declare(automa: &mut GraphAutoma, edit: impl Fn(&Context) + Send + Sync + 'static) {
    let editor = move |bad: bool, cx: &Context| {
        if bad {
            edit(cx);
        }
    };
    let mut inner = GraphAutoma::new("inner automa");
    inner.add_func_as_worker("within", same, start()).unwrap();
    automa.add_func_as_worker("editor", editor, after(["entry"]).inline()).unwrap();
    automa.add_func_as_worker("number", async || 1_i64, free()).unwrap();
    automa.add_func_as_worker("same", same, after(["number"])).unwrap();
    automa.add_worker("inner", inner, free()).unwrap();
    automa.add_func_as_worker("end", fine, after(["editor"]).output()).unwrap();
}

async fn check(edit: impl Fn(&Context) + Send + Sync + 'static, expected: &Expect) {
    let error = failure(|automa| declare(automa, edit)).await;
    expected.assert_eq(&error.to_string());
}

#[tokio::test]
async fn a_worker_with_an_unknown_dependency() {
    check(
        |cx| cx.add_func_as_worker("new", same, after(["nmuber"])),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: worker `new` depends on `nmuber`, which does not exist; did you mean `number`?"],
    )
    .await;
}

#[tokio::test]
async fn a_worker_whose_key_is_taken() {
    check(
        |cx| cx.add_func_as_worker("number", same, free()),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: there is a worker `number` already: choose another key, or remove the other first"#]],
    )
    .await;
    check(
        |cx| {
            cx.add_func_as_worker("new", same, free());
            cx.add_func_as_worker("new", same, free());
        },
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: there is a worker `new` already: choose another key, or remove the other first"#]],
    )
    .await;
}

#[tokio::test]
async fn a_worker_that_names_a_dependency_twice() {
    check(
        |cx| cx.add_func_as_worker("new", sum, after(["number", "number"])),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: worker `new` names its dependency `number` twice"#]],
    )
    .await;
}

#[tokio::test]
async fn a_worker_that_depends_on_itself() {
    check(
        |cx| cx.add_func_as_worker("new", same, after(["new"])),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: worker `new` depends on itself; to repeat it, let it ferry to itself"#]],
    )
    .await;
    check(
        |cx| cx.add_dependency("number", "number"),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: worker `number` depends on itself; to repeat it, let it ferry to itself"#]],
    )
    .await;
}

#[tokio::test]
async fn a_dependency_that_closes_a_cycle() {
    check(
        |cx| cx.add_dependency("number", "same"),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: the dependencies `number` → `same` → `number` form a cycle; to go back, use a ferry"#]],
    )
    .await;
    check(
        |cx| {
            cx.add_func_as_worker("a", same, after(["b"]));
            cx.add_func_as_worker("b", same, after(["same"]));
            cx.add_dependency("number", "a");
        },
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: the dependencies `number` → `same` → `b` → `a` → `number` form a cycle; to go back, use a ferry"#]],
    )
    .await;
}

#[tokio::test]
async fn a_dependency_that_is_there_already() {
    check(
        |cx| cx.add_dependency("same", "number"),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: worker `same` names its dependency `number` twice"#]],
    )
    .await;
}

#[tokio::test]
async fn a_dependency_of_or_on_a_worker_that_does_not_exist() {
    check(
        |cx| cx.add_dependency("smae", "number"),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: cannot change the dependencies of `smae`: there is no such worker; did you mean `same`?"],
    )
    .await;
    check(
        |cx| cx.add_dependency("same", "nmuber"),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: worker `same` depends on `nmuber`, which does not exist; did you mean `number`?"],
    )
    .await;
}

#[tokio::test]
async fn removal_of_a_dependency_that_does_not_exist() {
    check(
        |cx| cx.remove_dependency("number", "same"),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: cannot remove the dependency of `number` on `same`: it has none"#]],
    )
    .await;
    check(
        |cx| cx.remove_dependency("smae", "number"),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: cannot change the dependencies of `smae`: there is no such worker; did you mean `same`?"],
    )
    .await;
    check(
        |cx| cx.remove_dependency("same", "nmuber"),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: cannot remove the dependency of `same` on `nmuber`: it has none"#]],
    )
    .await;
}

#[tokio::test]
async fn removal_of_a_worker_that_does_not_exist() {
    check(
        |cx| cx.remove_worker("nmuber"),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: cannot remove `nmuber`: there is no such worker; did you mean `number`?"],
    )
    .await;
    check(
        |cx| {
            cx.remove_worker("number");
            cx.remove_worker("number");
        },
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: cannot remove `number`: there is no such worker; the workers are: `entry`, `editor`, `same`, `inner`, `end`"#]],
    )
    .await;
}

#[tokio::test]
async fn a_dependency_on_a_worker_that_is_removed_beside_it() {
    check(
        |cx| {
            cx.remove_worker("number");
            cx.add_dependency("end", "number");
        },
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: worker `end` depends on `number`, which does not exist; the workers are: `entry`, `editor`, `same`, `inner`, `end`"#]],
    )
    .await;
}

#[tokio::test]
async fn a_worker_without_a_key() {
    check(
        |cx| cx.add_func_as_worker("", same, free()),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: a worker's key is empty: give it a name"#]],
    )
    .await;
}

#[tokio::test]
async fn a_worker_that_was_never_declared() {
    const TOOL: WorkerRef<fn(i64) -> i64> = WorkerRef::new("tool");
    check(
        |cx| cx.add_func_as_worker("new", TOOL, free()),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: `tool` was not declared in this automa: declare it with `#[worker(detached)]` or `declare_func`"#]],
    )
    .await;
}

#[tokio::test]
async fn a_worker_that_does_not_fit_its_dependencies() {
    check(
        |cx| cx.add_func_as_worker("new", async |text: String| text, after(["number"])),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: parameter #1 of worker `new` takes `String`, but dependency `number` gives `i64`"#]],
    )
    .await;
    check(
        |cx| cx.add_func_as_worker("new", same, after(["number", "same"])),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: worker `new` gets 2 outputs from its dependencies, but has 1 parameter to take them: add parameters, or `.merge()` or `.suppressed()`"],
    )
    .await;
    check(
        |cx| cx.add_func_as_worker("new", sum, after(["number", "same"]).unpack()),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: worker `new` unpacks, which takes one dependency; it has 2"],
    )
    .await;
    check(
        |cx| cx.add_dependency("end", "number"),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: worker `end` gets 1 output from its dependencies, but has 0 parameters to take them: add parameters, or `.merge()` or `.suppressed()`"],
    )
    .await;
}

#[tokio::test]
async fn a_declared_worker_that_is_given_parameters_where_it_is_placed() {
    const NUMBER: WorkerRef<fn() -> i64> = WorkerRef::new("number");
    check(
        |cx| cx.add_func_as_worker("new", NUMBER, free().params(["a"])),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: `number` is declared with its parameters: leave `.params([…])` and `.from(…)` out where it is placed as `new`"],
    )
    .await;
}

#[tokio::test]
async fn a_worker_whose_options_do_not_fit_it() {
    check(
        |cx| cx.add_func_as_worker("new", same, free().params(["a", "b"])),
        &expect!["automa `trial`, step 2: worker `editor` asked for an impossible change: worker `new` has 1 parameter, but `.params([…])` names 2"],
    )
    .await;
    check(
        |cx| cx.add_func_as_worker("new", same, free().from("x", "number")),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: worker `new` has no parameter `x` to fill from `number`; name its parameters with `.params([…])`"#]],
    )
    .await;
}

#[tokio::test]
async fn a_nested_automa_that_is_at_fault() {
    check(
        |cx| {
            let mut nested = GraphAutoma::new("nested");
            nested.add_func_as_worker("self", same, after(["self"])).unwrap();
            cx.add_worker("new", nested, free());
        },
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: in nested automa `new`: worker `self` depends on itself; to repeat it, let it ferry to itself"#]],
    )
    .await;
}

#[tokio::test]
async fn a_change_of_a_nested_graph_that_cannot_be_made() {
    check(
        |cx| cx.nested("inner").unwrap().add_dependency("within", "nowhere"),
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: in nested automa `inner`: worker `within` depends on `nowhere`, which does not exist; the workers are: `within`"#]],
    )
    .await;
    check(
        |cx| {
            cx.nested("inner").unwrap().remove_worker("within");
            cx.remove_worker("inner");
            cx.nested("inner").unwrap().remove_worker("within");
        },
        &expect![[r#"
            automa `trial`, step 2: worker `editor` asked for an impossible change: `inner` is not a nested automa of this run"#]],
    )
    .await;
}

#[tokio::test]
async fn of_several_faults_the_first_is_reported_and_no_edit_is_applied() {
    let error = failure(|automa| {
        declare(automa, |cx| {
            cx.add_func_as_worker("new", same, free());
            cx.remove_worker("nowhere");
            cx.remove_worker("elsewhere");
            // Refused with the rest: a ferry to it finds nothing.
            cx.ferry_to("new", (1_i64,));
        });
        let second = async |bad: bool, cx: &Context| {
            if bad {
                cx.remove_worker("nobody");
            }
        };
        automa.add_func_as_worker("second", second, after(["entry"])).unwrap();
    })
    .await;
    let expected = expect![[r#"
        automa `trial`, step 2: 2 failures
        - worker `editor` asked for an impossible change: cannot remove `nowhere`: there is no such worker; the workers are: `entry`, `editor`, `number`, `same`, `inner`, `end`, `second`, `new`
        - worker `editor` ferried to `new`, which does not exist; the workers are: `entry`, `editor`, `number`, `same`, `inner`, `end`, `second`"#]];
    expected.assert_eq(&error.to_string());
    let RunError::Step(error) = &error else { panic!("{error}") };
    let FailureKind::Edit(first) = &error.failures[0].kind else { panic!("{error}") };
    assert!(matches!(first, EditError::UnknownWorker { key, .. } if key == "nowhere"));
}

#[tokio::test]
async fn impossible_tools_are_reported_in_the_error() {
    let error =
        failure(|automa| declare(automa, |cx| cx.add_func_as_worker("number", same, free()))).await;
    let RunError::Step(error) = error else { panic!("{error}") };
    assert_eq!((error.automa.as_str(), error.step), ("trial", 2));
    let [failure] = &error.failures[..] else { panic!("{error}") };
    assert_eq!(failure.worker.to_string(), "editor");
    let FailureKind::Edit(EditError::Fault(fault)) = &failure.kind else { panic!("{error}") };
    assert_eq!(*fault, Fault::DuplicateKey { key: "number".into() });
}
