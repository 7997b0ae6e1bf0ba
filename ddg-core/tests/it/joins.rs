//! Joins: behind loops, and behind nobody.

use std::sync::Arc;

use ddg_core::Key;
use ddg_core::checkpoint::{CheckpointPolicy, MemoryStore};
use ddg_core::prelude::*;
use ddg_core::run::Kickoff;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;
use tokio::sync::Notify;

use crate::trace::{add, trace};

/// Counts the runs of a worker, and ferries to `back` until there are `most`, or a multiple of it.
fn round(cx: &Context, most: u32, back: &str) -> u32 {
    let n = cx.local().update("n", |n: &mut u32| {
        *n += 1;
        *n
    });
    if !n.is_multiple_of(most) {
        cx.ferry_to(back, ());
    }
    n
}

fn add_loop(automa: &mut GraphAutoma, key: &'static str, most: u32, options: WorkerOptions) {
    let round = move |cx: Context| async move { round(&cx, most, key) };
    automa.add_func_as_worker(key, round, options).unwrap();
}

async fn pair(a: u32, b: u32) -> (u32, u32) {
    (a, b)
}

/// Two loops of different length, and a join of both.
fn uneven(options: impl FnOnce(WorkerOptions) -> WorkerOptions) -> GraphAutoma {
    let mut automa = GraphAutoma::new("uneven");
    add_loop(&mut automa, "a", 3, start());
    add_loop(&mut automa, "b", 2, start());
    automa.add_func_as_worker("join", pair, options(after(["a", "b"])).output()).unwrap();
    automa
}

/// [S7] [S17]
#[tokio::test]
async fn a_join_after_loops_runs_once_with_the_last_outputs() {
    expect![[r#"
        step 1: a (start) () → 1
        step 1: b (start) () → 1
        step 2: a (ferry by `a`) () → 2
        step 2: b (ferry by `b`) () → 2
        step 2: join (dependencies) (1, 1) → [1,1]
        step 3: a (ferry by `a`) () → 3
        step 3: join (dependencies) (2, 2) → [2,2]
        output: [2,2]
        waiting: `join` (again for `b`)
    "#]]
    .assert_eq(&trace(&uneven(|options| options), ()).await);
    expect![[r#"
        step 1: a (start) () → 1
        step 1: b (start) () → 1
        step 2: a (ferry by `a`) () → 2
        step 2: b (ferry by `b`) () → 2
        step 3: a (ferry by `a`) () → 3
        step 4: join (dependencies) (3, 2) → [3,2]
        output: [3,2]
    "#]]
    .assert_eq(&trace(&uneven(WorkerOptions::after_loops), ()).await);
}

/// [S17] A loop may lead through workers that the join does not depend on.
#[tokio::test]
async fn a_loop_through_others_is_waited_for() {
    let mut automa = GraphAutoma::new("detour");
    add(&mut automa, "a", start());
    let check = async |cx: Context| round(&cx, 3, "mend");
    automa.add_func_as_worker("check", check, after(["a"]).suppressed()).unwrap();
    automa.add_func_as_worker("mend", async |cx: Context| cx.ferry_to("a", ()), free()).unwrap();
    let options = after(["a"]).after_loops().output();
    automa.add_func_as_worker("join", async |a: String| a, options).unwrap();
    let text = trace(&automa, ()).await;
    assert_eq!(text.matches("join").count(), 1, "{text}");
    assert!(text.contains("step 9: join (dependencies) (\"a\")"), "{text}");
}

/// [S17] The join of an inner loop comes before that of the outer one, in every round of that.
#[tokio::test]
async fn joins_of_nested_loops_run_from_the_inside() {
    let mut automa = GraphAutoma::new("nested loops");
    let begin = async |cx: Context| cx.ferry_to("inner", ());
    automa.add_func_as_worker("outer", begin, start()).unwrap();
    add_loop(&mut automa, "inner", 2, free());
    let options = after(["inner"]).after_loops();
    automa.add_func_as_worker("inner_join", async |n: u32| n, options).unwrap();
    let again = async |n: u32, cx: Context| {
        if n < 6 {
            cx.ferry_to("outer", ());
        }
        n
    };
    automa.add_func_as_worker("check", again, after(["inner_join"])).unwrap();
    let options = after(["check", "inner_join"]).after_loops().output();
    automa.add_func_as_worker("outer_join", pair, options).unwrap();

    let text = trace(&automa, ()).await;
    let joins: Vec<_> = text.lines().filter(|line| line.contains("join")).collect();
    expect![[r#"
        step 4: inner_join (dependencies) (2) → 2
        step 9: inner_join (dependencies) (4) → 4
        step 14: inner_join (dependencies) (6) → 6
        step 16: outer_join (dependencies) (6, 6) → [6,6]"#]]
    .assert_eq(&joins.join("\n"));
}

/// [S17] Those that do not come before each other run in one step, in the order of the workers.
#[tokio::test]
async fn several_joins_run_together() {
    let mut automa = GraphAutoma::new("joins");
    automa.add_func_as_worker("second", async |a: u32| a, after(["a"]).after_loops()).unwrap();
    automa.add_func_as_worker("first", async |a: u32| a, after(["a"]).after_loops()).unwrap();
    add_loop(&mut automa, "a", 2, start());
    let last = after(["first", "a"]).after_loops();
    automa.add_func_as_worker("last", pair, last).unwrap();
    let text = trace(&automa, ()).await;
    let joins: Vec<_> = text.lines().skip(2).collect();
    expect![[r#"
        step 3: second (dependencies) (2) → 2
        step 3: first (dependencies) (2) → 2
        step 4: last (dependencies) (2, 2) → [2,2]
        output: null"#]]
    .assert_eq(&joins.join("\n"));
}

/// [S17] [N1] In an automa in an automa, and around it.
#[tokio::test]
async fn joins_at_any_depth_wait_for_the_loops_of_their_automa() {
    let mut outer = GraphAutoma::new("outer");
    let mut middle = GraphAutoma::new("middle");
    let inner = uneven(WorkerOptions::after_loops);
    middle.add_worker("inner", inner, start()).unwrap();
    let sum = async |(a, b): (u32, u32)| a + b;
    middle.add_func_as_worker("sum", sum, after(["inner"]).after_loops().output()).unwrap();
    outer.add_worker("middle", middle, start()).unwrap();
    let again = async |sum: u32, cx: Context| {
        if round(&cx, 2, "middle") == 2 { sum } else { 0 }
    };
    outer.add_func_as_worker("again", again, after(["middle"])).unwrap();
    let options = after(["middle", "again"]).after_loops().output();
    outer.add_func_as_worker("join", pair, options).unwrap();
    let text = trace(&outer, ()).await;
    assert_eq!(text.matches("middle/inner/join").count(), 2, "{text}");
    assert_eq!(text.matches(": join").count(), 1, "{text}");
    assert!(text.ends_with("output: [5,5]\n"), "{text}");
}

/// [S14] [S17] At a rolling pace everything that is running may still ferry.
#[tokio::test]
async fn at_a_rolling_pace_a_join_waits_for_what_is_running() {
    let (automa, slow) = (&mut uneven(WorkerOptions::after_loops), Arc::new(Notify::new()));
    let waits = Arc::clone(&slow);
    let wait = move |cx: Context| {
        let waits = Arc::clone(&waits);
        async move {
            waits.notified().await;
            if *cx.cause() == ddg_core::run::Cause::Start {
                cx.ferry_to("a", ());
            }
        }
    };
    automa.add_func_as_worker("slow", wait, start()).unwrap();
    let run = automa.run(()).pace(Pace::Rolling);
    let mut steps = run.events(ddg_core::event::EventFilter::updates());
    let handle = run.spawn();
    let mut n_ended = 0;
    while n_ended < 5 {
        // Three rounds of `a` and two of `b`.
        let event = steps.next().await.unwrap().unwrap();
        if let ddg_core::event::EventKind::StepSettled { outputs, .. } = &event.kind {
            assert!(outputs.iter().all(|output| output.worker.as_str() != "join"));
            n_ended += outputs.len();
        }
    }
    slow.notify_one();
    // Another three rounds of `a`.
    let outcome = handle.await.unwrap();
    assert_eq!(outcome.into_output::<(u32, u32)>().unwrap(), (6, 2));
}

/// [S14] [S17] [Q12] A question that is removed with its worker holds nothing back any more, but what
/// is running may still ferry.
#[tokio::test]
async fn a_question_that_is_removed_leaves_the_join_waiting_for_what_is_running() {
    let ended = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tells = |key: &'static str| {
        let ended = Arc::clone(&ended);
        move || ended.lock().unwrap().push(key)
    };
    let asks =
        async |cx: Context| -> Result<bool, WorkerError> { Ok(cx.interact_with_human("?")?) };
    let mut automa = GraphAutoma::new("removed");
    automa.add_func_as_worker("a", async || (), start()).unwrap();
    automa.add_func_as_worker("asks", asks, start()).unwrap();
    let removes = async |cx: Context| cx.remove_worker("asks");
    automa.add_func_as_worker("removes", removes, start()).unwrap();
    automa.add_func_as_worker("slow", tells("slow"), start().inline()).unwrap();
    let join = after(["a"]).suppressed().after_loops().inline();
    automa.add_func_as_worker("join", tells("join"), join).unwrap();

    // Each of these in turn, and each settled before the next; `slow` is the last.
    let order = ["asks", "a", "removes", "join", "slow"];
    let mut settles = true;
    let choose = move |ready: &[Kickoff]| {
        settles = !settles;
        let place = |key: &&str| ready.iter().position(|kickoff| kickoff.key().as_str() == *key);
        if settles { usize::MAX } else { order.iter().find_map(place).unwrap_or_default() }
    };
    automa.run(()).pace(Pace::Rolling).simulate(choose).await.unwrap();
    assert_eq!(*ended.lock().unwrap(), ["slow", "join"]);
}

/// [S17] [F3] [E7] [E9] What happens to the join in the meantime counts.
#[tokio::test]
async fn ferries_and_edits_reach_a_join_that_waits() {
    for (what, expected) in [
        ("ferry", "null, waiting: []"),
        ("add", "3, waiting: []"),
        ("remove", "2, waiting: []"),
        ("remove both", "null, waiting: []"),
        ("add one that never runs", "null, waiting: [`join` (for `never`)]"),
    ] {
        let mut automa = GraphAutoma::new("edited");
        add(&mut automa, "a", start());
        add(&mut automa, "b", start());
        add(&mut automa, "never", free());
        let count = async |all: Vec<Value>| all.len();
        let options = after(["a", "b"]).merge().after_loops();
        automa.add_func_as_worker("join", count, options).unwrap();
        let late = move |cx: Context| async move {
            match what {
                "ferry" => cx.ferry_to("join", (Vec::<Value>::new(),)),
                "add" => cx.add_dependency("join", "late"),
                "remove" => {
                    cx.add_dependency("join", "late");
                    cx.remove_dependency("join", "a");
                }
                "remove both" => ["a", "b"].iter().for_each(|on| cx.remove_dependency("join", *on)),
                _ => cx.add_dependency("join", "never"),
            }
        };
        let go = async |cx: Context| cx.ferry_to("late", ());
        automa.add_func_as_worker("go", go, start()).unwrap();
        automa.add_func_as_worker("late", late, free()).unwrap();
        let outcome = automa.run(()).await.unwrap();
        let last = outcome.automa().output("join");
        let last = match last.map(|count| count.get::<usize>().unwrap()) {
            Some(0) | None => "null".to_owned(),
            Some(count) => count.to_string(),
        };
        let waiting: Vec<_> = outcome.waiting().iter().map(ToString::to_string).collect();
        assert_eq!(format!("{last}, waiting: [{}]", waiting.join(", ")), expected, "{what}");
    }
}

fn read_again(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

/// Stops the run after each step.
struct Stopping;

impl Callback for Stopping {
    async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
        cx.stop();
        Ok(())
    }
}

/// [S17] [X3] [X4] Stopped after each step, saved as text and resumed, the run is the same.
#[tokio::test]
async fn a_run_that_is_stopped_and_resumed_joins_in_the_same_way() {
    let mut automa = uneven(WorkerOptions::after_loops);
    automa.add_callback(Stopping);
    let mut outcome = automa.run(()).await.unwrap();
    for step in 1..4 {
        assert_eq!((outcome.stopped(), outcome.steps()), (true, step));
        outcome = automa.resume(read_again(&outcome.snapshot().unwrap())).await.unwrap();
    }
    assert_eq!((outcome.stopped(), outcome.steps()), (false, 4));
    assert_eq!(outcome.into_output::<(u32, u32)>().unwrap(), (3, 2));
}

/// [S17] [X5] A stored run, whatever is written of it, and read again after each step.
#[tokio::test]
async fn a_stored_run_joins_in_the_same_way() {
    for policy in
        [CheckpointPolicy::EveryStep, CheckpointPolicy::EveryWorker, CheckpointPolicy::OnPause]
    {
        let (automa, store) = (uneven(WorkerOptions::after_loops), MemoryStore::new());
        let run = automa.run(()).stored_in(&store, "a").checkpoints(policy);
        assert_eq!(run.output::<(u32, u32)>().await.unwrap(), (3, 2));
        let runs = ddg_core::checkpoint::StoredRuns::new(&store);
        for state in runs.history("a").await.unwrap() {
            let snapshot = runs.snapshot_at("a", state.step).await.unwrap();
            let output: (u32, u32) = automa.resume(snapshot).output().await.unwrap();
            assert_eq!(output, (3, 2), "after step {}", state.step);
        }
    }
}

/// Adds a worker for each of `n` parts, and a join of them.
fn fan_out(n: usize) -> GraphAutoma {
    let mut automa = GraphAutoma::new("fan-out");
    let split = move |cx: Context| async move {
        let keys: Vec<Key> = (0..n).map(|part| format!("part {part}").into()).collect();
        for key in &keys {
            cx.add_func_as_worker(key, async || 1, free());
            cx.ferry_to(key, ());
        }
        let join = async |parts: Vec<u32>| parts.len();
        cx.add_func_as_worker("join", join, after(keys).merge().output());
    };
    automa.add_func_as_worker("split", split, start()).unwrap();
    automa
}

/// [S18]
#[tokio::test]
async fn a_fan_out_to_nobody_joins_at_once() {
    expect![[r#"
        step 1: split (start) () → null
        step 2: join (dependencies) ([]) → 0
        output: 0
    "#]]
    .assert_eq(&trace(&fan_out(0), ()).await);
    assert_eq!(fan_out(2).run(()).output::<usize>().await.unwrap(), 2);
}

/// [S1] [S18] [A1] A declared one runs in the first step, without the arguments of the run; it
/// is no part of what a worker with an empty place in the graph is.
#[tokio::test]
async fn a_declared_worker_after_nobody_runs_in_the_first_step() {
    let none: [&str; 0] = [];
    let mut automa = GraphAutoma::new("declared");
    let join = async |parts: Vec<u32>| parts.len();
    automa.add_func_as_worker("join", join, after(none).merge().after_loops()).unwrap();
    automa.add_func_as_worker("begin", async |x: u32| x, start().after(none)).unwrap();
    add(&mut automa, "free", free());
    add(&mut automa, "next", after(["join", "begin"]));
    expect![[r#"
        step 1: join (dependencies) ([]) → 0
        step 1: begin (start) (7) → 7
        step 2: next (dependencies) () → "next"
        output: null
    "#]]
    .assert_eq(&trace(&automa, args!(7)).await);
    // The same in an automa in another one.
    let mut outer = GraphAutoma::new("outer");
    let mut inner = GraphAutoma::new("inner");
    inner.add_func_as_worker("join", join, after(none).merge().output()).unwrap();
    outer.add_worker("inner", inner, start().output()).unwrap();
    assert_eq!(outer.run(()).output::<usize>().await.unwrap(), 0);
}

/// [S6] [S18] [E3] [E7] What the step leaves of the dependencies counts.
#[tokio::test]
async fn a_join_of_nobody_waits_for_what_the_same_step_adds() {
    let mut automa = GraphAutoma::new("same step");
    let none: [&str; 0] = [];
    let edit = move |cx: Context| async move {
        cx.ferry_to("part", ());
        for key in ["alone", "removed", "waits"] {
            cx.add_func_as_worker(key, async |all: Vec<String>| all, after(none).merge());
        }
        // It was declared to follow somebody, whom it loses: that triggers nobody.
        cx.add_func_as_worker("orphan", async || (), after(["part"]).suppressed());
        cx.remove_dependency("orphan", "part");
        cx.add_dependency("waits", "part");
        cx.remove_worker("removed");
    };
    automa.add_func_as_worker("edit", edit, start()).unwrap();
    add(&mut automa, "part", free());
    add(&mut automa, "next", after(["edit"]));
    expect![[r#"
        step 1: edit (start) () → null
        step 2: part (ferry by `edit`) () → "part"
        step 2: alone (dependencies) ([]) → []
        step 2: next (dependencies) () → "next"
        step 3: waits (dependencies) (["part"]) → ["part"]
        output: null
    "#]]
    .assert_eq(&trace(&automa, ()).await);
}

/// [S18] [Q3] [Q12] A question holds it back, and edits count meanwhile; also when the run is saved.
#[tokio::test]
async fn a_question_holds_a_join_of_nobody_back() {
    for late in [false, true] {
        let mut automa = GraphAutoma::new("held");
        let ask = async |cx: Context| -> Result<(), WorkerError> {
            if cx.interact_with_human::<bool>("more?".to_owned())? {
                cx.add_dependency("join", "part");
                cx.ferry_to("part", ());
            }
            Ok(())
        };
        automa.add_func_as_worker("ask", ask, start()).unwrap();
        add(&mut automa, "part", free());
        let join = async |all: Vec<String>| all;
        automa.declare_func("join", join, free()).unwrap();
        let split = async |cx: Context| {
            let none: [&str; 0] = [];
            cx.add_func_as_worker("join", Key::from("join"), after(none).merge().output());
        };
        automa.add_func_as_worker("split", split, start()).unwrap();

        let paused = automa.run(()).await.unwrap();
        assert_eq!((paused.questions().len(), paused.steps()), (1, 1));
        let answered = read_again(&paused.answer_with(|_| late).unwrap());
        let outcome = automa.resume(answered).await.unwrap();
        let expected = if late { vec!["part".to_owned()] } else { Vec::new() };
        assert_eq!(outcome.steps(), if late { 3 } else { 2 });
        assert_eq!(outcome.into_output::<Vec<String>>().unwrap(), expected);
    }
}
