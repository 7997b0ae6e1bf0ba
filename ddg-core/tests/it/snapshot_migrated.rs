//! A snapshot includes the declaration. If the declaration has changed, resuming is refused with
//! the difference, unless the snapshot is migrated.

use std::time::Duration;

use ddg_core::Key;
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;

/// Stops the run in its first step.
struct StopAtOnce;

impl Callback for StopAtOnce {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        if cx.step() == 1 {
            cx.stop();
        }
        Ok(())
    }
}

async fn one() -> i64 {
    1
}

async fn sum(a: i64, b: i64) -> i64 {
    a + b
}

async fn end(all: Vec<i64>) -> Vec<i64> {
    all
}

/// `a` and `b` begin, `sum` takes both, `end` comes last.
fn automa() -> GraphAutoma {
    let mut automa = GraphAutoma::new("sums");
    automa.add_func_as_worker("a", one, start()).unwrap();
    automa.add_func_as_worker("b", one, start()).unwrap();
    automa.add_func_as_worker("sum", sum, after(["a", "b"])).unwrap();
    automa.add_func_as_worker("end", end, after(["a", "sum"]).merge().output()).unwrap();
    automa
}

/// The state of a run of `automa` after its first step.
async fn stopped(mut automa: GraphAutoma) -> Snapshot {
    automa.add_callback(StopAtOnce);
    let outcome = automa.run(()).await.unwrap();
    assert!(outcome.stopped());
    let json = serde_json::to_string(&outcome.snapshot().unwrap()).unwrap();
    serde_json::from_str(&json).unwrap()
}

/// The error of resuming a run of [`automa`] after a `change` of its declaration.
async fn refusal(change: impl FnOnce(&mut GraphAutoma)) -> String {
    let mut changed = automa();
    change(&mut changed);
    changed.resume(stopped(automa()).await).await.unwrap_err().to_string()
}

/// [D3]
#[tokio::test]
async fn a_worker_that_is_gone_or_new_is_named() {
    let seen = refusal(|automa| {
        automa.remove_worker("sum").unwrap();
        automa.add_func_as_worker("total", sum, after(["a", "b"])).unwrap();
        automa.override_func_as_worker("end", end, after(["a", "total"]).merge().output()).unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `end` now depends on `a`, `total`; worker `sum` is no longer declared; worker `total` is new; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&seen.await);
}

/// [D3]
#[tokio::test]
async fn other_dependencies_are_named() {
    let seen = refusal(|automa| {
        automa.override_func_as_worker("sum", sum, after(["b", "a"])).unwrap();
        automa.override_func_as_worker("end", end, free().merge().output()).unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `end` now has no dependencies; worker `sum` now depends on `b`, `a`; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&seen.await);
}

/// [D3]
#[tokio::test]
async fn a_worker_with_another_signature_is_named() {
    let seen = refusal(|automa| {
        let sum = async |x: i64, y: Option<i64>| x + y.unwrap_or_default();
        let options = after(["a", "b"]).params(["x", "y"]);
        automa.override_func_as_worker("sum", sum, options).unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `sum` is now `(x: i64, y: Option<i64>) -> i64`; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&seen.await);
    let seen = refusal(|automa| {
        automa.override_func_as_worker("a", async || 1.0, start()).unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `a` is now `() -> f64`; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&seen.await);
}

/// [D3]
#[tokio::test]
async fn other_options_are_named() {
    let seen = refusal(|automa| {
        automa.override_func_as_worker("end", end, after(["a", "sum"]).merge()).unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `end` now has other options: start, output, the mapping of its arguments or the scattering of its output; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&seen.await);
}

/// [D3]
#[tokio::test]
async fn another_order_is_named() {
    let seen = refusal(|automa| {
        let mut other = GraphAutoma::new("sums");
        for key in ["b", "a"] {
            other.add_func_as_worker(key, one, start()).unwrap();
        }
        other.add_func_as_worker("sum", sum, after(["a", "b"])).unwrap();
        other.add_func_as_worker("end", end, after(["a", "sum"]).merge().output()).unwrap();
        *automa = other;
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: the workers are declared in another order; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&seen.await);
}

#[tokio::test]
async fn a_nested_automa_that_is_declared_differently_is_named() {
    let declare = |inner_most: i64| {
        let mut inner = GraphAutoma::new("inner");
        inner.add_func_as_worker("one", one, start().output()).unwrap();
        if inner_most > 1 {
            inner.add_func_as_worker("two", one, after(["one"]).suppressed()).unwrap();
        }
        let mut middle = GraphAutoma::new("middle");
        middle.add_worker("inner", inner, start().output()).unwrap();
        let mut automa = automa();
        automa.add_worker("middle", middle, after(["end"]).suppressed()).unwrap();
        automa
    };
    let snapshot = stopped(declare(1)).await;
    assert!(declare(1).resume(snapshot.clone()).await.is_ok());
    let error = declare(2).resume(snapshot).await.unwrap_err();
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `middle` is now an automa that is declared differently; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&error.to_string());
}

/// [D3]
#[tokio::test]
async fn of_a_large_graph_what_the_run_has_reached_is_named() {
    let declare = |n: usize, of_w0: WorkerOptions| {
        let mut automa = automa();
        automa.add_func_as_worker("w0", async || (), of_w0.after(["sum"]).suppressed()).unwrap();
        for n in 1..n {
            automa.add_func_as_worker(format!("w{n}"), async || (), free()).unwrap();
        }
        automa
    };
    let snapshot = stopped(declare(100, free())).await;
    assert!(declare(100, free()).resume(snapshot.clone()).await.is_ok());
    let error = declare(101, free()).resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `sums` is declared differently than when the snapshot was taken: workers that the run has not reached are declared differently: there were 104 workers, and now there are 105; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&error.to_string());
    let error = declare(100, free().start()).resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `sums` is declared differently than when the snapshot was taken: workers that the run has not reached are declared differently; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&error.to_string());
    let mut other = declare(100, free());
    other.override_func_as_worker("sum", sum, after(["b", "a"])).unwrap();
    let error = other.resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `sum` now depends on `b`, `a`; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&error.to_string());
}

/// [D3]
#[tokio::test]
async fn bodies_and_retries_may_change() {
    let mut changed = automa();
    let options = after(["a", "b"]).timeout(Duration::from_secs(1)).retry(Retry::times(1));
    changed.override_func_as_worker("sum", async |a: i64, b: i64| 10 * (a + b), options).unwrap();
    changed.set_max_steps(50);
    changed.set_pace(Pace::Rolling);
    changed.add_callback(StopAtOnce);
    changed.declare_func("more", one, free()).unwrap();
    let outcome = changed.resume(stopped(automa()).await).await.unwrap();
    assert_eq!(outcome.into_output::<Vec<i64>>().unwrap(), [1, 20]);
}

/// [D4]
#[tokio::test]
async fn accepted_changes_of_dependencies_are_followed() {
    let declare = |dependencies: &[&str]| {
        let mut automa = GraphAutoma::new("wait");
        automa.add_func_as_worker("a", one, start()).unwrap();
        automa.add_func_as_worker("b", one, after(["a"]).suppressed()).unwrap();
        automa.add_func_as_worker("c", one, after(["b"]).suppressed()).unwrap();
        let options = after(dependencies.iter().copied()).merge().output();
        automa.add_func_as_worker("end", end, options).unwrap();
        automa
    };
    let saved = || async { stopped(declare(&["a", "c"])).await.accept_changes() };
    let more = declare(&["a", "b", "c"]).resume(saved().await).await.unwrap();
    assert_eq!(more.into_output::<Vec<i64>>().unwrap(), [1, 1, 1]);
    let fewer = declare(&["c"]).resume(saved().await).await.unwrap();
    assert_eq!(fewer.into_output::<Vec<i64>>().unwrap(), [1]);
}

/// [D4]
#[tokio::test]
async fn a_worker_that_was_renamed_keeps_its_state() {
    let mut renamed = GraphAutoma::new("sums");
    renamed.add_func_as_worker("first", one, start()).unwrap();
    renamed.add_func_as_worker("b", one, start()).unwrap();
    renamed.add_func_as_worker("plus", sum, after(["first", "b"])).unwrap();
    renamed.add_func_as_worker("end", end, after(["first", "plus"]).merge().output()).unwrap();
    let snapshot = stopped(automa()).await;

    let error = renamed.resume(snapshot.clone().accept_changes()).await.unwrap_err();
    expect!["automa `sums`: the snapshot has a worker `sum`, which is no longer declared; see `Snapshot::rename_worker` and `Snapshot::forget_worker`"].assert_eq(&error.to_string());

    let migrated = snapshot.rename_worker("a", "first").unwrap();
    let error = renamed.resume(migrated.clone()).await.unwrap_err();
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `end` now depends on `first`, `plus`; worker `sum` is no longer declared; worker `plus` is new; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&error.to_string());
    let migrated = migrated.rename_worker("sum", "plus").unwrap().accept_changes();
    let outcome = renamed.resume(migrated).await.unwrap();
    assert_eq!(outcome.into_output::<Vec<i64>>().unwrap(), [1, 2]);
}

/// [D4]
#[tokio::test]
async fn the_state_of_a_worker_can_be_dropped() {
    let mut without = GraphAutoma::new("sums");
    without.add_func_as_worker("b", one, start()).unwrap();
    without.add_func_as_worker("end", end, after(["b"]).merge().output()).unwrap();
    without
        .add_func_as_worker("go", async |cx: Context| cx.ferry_to("end", (vec![7_i64],)), free())
        .unwrap();
    let snapshot = stopped(automa()).await.accept_changes();
    let error = without.resume(snapshot.clone()).await.unwrap_err();
    expect!["automa `sums`: the snapshot has a worker `sum`, which is no longer declared; see `Snapshot::rename_worker` and `Snapshot::forget_worker`"].assert_eq(&error.to_string());
    let migrated = snapshot.forget_worker("a").unwrap().forget_worker("sum").unwrap();
    let outcome = without.resume(migrated).await.unwrap();
    assert_eq!(outcome.steps(), 1, "nothing is due any more");
    assert_eq!(outcome.automa().output("b").unwrap().get::<i64>().unwrap(), 1);
}

/// [D4]
#[tokio::test]
async fn the_changes_of_a_run_can_be_renamed_and_dropped() {
    let declare = |end: &'static str, name: &'static str, extra: bool| {
        let mut automa = GraphAutoma::new("grow");
        let plan = async |cx: Context| {
            for key in ["one", "two"] {
                cx.add_func_as_worker(key, Key::from("one"), free());
                cx.ferry_to(key, ());
            }
            cx.add_dependency("end", "one");
            cx.add_dependency("end", "two");
            cx.remove_worker("extra");
        };
        automa.add_func_as_worker("plan", plan, start()).unwrap();
        automa.declare_func(name, one, free()).unwrap();
        let sum = async |all: Vec<i64>| all.iter().sum::<i64>();
        automa.add_func_as_worker(end, sum, free().merge().output()).unwrap();
        if extra {
            automa.add_func_as_worker("extra", one, free()).unwrap();
        }
        automa
    };
    let snapshot = stopped(declare("end", "one", true)).await.accept_changes();
    let same = declare("end", "one", true).resume(snapshot.clone()).await.unwrap();
    assert_eq!(same.into_output::<i64>().unwrap(), 2);
    let migrated = snapshot
        .rename_worker("end", "total")
        .unwrap()
        .rename_worker("one", "first")
        .unwrap()
        .rename_worker("one", "uno")
        .unwrap()
        .forget_worker("two")
        .unwrap();
    // `one` was also the name it is declared under.
    let automa = declare("total", "uno", false);
    let outcome = automa.resume(migrated).await.unwrap();
    assert_eq!(outcome.automa().keys(), ["plan", "total", "first"]);
    assert_eq!(outcome.into_output::<i64>().unwrap(), 1);
}

#[tokio::test]
async fn a_migration_of_workers_that_are_not_there_is_refused() {
    let snapshot = stopped(automa()).await;
    let error = snapshot.clone().rename_worker("ghost", "spirit").unwrap_err();
    expect!["the snapshot of a run of `sums` has no worker `ghost`"].assert_eq(&error.to_string());
    let error = snapshot.clone().rename_worker("a", "b").unwrap_err();
    expect![
        "`a` cannot be renamed to `b`: the snapshot of a run of `sums` already has a worker `b`"
    ]
    .assert_eq(&error.to_string());
    let error = snapshot.forget_worker("ghost").unwrap_err();
    expect!["the snapshot of a run of `sums` has no worker `ghost`"].assert_eq(&error.to_string());
}

/// [D4]
#[tokio::test]
async fn a_rename_alone_is_enough_and_all_else_is_still_checked() {
    let renamed = |change: fn(&mut GraphAutoma)| {
        let mut automa = GraphAutoma::new("sums");
        automa.add_func_as_worker("b", one, start()).unwrap();
        automa.add_func_as_worker("sum", sum, after(["first", "b"])).unwrap();
        let options = after(["first", "sum"]).merge().output();
        automa.add_func_as_worker("end", end, options).unwrap();
        automa.add_func_as_worker("first", one, start()).unwrap();
        change(&mut automa);
        automa
    };
    let snapshot = stopped(automa()).await.rename_worker("a", "zero").unwrap();
    let snapshot = snapshot.rename_worker("zero", "first").unwrap();
    let json = serde_json::to_string(&snapshot).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&json).unwrap();

    let all: Vec<i64> = renamed(|_| {}).resume(snapshot.clone()).output().await.unwrap();
    assert_eq!(all, [1, 2]);

    let refused = async |change: fn(&mut GraphAutoma)| {
        renamed(change).resume(snapshot.clone()).await.unwrap_err().to_string()
    };
    let other = refused(|automa| {
        automa.override_func_as_worker("sum", sum, after(["b", "first"])).unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `sum` now depends on `b`, `first`; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&other.await);
    let other = refused(|automa| {
        automa.override_func_as_worker("first", async || 1.5, start()).unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: worker `first` is now `() -> f64`; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&other.await);
    let other = refused(|automa| {
        automa.remove_worker("b").unwrap();
        automa.add_func_as_worker("b", one, start()).unwrap();
        automa.add_dependency("sum", "b").unwrap();
    });
    expect!["automa `sums` is declared differently than when the snapshot was taken: the workers are declared in another order; declare it as it was, or migrate the snapshot (see `Snapshot::accept_changes`)"].assert_eq(&other.await);
}
