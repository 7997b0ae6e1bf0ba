//! Workers of a step on several threads.

use std::sync::{Arc, Barrier};

use ddg_core::prelude::*;

/// Runs on the threads of the runtime, where users run.
async fn run(automa: GraphAutoma) -> Outcome {
    tokio::spawn(async move { automa.run(()).await }).await.unwrap().unwrap()
}

/// Workers that keep their threads until all of them have begun.
fn computing(pace: Pace, limit: Option<usize>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("computing");
    let all = Arc::new(Barrier::new(4));
    for place in 0..4 {
        let all = Arc::clone(&all);
        let work = move || {
            let all = Arc::clone(&all);
            async move { _ = all.wait() }
        };
        automa.add_func_as_worker(place.to_string(), work, start()).unwrap();
    }
    automa.set_pace(pace);
    if let Some(limit) = limit {
        automa.set_max_concurrency(limit);
    }
    automa
}

/// [S16] It would hang if one waited for another to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_compute_do_not_wait_for_each_other() {
    for pace in [Pace::Lockstep, Pace::Rolling] {
        for limit in [None, Some(4)] {
            let outcome = run(computing(pace, limit)).await;
            assert!((0..4).all(|place| outcome.automa().output(place.to_string()).is_some()));
        }
    }
}

/// [S16] The same after an `await`, once they are known to be quick until then.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_do_workers_that_compute_after_waiting() {
    let mut automa = GraphAutoma::new("later");
    let all = Arc::new(Barrier::new(4));
    for place in 0..4 {
        let all = Arc::clone(&all);
        let work = move || {
            let all = Arc::clone(&all);
            async move {
                tokio::task::yield_now().await;
                _ = all.wait();
            }
        };
        automa.add_func_as_worker(place.to_string(), work, start()).unwrap();
    }
    let automa = Arc::new(automa);
    for _ in 0..20 {
        let automa = Arc::clone(&automa);
        let outcome = tokio::spawn(async move { automa.run(()).await }).await.unwrap().unwrap();
        assert_eq!(outcome.steps(), 1);
    }
}

/// [S16] [S4] Wide steps of workers of every kind, again and again, give one result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_they_are_spread_the_result_is_one() {
    let mut automa = GraphAutoma::new("wide");
    let mut keys = Vec::new();
    for place in 0..300_u64 {
        let work = move || async move {
            match place % 4 {
                0 => {}
                1 => tokio::task::yield_now().await,
                2 => _ = std::hint::black_box((0..20_000).sum::<u64>()),
                _ => {
                    for _ in 0..3 {
                        tokio::task::yield_now().await;
                        std::hint::black_box((0..50_000).sum::<u64>());
                    }
                }
            }
            place
        };
        let key = place.to_string();
        automa.add_func_as_worker(&key, work, start()).unwrap();
        keys.push(key);
    }
    let end = async |all: Vec<u64>| all;
    automa.add_func_as_worker("end", end, after(keys).merge().output()).unwrap();
    let automa = Arc::new(automa);
    for _ in 0..10 {
        let automa = Arc::clone(&automa);
        let run = async move { automa.run(()).output::<Vec<u64>>().await };
        let all = tokio::spawn(run).await.unwrap().unwrap();
        assert!(all.into_iter().eq(0..300));
    }
}
