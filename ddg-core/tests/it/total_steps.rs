//! A limit of the steps of a run together with everything inside it.

use ddg_core::checkpoint::{MemoryStore, RunStatus, StoredRuns};
use ddg_core::prelude::*;
use ddg_core::run::RunBuilder;
use ddg_core::snapshot::Snapshot;
use expect_test::expect;

use crate::trace::add;

/// An automa that takes `n` steps, one worker after the other.
fn chain(name: &str, n: u32) -> GraphAutoma {
    let mut automa = GraphAutoma::new(name);
    add(&mut automa, "1", start());
    for place in 2..=n {
        add(&mut automa, &place.to_string(), after([(place - 1).to_string()]));
    }
    automa
}

/// Four steps, with three in each of the automata in the second: ten.
fn ten() -> GraphAutoma {
    let mut automa = chain("ten", 4);
    let mut middle = GraphAutoma::new("middle");
    // Two of these, and one around them.
    middle.add_worker("inner", chain("inner", 2), start()).unwrap();
    automa.add_worker("middle", middle, after(["1"]).suppressed()).unwrap();
    automa.add_worker("beside", chain("beside", 3), after(["1"]).suppressed()).unwrap();
    automa
}

async fn error(run: RunBuilder) -> String {
    run.await.unwrap_err().to_string()
}

/// Fails at the limit of `n` steps.
async fn reaches(n: u64, run: RunBuilder) {
    let error = error(run.max_total_steps(n)).await;
    let limit = format!("reached the limit of steps of the whole run, {n}, with");
    assert!(error.contains(&limit), "{n}: {error}");
}

/// [S19] The limit of the automa counts its own steps only.
#[tokio::test]
async fn steps_at_any_depth_are_counted_together() {
    let mut automa = ten();
    automa.set_max_steps(4);
    for pace in [Pace::Lockstep, Pace::Rolling] {
        automa.run(()).pace(pace).max_total_steps(10).await.unwrap();
        for n in 0..10 {
            reaches(n, automa.run(()).pace(pace)).await;
        }
    }
    expect!["automa `ten`: reached the limit of steps of the whole run, 0, with `1` still ready"]
        .assert_eq(&error(automa.run(()).max_total_steps(0)).await);
    expect![[r#"
        automa `ten`, step 2: 2 failures
        - worker `middle` failed: automa `middle`, step 1: worker `middle/inner` failed: automa `inner`: reached the limit of steps of the whole run, 3, with `1` still ready
        - worker `beside` failed: automa `beside`: reached the limit of steps of the whole run, 3, with `1` still ready"#]]
        .assert_eq(&error(automa.run(()).max_total_steps(3)).await);
}

/// [S19] An automa that loops alone, so that the loop takes the fast path.
#[tokio::test]
async fn a_loop_ends_at_the_limit() {
    let mut inner = GraphAutoma::new("inner");
    let again = async |cx: Context| cx.ferry_to("again", ());
    inner.add_func_as_worker("again", again, start()).unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", inner, start().retry(Retry::times(3))).unwrap();
    outer.set_max_steps(100);
    // No attempt of the nested automa takes another step.
    expect!["automa `outer`, step 1: worker `inner` failed: automa `inner`: reached the limit of steps of the whole run, 100, with `again` still ready"]
    .assert_eq(&error(outer.run(()).max_total_steps(100)).await);
}

/// [S19] [Q2] A repeated step is no further one, and the count is part of the saved state.
#[tokio::test]
async fn a_resumed_run_continues_the_count() {
    let mut automa = ten();
    let ask = async |cx: Context| cx.interact_with_human::<bool>("more?".to_owned()).map(drop);
    automa.add_func_as_worker("ask", ask, after(["middle", "beside"]).suppressed()).unwrap();
    add(&mut automa, "last", after(["ask"]));
    let answered = async |run: RunBuilder| -> String {
        let paused = run.await.unwrap();
        assert_eq!((paused.questions().len(), paused.steps()), (1, 3));
        serde_json::to_string(&paused.answer_with(|_| true).unwrap()).unwrap()
    };
    let resume = |text: &str| automa.resume(serde_json::from_str::<Snapshot>(text).unwrap());
    // Nine steps before the answer, and one after it.
    let counted = answered(automa.run(()).max_total_steps(9)).await;
    resume(&counted).max_total_steps(10).await.unwrap();
    reaches(9, resume(&counted)).await;
    resume(&counted).await.unwrap();
    // If the run had no limit, only the steps of the outermost automa are known.
    let uncounted = answered(automa.run(())).await;
    resume(&uncounted).max_total_steps(4).await.unwrap();
    reaches(3, resume(&uncounted)).await;
}

/// [S19] [X5]
#[tokio::test]
async fn a_stored_run_that_reached_its_limit_continues_with_a_higher_one() {
    let (automa, store) = (ten(), MemoryStore::new());
    let run = || automa.run(()).stored_in(&store, "a");
    reaches(8, run()).await;
    let record = StoredRuns::new(&store).record("a").await.unwrap();
    assert_eq!(record.status, RunStatus::Failed);
    // The automata in the second step continue, and are not counted again.
    reaches(9, run()).await;
    run().max_total_steps(10).await.unwrap();
}

/// [S19] [N6] Each of the limits counts the steps of a run inside another.
#[tokio::test]
async fn runs_inside_count_as_well() {
    let mut outer = GraphAutoma::new("outer");
    let call = async |cx: Context| cx.call(chain("part", 3).run(())).await.map(drop);
    outer.add_func_as_worker("call", call, start()).unwrap();
    outer.run(()).max_total_steps(4).await.unwrap();
    let error = error(outer.run(()).max_total_steps(3)).await;
    assert!(error.contains("automa `part`: reached the limit"), "{error}");

    let mut outer = GraphAutoma::new("outer");
    let call = async |cx: Context| {
        let run = chain("part", 3).run(()).max_total_steps(2);
        cx.call(run).await.map(drop)
    };
    outer.add_func_as_worker("call", call, start()).unwrap();
    let error = outer.run(()).max_total_steps(9).await.unwrap_err().to_string();
    assert!(error.contains("automa `part`: reached the limit"), "{error}");
}
