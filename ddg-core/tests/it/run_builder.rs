//! Options of one run apply to that run.

use std::time::Duration;

use ddg_core::checkpoint::{
    CheckpointPolicy, CheckpointStore, MemoryStore, RunId, RunStatus, StoredRuns,
};
use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use expect_test::expect;
use futures::FutureExt;

use crate::gated_store::GatedStore;

fn double() -> GraphAutoma {
    let mut automa = GraphAutoma::new("double");
    automa.add_func_as_worker("double", async |x: i64| x * 2, start().output()).unwrap();
    automa
}

/// `quick` gives its argument; `stuck` never ends, unless it is told that it may.
fn stuck() -> GraphAutoma {
    let mut automa = GraphAutoma::new("stuck");
    automa.add_func_as_worker("quick", async |x: i64| x, start()).unwrap();
    let options = after(["quick"]).output().params(["x", "may_end"]);
    let end = async |x: i64, may_end: bool| {
        if !may_end {
            std::future::pending::<()>().await;
        }
        x
    };
    automa.add_func_as_worker("end", end, options).unwrap();
    automa
}

/// [R7]
#[tokio::test]
async fn a_run_borrows_nothing_and_can_be_sent() {
    fn sent<T: Send + 'static>(it: T) -> T {
        it
    }
    let automa = double();
    let run = sent(automa.run(args!(1)));
    let output = sent(automa.run(args!(2)).output::<i64>());
    let handle = sent(automa.run(args!(3)).spawn());
    drop(automa);
    assert_eq!(sent(run.into_future()).await.unwrap().into_output::<i64>().unwrap(), 2);
    assert_eq!(output.await.unwrap(), 4);
    assert_eq!(handle.output::<i64>().await.unwrap(), 6);
}

/// [R7] The graph is that of when the builder was made.
#[tokio::test]
async fn a_change_of_the_automa_does_not_reach_a_builder() {
    let mut automa = double();
    let run = automa.run(args!(1));
    automa.remove_worker("double").unwrap();
    assert_eq!(run.output::<i64>().await.unwrap(), 2);
    assert!(automa.run(()).await.unwrap().output().is_null());
}

/// [R7]
#[tokio::test]
async fn an_automa_that_cannot_be_built_fails_when_its_run_does() {
    struct Wrong;
    impl Automa for Wrong {
        type Output = i64;
        const NAME: &'static str = "wrong";
        fn declare(_: &std::sync::Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError> {
            graph.add_func_as_worker("a", async || 1, after(["nobody"]).output())
        }
    }
    let run = Wrong.run(());
    let mut events = run.events(EventFilter::all());
    let message = "automa `wrong`: worker `a` depends on `nobody`, which does not exist; \
                   the workers are: `a`";
    assert_eq!(run.await.unwrap_err().to_string(), message);
    let told = events.next().await.unwrap().unwrap();
    assert_eq!(told.kind.to_string(), format!("run failed: {message}"));
    assert!(events.next().await.is_none());
}

/// [R8] Of a typed automa, too, the outcome can be had.
#[tokio::test]
async fn the_typed_output_of_a_run_that_paused_is_an_error_with_the_outcome() {
    struct Greeter;
    impl Automa for Greeter {
        type Output = String;
        const NAME: &'static str = "greeter";
        fn declare(_: &std::sync::Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError> {
            let ask = async |cx: Context| cx.interact_with_human::<String>("Who?".to_owned());
            graph.add_func_as_worker("ask", ask, start().output())
        }
    }
    let greeter = Greeter.build().unwrap();
    let error = greeter.run(()).await.unwrap_err();
    assert!(error.to_string().contains("`.outcome()`"), "{error}");
    let RunError::Paused { outcome } = error else { panic!("{error}") };
    assert_eq!(outcome.questions().len(), 1);
    let error = greeter.run(()).spawn().await.unwrap_err();
    assert!(matches!(error, RunError::Paused { .. }), "{error}");

    let paused = greeter.run(()).spawn().outcome().await.unwrap();
    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer(&paused.questions()[0].id, "Ada".to_owned()).unwrap();
    assert_eq!(greeter.resume(snapshot).await.unwrap(), "Ada");
}

/// [X13]
#[tokio::test(start_paused = true)]
async fn a_run_that_takes_longer_than_it_may_is_cancelled() {
    let automa = stuck();
    let run = automa.run(args!(1, may_end = false)).deadline(Duration::from_secs(60));
    let mut events = run.events(EventFilter::updates());
    let began = tokio::time::Instant::now();
    let error = run.output::<i64>().await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(60));
    expect!["automa `stuck`: exceeded its deadline of 60s"].assert_eq(&error.to_string());
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.unwrap().kind.to_string());
    }
    assert_eq!(last.unwrap(), format!("run failed: {error}"));

    let run = automa.run(args!(1, may_end = true)).deadline(Duration::from_secs(60));
    assert_eq!(run.spawn().output::<i64>().await.unwrap(), 1);
}

/// [X13] [X8]
#[tokio::test(start_paused = true)]
async fn a_stored_run_is_released_at_its_deadline_and_can_be_resumed() {
    let (automa, store) = (stuck(), GatedStore::open_for(100));
    let minute = Duration::from_secs(60);
    let run = automa.run(args!(1, may_end = false)).stored_in(&store, "a").deadline(minute);
    let error = run.await.unwrap_err();
    assert!(matches!(error, RunError::DeadlineExceeded { after, .. } if after == minute));
    let record = store.record("a").await;
    assert_eq!((record.status, record.step, record.holder), (RunStatus::Failed, Some(1), None));

    // Its deadline starts anew, and its arguments are those of before.
    let began = tokio::time::Instant::now();
    let run = automa.run(args!(2, may_end = true)).stored_in(&store, "a").deadline(minute);
    assert!(matches!(run.await, Err(RunError::DeadlineExceeded { .. })));
    assert_eq!(began.elapsed(), minute);
}

/// [X13]
#[test]
fn a_deadline_needs_a_runtime_and_says_so() {
    let mut automa = GraphAutoma::new("inline");
    automa.add_func_as_worker("one", || 1, start().inline().output()).unwrap();
    let run = automa.run(()).deadline(Duration::from_secs(1));
    let error = run.outcome().now_or_never().unwrap().unwrap_err();
    expect!["automa `inline`: a deadline needs a tokio runtime: run the automa within one"]
        .assert_eq(&error.to_string());
}

/// [X5] A store may be shared, and a snapshot may begin a run in it.
#[tokio::test]
async fn a_snapshot_begins_a_run_in_a_shared_store() {
    let mut automa = GraphAutoma::new("twice");
    let twice = async |x: i64, cx: Context| {
        cx.ferry_to("end", (x * 2,));
        cx.stop();
    };
    automa.add_func_as_worker("twice", twice, start()).unwrap();
    automa.add_func_as_worker("end", async |x: i64| x, free().output()).unwrap();
    let snapshot = automa.run(args!(4)).await.unwrap().snapshot().unwrap();
    let store: std::sync::Arc<dyn CheckpointStore> = std::sync::Arc::new(MemoryStore::new());
    let run = automa.resume(snapshot).stored_in(&store, "a").checkpoints(CheckpointPolicy::OnPause);
    assert_eq!(run.output::<i64>().await.unwrap(), 8);
    let record = store.find(&RunId::new("a").unwrap()).await.unwrap();
    assert_eq!((record.status, record.step), (RunStatus::Finished, Some(2)));
}

#[tokio::test]
async fn an_invalid_run_id_is_an_error_of_the_run() {
    let error = double().run(args!(1)).stored_in(&MemoryStore::new(), "").await.unwrap_err();
    assert!(matches!(error, RunError::RunId(_)), "{error}");
}

/// [X14] A simulated run continues from the state in the store, and does not change it.
#[tokio::test]
async fn a_stored_run_is_simulated_without_being_written() {
    let mut automa = GraphAutoma::new("ask");
    let ask = async |cx: Context| cx.interact_with_human::<i64>("how many?".to_owned());
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    let (store, runs) = (GatedStore::open_for(100), |store: &GatedStore| StoredRuns::new(store));
    automa.run(()).stored_in(&store, "a").await.unwrap();
    runs(&store).answer("a", "ask#0.1", 3_i64).await.unwrap();
    _ = store.puts();

    let run = automa.run(()).stored_in(&store, "a");
    assert_eq!(run.simulate(|_| 0).await.unwrap().into_output::<i64>().unwrap(), 3);
    assert_eq!(store.puts(), [""; 0]);
    assert_eq!(store.record("a").await.status, RunStatus::Paused);
}
