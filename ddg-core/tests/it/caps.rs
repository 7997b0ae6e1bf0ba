//! Caps on the steps of a run, and on the number of its workers that run concurrently.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::prelude::*;
use expect_test::expect;

use crate::trace::{add, trace};

/// [S12]
#[tokio::test]
async fn a_run_fails_before_it_takes_more_steps_than_it_may() {
    let mut automa = GraphAutoma::new("capped");
    let tick = async |cx: Context| {
        cx.ferry_to("tick", ());
        cx.ferry_to("tock", ());
    };
    automa.add_func_as_worker("tick", tick, start()).unwrap();
    add(&mut automa, "tock", free());
    automa.set_max_steps(2);

    expect![[r#"
        step 1: tick (start) () → null
        step 2: tick (ferry by `tick`) () → null
        step 2: tock (ferry by `tick`) () → "tock"
        error: automa `capped`: reached its limit of steps, 2, with `tick`, `tock` still ready
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S12]
#[tokio::test]
async fn a_run_may_take_just_as_many_steps() {
    let mut automa = GraphAutoma::new("enough");
    add(&mut automa, "a", start());
    automa.add_func_as_worker("b", async || 7, after(["a"]).suppressed().output()).unwrap();
    automa.set_max_steps(2);
    assert_eq!(automa.run(()).output::<i32>().await.unwrap(), 7);
    automa.set_max_steps(1);
    expect!["automa `enough`: reached its limit of steps, 1, with `b` still ready"]
        .assert_eq(&automa.run(()).output::<i32>().await.unwrap_err().to_string());
}

/// [S12] [N1]
#[tokio::test]
async fn the_steps_of_a_nested_automa_are_counted_there() {
    let mut inner = GraphAutoma::new("inner");
    add(&mut inner, "a", start());
    add(&mut inner, "b", after(["a"]));
    add(&mut inner, "c", after(["b"]));
    let mut automa = GraphAutoma::new("outer");
    automa.set_max_steps(1);
    automa.add_worker("inner", inner.clone(), start()).unwrap();
    automa.run(()).output::<()>().await.unwrap();

    inner.set_max_steps(2);
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("inner", inner, start()).unwrap();
    let error = automa.run(()).output::<()>().await.unwrap_err();
    expect!["automa `outer`, step 1: worker `inner` failed: automa `inner`: reached its limit of steps, 2, with `c` still ready"]
        .assert_eq(&error.to_string());
}

/// Counts how many workers run at the same time, and in which order they begin.
#[derive(Debug, Default)]
struct Gauge {
    running: AtomicUsize,
    most: AtomicUsize,
    begun: Mutex<Vec<usize>>,
}

impl Gauge {
    async fn work(&self, n: usize) -> usize {
        self.begun.lock().unwrap().push(n);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        // The later ones end first.
        for _ in 0..40 - n {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        n
    }
}

/// An automa that ferries 20 times to one worker, and the gauge of that worker.
fn fan() -> (GraphAutoma, Arc<Gauge>) {
    let gauge = Arc::new(Gauge::default());
    let mut automa = GraphAutoma::new("fan");
    let fan = async |cx: Context| (0..20_usize).for_each(|n| cx.ferry_to("work", (n,)));
    automa.add_func_as_worker("fan", fan, start()).unwrap();
    let work = {
        let gauge = Arc::clone(&gauge);
        move |n: usize| {
            let gauge = Arc::clone(&gauge);
            async move { gauge.work(n).await }
        }
    };
    automa.add_func_as_worker("work", work, free().output()).unwrap();
    (automa, gauge)
}

/// [S13] [S4]
#[tokio::test]
async fn concurrent_workers_are_limited_and_start_in_kickoff_order() {
    for (cap, most) in [(0, 1), (1, 1), (3, 3), (20, 20), (1000, 20)] {
        let (mut automa, gauge) = fan();
        automa.set_max_concurrency(cap);
        assert_eq!(automa.run(()).output::<usize>().await.unwrap(), 19, "the last in order counts");
        assert_eq!(gauge.most.load(Ordering::SeqCst), most, "cap {cap}");
        assert!(gauge.begun.lock().unwrap().is_sorted(), "cap {cap}");
    }
}

/// [S13]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_workers_are_limited_on_many_threads() {
    let gauge = Arc::new(Gauge::default());
    let mut automa = GraphAutoma::new("fan");
    let fan = async |cx: Context| (0..21_usize).for_each(|n| cx.ferry_to("work", (n,)));
    automa.add_func_as_worker("fan", fan, start()).unwrap();
    // No worker proceeds before there are three, so the run would hang if fewer ran at a time.
    let three = tokio::sync::Barrier::new(3);
    let work = async |(gauge, three): &(Arc<Gauge>, tokio::sync::Barrier), n: usize| {
        let running = gauge.running.fetch_add(1, Ordering::SeqCst) + 1;
        gauge.most.fetch_max(running, Ordering::SeqCst);
        three.wait().await;
        gauge.work(n).await;
        three.wait().await;
        gauge.running.fetch_sub(1, Ordering::SeqCst);
    };
    automa.add_func_as_worker("work", with((Arc::clone(&gauge), three), work), free()).unwrap();
    automa.set_max_concurrency(3);
    let run = automa.run(()).spawn();
    let outcome =
        tokio::time::timeout(Duration::from_secs(60), run).await.expect("three at a time");
    assert_eq!(outcome.unwrap().steps(), 2);
    // Each counts twice while it works.
    assert!(matches!(gauge.most.load(Ordering::SeqCst), 4..=6), "{gauge:?}");
    assert_eq!(gauge.begun.lock().unwrap().len(), 21);
}

/// [S13]
#[tokio::test]
async fn without_a_cap_all_run_at_the_same_time() {
    let (automa, gauge) = fan();
    automa.run(()).output::<usize>().await.unwrap();
    assert_eq!(gauge.most.load(Ordering::SeqCst), 20);
}

/// [S13] [N1]
#[tokio::test]
async fn the_workers_of_a_nested_automa_are_counted_there() {
    let (inner, gauge) = fan();
    let mut automa = GraphAutoma::new("outer");
    automa.set_max_concurrency(1);
    automa.add_worker("inner", inner, start()).unwrap();
    automa.run(()).output::<Option<usize>>().await.unwrap();
    assert_eq!(gauge.most.load(Ordering::SeqCst), 20);
}
