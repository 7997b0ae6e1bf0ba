//! PostgreSQL behind a proxy: connections are cut at any byte, delayed and refused, and the server does
//! not answer for a while.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, PostgresStore};
use ddg_core::prelude::*;

use crate::database::Database;
use crate::programs;
use crate::proxy::Proxy;

/// [X15]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_programs_on_connections_that_are_cut() {
    let Some(database) = Database::new().await else { return };
    let proxy = Proxy::before(database.url(), 1);
    let store = PostgresStore::connect(&proxy.url(database.url())).await.unwrap();
    proxy.disturb();
    let shared: Arc<dyn CheckpointStore> = Arc::new(store.clone());
    let checked = programs::check(&shared);
    let outages = async {
        let mut n = 0;
        loop {
            // Longer than the shorter leases last.
            tokio::time::sleep(Duration::from_secs(2)).await;
            proxy.silence(true);
            tokio::time::sleep(Duration::from_millis(800)).await;
            proxy.silence(false);
            n += 1;
            println!("{n} outages");
        }
    };
    let n_again = tokio::select! {
        n_again = checked => n_again,
        () = outages => unreachable!("they have no end"),
    };
    proxy.calm();
    let state = proxy.state();
    let count = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
    let (cut, refused, delayed) =
        (count(&state.n_cut), count(&state.n_refused), count(&state.n_delayed));
    println!("{cut} cut, {refused} refused, {delayed} delayed; {n_again} kickoffs ran again");
    let n = programs::n_programs();
    assert!(cut > n && refused > n / 10 && delayed > n, "too few faults");
    drop(shared);
    store.close().await;
    database.drop().await;
}

/// [X15] Many runs at the same time, while the server does not answer: none fails for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_runs_wait_for_a_silent_server() {
    let is_night = std::env::var_os("DDG_NIGHTLY").is_some();
    let (n_runs, silence) = if is_night { (400, 45) } else { (100, 2) };
    let Some(database) = Database::new().await else { return };
    let proxy = Proxy::before(database.url(), 2);
    let store = PostgresStore::connect(&proxy.url(database.url())).await.unwrap();
    let mut automa = GraphAutoma::new("steps");
    let step = async |n: u64, cx: Context| match n {
        0..5 => cx.ferry_to("step", (n + 1,)),
        _ => cx.ferry_to("end", (n,)),
    };
    automa.add_func_as_worker("step", step, start()).unwrap();
    automa.add_func_as_worker("end", async |n: u64| n, free().output()).unwrap();
    let run = |n: u32| automa.run(args!(0_u64)).stored_in(&store, format!("run {n}")).spawn();
    let runs: Vec<_> = (0..n_runs).map(run).collect();
    proxy.silence(true);
    tokio::time::sleep(Duration::from_secs(silence)).await;
    assert!(runs.iter().any(|run| !run.is_finished()));
    proxy.silence(false);
    for run in runs {
        assert_eq!(run.output::<u64>().await.unwrap(), 5);
    }
    store.close().await;
    database.drop().await;
}
