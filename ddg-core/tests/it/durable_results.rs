//! The results of single workers are written as they end: when the run goes on, those workers do
//! not run again, and what they gave and asked for counts once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, Checkpoints, RunId, RunStatus};
use ddg_core::prelude::*;
use ddg_core::{EventFilter, Key, Opaque};
use expect_test::expect;
use tokio::sync::Semaphore;

use crate::gated_store::GatedStore;

const PLENTY: usize = 1_000;

/// Which kickoffs have begun, and which may end.
#[derive(Clone, Default)]
struct Stage {
    calls: Arc<Mutex<Vec<String>>>,
    gates: Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>,
}

/// A worker that does something when it is let.
struct Gated(Stage, fn(&Context) -> Result<u64, WorkerError>);

impl Stage {
    fn gate(&self, who: &str) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap();
        Arc::clone(gates.entry(who.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    /// Lets kickoffs go on: those of now and those to come.
    fn open<const N: usize>(&self, all: [&str; N]) {
        all.into_iter().for_each(|who| self.gate(who).add_permits(PLENTY));
    }

    /// The kickoffs since this was called last.
    fn calls(&self) -> String {
        let mut calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls.sort();
        calls.join(" ")
    }

    fn worker(&self, then: fn(&Context) -> Result<u64, WorkerError>) -> Gated {
        Gated(self.clone(), then)
    }
}

impl Worker for Gated {
    type Output = u64;

    async fn run(&self, _: Args, cx: &Context) -> Result<u64, WorkerError> {
        let who = format!("{}#{}", cx.key(), serde_json::to_string(&cx.kickoff_id()).unwrap());
        self.0.calls.lock().unwrap().push(who.clone());
        self.0.gate(&who).acquire().await.unwrap().forget();
        (self.1)(cx)
    }
}

fn durable<'a>(automa: &'a GraphAutoma, store: &GatedStore) -> ddg_core::Durable<'a> {
    automa.durable(store.clone()).checkpoints(Checkpoints::EveryWorker)
}

/// Waits until nothing can get on any more.
async fn until_stuck() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Runs it until nothing can get on any more, then leaves it.
async fn leave_in_the_middle(automa: &GraphAutoma, store: &GatedStore) {
    let run = durable(automa, store).prepare("a", ()).await.unwrap().start();
    until_stuck().await;
    assert!(!run.is_finished());
    run.cancel();
    assert!(matches!(run.await, Err(RunError::Cancelled { .. })));
}

async fn go_on(automa: &GraphAutoma, store: &GatedStore) -> Outcome {
    durable(automa, store).run("a", ()).await.unwrap()
}

/// The kickoffs of which the store has a result.
async fn kept(store: &GatedStore) -> Vec<u64> {
    let latest = store.latest(&RunId::new("a").unwrap()).await.unwrap().unwrap();
    latest.results.into_keys().collect()
}

/// Three workers at a time, and one that sums up what they give.
fn wide(stage: &Stage) -> GraphAutoma {
    let mut automa = GraphAutoma::new("wide");
    automa.add_worker("a", stage.worker(|_| Ok(1)), start()).unwrap();
    automa.add_worker("b", stage.worker(|_| Ok(20)), start()).unwrap();
    automa.add_worker("c", stage.worker(|_| Ok(300)), start()).unwrap();
    let sum = async |a: u64, b: u64, c: u64| a + b + c;
    automa.add_func_as_worker("sum", sum, after(["a", "b", "c"]).output()).unwrap();
    automa
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn only_what_was_under_way_runs_again() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = wide(&stage);
    stage.open(["a#0", "c#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(stage.calls(), "a#0 b#1 c#2");
    assert_eq!(kept(&store).await, [0, 2]);
    assert_eq!(store.puts(), ["running: state of step 0", "running: result of 0, result of 2"]);

    stage.open(["b#1"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "b#1");
    // What ends last is in the state that is written then.
    let steps = ["running: ", "running: state of step 1", "running: state of step 2", "finished: "];
    assert_eq!(store.puts(), steps);
    assert_eq!(outcome.into_output::<u64>().unwrap(), 321);
    assert_eq!(kept(&store).await, [0; 0]);
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn a_step_of_which_everything_had_ended_settles_at_once() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(2));
    let mut automa = GraphAutoma::new("two");
    automa.add_worker("a", stage.worker(|_| Ok(1)), start()).unwrap();
    automa.add_worker("b", stage.worker(|_| Ok(2)), start()).unwrap();
    automa
        .add_func_as_worker("sum", async |a: u64, b: u64| a + b, after(["a", "b"]).output())
        .unwrap();
    stage.open(["a#0"]);
    let run = durable(&automa, &store).prepare("a", ()).await.unwrap().start();
    until_stuck().await;
    assert_eq!(kept(&store).await, [0]);
    run.cancel();
    run.await.unwrap_err();

    // The other one's result, as a process would have left it that ended before it settled.
    let lease = store.acquire(&RunId::new("a").unwrap(), &Default::default()).await.unwrap();
    let latest = store.latest(&RunId::new("a").unwrap()).await.unwrap().unwrap();
    let body = String::from_utf8(latest.results[&0].clone()).unwrap().replace("\"a\"", "\"b\"");
    store.let_through(PLENTY);
    let entry = ddg_core::checkpoint::Entry::result(0, 1, body);
    store.put(&lease, RunStatus::Running, &[entry]).await.unwrap();
    store.release(&lease).await.unwrap();
    _ = stage.calls();

    let prepared = durable(&automa, &store).prepare("a", ()).await.unwrap();
    let mut events = prepared.events_of(EventFilter::all());
    assert_eq!(prepared.output::<u64>().await.unwrap(), 2);
    assert_eq!(stage.calls(), "");
    let mut told = String::new();
    while let Some(event) = events.next().await {
        told += &format!("{}\n", event.unwrap());
    }
    expect![[r#"
        0: run of `two` started
        1: step 1 started: 
        2: step 1 settled: `a`: 1, `b`: 1
        3: step 2 started: `sum` (dependencies)
        4: step 2: `sum` started
        5: step 2: `sum` finished: 2
        6: step 2 settled: `sum`: 2
        7: run finished: 2
    "#]]
    .assert_eq(&told);
}

/// [X9] A write takes what has ended by its time, and nobody waits for it.
#[tokio::test(start_paused = true)]
async fn what_ends_during_a_write_is_in_the_next() {
    // The beginning is written, and nothing else.
    let (stage, store) = (Stage::default(), GatedStore::open_for(1));
    let mut automa = GraphAutoma::new("many");
    for key in ["a", "b", "c", "d"] {
        automa.add_worker(key, stage.worker(|_| Ok(1)), start()).unwrap();
    }
    let run = durable(&automa, &store).prepare("a", ()).await.unwrap().start();
    until_stuck().await;
    stage.open(["b#1"]);
    until_stuck().await;
    stage.open(["a#0"]);
    until_stuck().await;
    stage.open(["c#2"]);
    until_stuck().await;
    assert_eq!(store.puts(), ["running: state of step 0", "running: result of 1"]);
    store.let_through(1);
    until_stuck().await;
    assert_eq!(store.puts(), ["running: result of 0, result of 2"]);
    stage.open(["d#3"]);
    until_stuck().await;
    assert_eq!(store.puts(), [""; 0]);
    store.let_through(PLENTY);
    run.await.unwrap();
    assert_eq!(store.puts(), ["running: state of step 1", "finished: "]);
}

/// All that can be asked for, by `boss`; `slow` holds the step up.
fn asking(stage: &Stage) -> GraphAutoma {
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("x", async || 5_u64, start().output()).unwrap();
    inner.declare_func("y", async |x: u64| x * 2, free()).unwrap();
    let mut automa = GraphAutoma::new("asking");
    let boss = |cx: &Context| {
        cx.local().set("done", "all of it".to_owned());
        cx.ferry_to("tail", args!(7_u64, by = "name".to_owned()));
        cx.ferry_to("new", args!(8_u64));
        cx.add_func_as_worker("new", Key::from("tool"), after(["tail"]));
        cx.add_worker("made", made(), free());
        cx.remove_worker("gone");
        cx.add_dependency("inner", "boss");
        cx.remove_dependency("rest", "slow");
        let inner = cx.nested("inner").unwrap();
        inner.add_func_as_worker("z", Key::from("y"), after(["x"]));
        Ok(1)
    };
    automa.add_worker("boss", stage.worker(boss), start()).unwrap();
    automa.add_worker("slow", stage.worker(|_| Ok(2)), start()).unwrap();
    automa.add_func_as_worker("gone", async |_: u64| 3_u64, after(["boss"])).unwrap();
    let rest = after(["boss", "slow"]).suppressed();
    automa.add_func_as_worker("rest", async || 4_u64, rest).unwrap();
    let tail = async |x: u64, by: String| format!("{x} {by}");
    automa.add_func_as_worker("tail", tail, free().params(["x", "by"])).unwrap();
    automa.add_worker("inner", inner, free().suppressed().output()).unwrap();
    automa.declare_func("tool", async |x: Value| x, free()).unwrap();
    automa
}

/// An automa that is made while the run goes on.
fn made() -> GraphAutoma {
    GraphAutoma::new("made")
}

/// [X9] [L1]
#[tokio::test(start_paused = true)]
async fn what_was_asked_for_counts_once() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = asking(&stage);
    stage.open(["boss#0"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!((stage.calls().as_str(), kept(&store).await), ("boss#0 slow#1", vec![0]));
    stage.open(["slow#1"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "slow#1");

    let undisturbed = automa.outcome(()).await.unwrap();
    let json = |outcome: &Outcome| serde_json::to_string(&outcome.snapshot().unwrap()).unwrap();
    assert_eq!(json(&outcome), json(&undisturbed));
    for expected in ["all of it", "7 name", "\"made\"", "\"z\"", "\"removed\":[\"gone\"]"] {
        assert!(json(&outcome).contains(expected), "{expected} in {}", json(&outcome));
    }
}

/// [X9] [X3]
#[tokio::test(start_paused = true)]
async fn a_stop_that_was_asked_for_counts() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = GraphAutoma::new("stops");
    let stop = |cx: &Context| {
        cx.stop();
        Ok(1)
    };
    automa.add_worker("stop", stage.worker(stop), start()).unwrap();
    automa.add_worker("slow", stage.worker(|_| Ok(2)), start()).unwrap();
    automa.add_func_as_worker("end", async |x: u64| x, after(["slow"]).output()).unwrap();
    stage.open(["stop#0"]);
    leave_in_the_middle(&automa, &store).await;
    stage.open(["slow#1"]);
    let outcome = go_on(&automa, &store).await;
    assert!(outcome.stopped() && outcome.output().is_null());
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 2);
}

/// Kickoffs 1, 2 and 3 of `each`, in one step.
fn several(stage: &Stage, each: fn(&Context) -> Result<u64, WorkerError>) -> GraphAutoma {
    let mut automa = GraphAutoma::new("several");
    let deal = async |cx: Context| (0..3).for_each(|_| cx.ferry_to("each", ()));
    automa.add_func_as_worker("deal", deal, start()).unwrap();
    automa.add_worker("each", stage.worker(each), free()).unwrap();
    automa
}

/// [X9]
#[tokio::test(start_paused = true)]
async fn kickoffs_of_one_worker_are_written_one_by_one() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = several(&stage, |_| Ok(1));
    stage.open(["each#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [2]);
    _ = stage.calls();
    stage.open(["each#1", "each#3"]);
    go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "each#1 each#3");
}

/// [X10]
#[tokio::test(start_paused = true)]
async fn kickoffs_that_change_one_local_space_are_written_together() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = several(&stage, |cx| {
        Ok(cx.local().update("n", |n: &mut u64| {
            *n += 1;
            *n
        }))
    });
    automa.add_worker("slow", stage.worker(|_| Ok(0)), after(["deal"]).suppressed()).unwrap();
    stage.open(["each#1", "each#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [0; 0]);

    stage.open(["each#3"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [1, 2, 3]);

    _ = stage.calls();
    stage.open(["slow#4"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "slow#4");
    let snapshot = serde_json::to_value(outcome.snapshot().unwrap()).unwrap();
    assert_eq!(snapshot["run"]["locals"]["each"]["n"], 3);
}

/// [X10] What is not known to be saved is not counted as saved.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_runs_again() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = GraphAutoma::new("closure");
    let adds = |cx: &Context| {
        cx.add_func_as_worker("nobody knows", async || 1_u64, free());
        Ok(1)
    };
    automa.add_worker("adds", stage.worker(adds), start()).unwrap();
    automa.add_func_as_worker("opaque", async || Opaque::new(1_u64), start()).unwrap();
    automa.add_worker("plain", stage.worker(|_| Ok(1)), start()).unwrap();
    automa.add_worker("slow", stage.worker(|_| Ok(1)), start()).unwrap();
    stage.open(["adds#0", "plain#2"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [2]);
    _ = stage.calls();
    stage.open(["slow#3"]);
    // The step cannot be written either, and says why.
    let error = durable(&automa, &store).run("a", ()).await.unwrap_err();
    expect!["automa `closure`: the run has added worker `nobody knows`, which could not be found again: it is a function that is not declared; declare it with `declare_func`, and add it by that name"].assert_eq(&error.to_string());
    assert_eq!(stage.calls(), "adds#0 slow#3");
}

/// [X11]
#[tokio::test(start_paused = true)]
async fn of_a_step_that_failed_only_the_workers_that_failed_run_again() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    static BROKEN: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
    let flaky = |_: &Context| match BROKEN.load(std::sync::atomic::Ordering::Relaxed) {
        true => Err(WorkerError::msg("no line")),
        false => Ok(4),
    };
    automa.add_worker("flaky", stage.worker(flaky), start()).unwrap();
    stage.open(["a#0", "b#1", "c#2", "flaky#3"]);
    durable(&automa, &store).run("a", ()).await.unwrap_err();
    assert_eq!(kept(&store).await, [0, 1, 2]);
    assert_eq!(store.record("a").await.status, RunStatus::Failed);

    _ = stage.calls();
    BROKEN.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 321);
    assert_eq!(stage.calls(), "flaky#3");
}

/// [X11] What a worker asked for cannot be done: it may ask for something else next time.
#[tokio::test(start_paused = true)]
async fn a_step_that_failed_as_it_settled_runs_again_as_a_whole() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    static WRONG: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(true);
    let asks = |cx: &Context| {
        if WRONG.load(std::sync::atomic::Ordering::Relaxed) {
            cx.ferry_to("nobody", ());
        }
        Ok(4)
    };
    automa.add_worker("asks", stage.worker(asks), start()).unwrap();
    stage.open(["a#0", "c#2", "asks#3"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [0, 2, 3]);
    stage.open(["b#1"]);
    durable(&automa, &store).run("a", ()).await.unwrap_err();
    assert_eq!(kept(&store).await, [0; 0]);

    _ = stage.calls();
    WRONG.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 321);
    assert_eq!(stage.calls(), "a#0 asks#3 b#1 c#2");
}

/// [X9] [Q2]
#[tokio::test(start_paused = true)]
async fn who_asks_has_no_result_until_there_is_an_answer() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    let ask = |cx: &Context| Ok(cx.interact_with_human("how many?".to_owned())?);
    automa.add_worker("ask", stage.worker(ask), start()).unwrap();
    automa.add_worker("too", stage.worker(ask), start()).unwrap();
    stage.open(["a#0", "b#1", "ask#3", "too#4"]);
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [0, 1]);
    stage.open(["c#2"]);
    let paused = go_on(&automa, &store).await;
    assert_eq!(paused.questions().len(), 2);
    assert_eq!(kept(&store).await, [0; 0]);

    // Both are answered; one of them ends, and the run is left again.
    let handle = durable(&automa, &store);
    for question in paused.questions() {
        handle.answer("a", &question.id, 4_u64).await.unwrap();
    }
    stage.gates.lock().unwrap().remove("too#4");
    leave_in_the_middle(&automa, &store).await;
    assert_eq!(kept(&store).await, [3]);
    _ = stage.calls();
    stage.open(["too#4"]);
    let outcome = go_on(&automa, &store).await;
    assert_eq!(stage.calls(), "too#4");
    assert_eq!(outcome.automa().output("ask").unwrap().get::<u64>().unwrap(), 4);
}

/// [X12]
#[tokio::test(start_paused = true)]
async fn at_a_rolling_pace_what_began_with_the_last_state_is_written() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let mut automa = wide(&stage);
    automa.set_pace(Pace::Rolling);
    automa.add_worker("next", stage.worker(|_| Ok(1)), after(["a"]).suppressed()).unwrap();
    stage.open(["a#0", "c#2", "next#3"]);
    leave_in_the_middle(&automa, &store).await;
    // `next` has ended too, but began while others were running.
    assert_eq!(stage.calls(), "a#0 b#1 c#2 next#3");
    assert_eq!(kept(&store).await, [0, 2]);
    stage.open(["b#1"]);
    assert_eq!(go_on(&automa, &store).await.into_output::<u64>().unwrap(), 321);
    assert_eq!(stage.calls(), "b#1 next#3");
}

/// [X9] Results of another step, or of other workers, are refused.
#[tokio::test(start_paused = true)]
async fn a_result_of_somebody_else_is_refused() {
    let (stage, store) = (Stage::default(), GatedStore::open_for(PLENTY));
    let automa = wide(&stage);
    stage.open(["a#0"]);
    leave_in_the_middle(&automa, &store).await;
    let run = RunId::new("a").unwrap();
    let lease = store.acquire(&run, &Default::default()).await.unwrap();
    let body = store.latest(&run).await.unwrap().unwrap().results.remove(&0).unwrap();
    let entry = ddg_core::checkpoint::Entry::result(0, 1, body);
    store.put(&lease, RunStatus::Running, &[entry]).await.unwrap();
    store.release(&lease).await.unwrap();
    let error = durable(&automa, &store).run("a", ()).await.unwrap_err();
    expect!["automa `wide`: there is a result of worker `a` (kickoff 1), which does not run after step 0"].assert_eq(&error.to_string());
}
