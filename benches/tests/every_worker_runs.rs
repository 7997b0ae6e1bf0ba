//! What is timed is the whole workload: no worker is left out.

use std::sync::Arc;

use benches::ddg::{build, fixed, grow, jumps, many, payload, wide};
use benches::gate::Gate;
use benches::shape::{Shape, Work};
use benches::workload::{computing_fan, fan_spread, uneven};
use ddg_core::prelude::*;

#[track_caller]
fn check(outcome: &Outcome, steps: u64) {
    assert_eq!(outcome.steps(), steps);
    assert!(outcome.waiting().is_empty(), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn of_fixed_shapes() {
    for (shape, steps) in [
        (Shape::chain(9), 9),
        (Shape::fan(7), 3),
        (fan_spread(7), 3),
        (computing_fan(2), 3),
        (Shape::tree(15), 4),
        (Shape::layers(3, 4), 3),
        (Shape::layers(3, 4).reading(), 3),
        (uneven(4, 3), 3),
    ] {
        check(&fixed::automa(&shape).unwrap().run(()).await.unwrap(), steps);
    }
}

#[test]
fn a_fan_spread_yields_but_for_its_first_and_last() {
    let shape = fan_spread(3);
    assert_eq!(shape.work, [Work::Nothing, Work::Yield, Work::Yield, Work::Yield, Work::Nothing]);
}

#[tokio::test]
async fn of_changing_graphs() {
    check(&jumps::automa().unwrap().run((10_u64,)).await.unwrap(), 10);
    let outcome = grow::automa(2, 5).unwrap().run((4_u64,)).await.unwrap();
    assert_eq!(outcome.steps(), 4 * 3);
    assert_eq!(outcome.automa().keys(), ["plan", "bystander 0", "bystander 1"]);
}

#[tokio::test]
async fn of_payloads() {
    check(&payload::chain(5, 9).unwrap().run(()).await.unwrap(), 5);
    check(&payload::moved(5, 9).unwrap().run(()).await.unwrap(), 5);
    let outcome = payload::fan(4, 9).unwrap().run(()).await.unwrap();
    assert_eq!(outcome.automa().output("last").unwrap().get::<u64>().unwrap(), 4 * 9);
}

#[tokio::test]
async fn of_a_row_of_numbers() {
    let outcome = payload::numbers(7).unwrap().run(()).await.unwrap();
    check(&outcome, 7);
    assert_eq!(outcome.automa().output("6").unwrap().get::<u64>().unwrap(), 7);
}

#[tokio::test]
async fn of_one_step_of_many() {
    check(&wide::kickoffs(6).unwrap().run(()).await.unwrap(), 1);
    check(&wide::ferries(6).unwrap().run(()).await.unwrap(), 2);
    let asked = wide::questions(6).unwrap().run(()).await.unwrap();
    assert_eq!((asked.steps(), asked.questions().len()), (1, 6));
    let swept = wide::removals(6).unwrap().run(()).await.unwrap();
    check(&swept, 2);
    assert_eq!(swept.automa().keys(), ["deal", "before", "sweep"]);
}

#[tokio::test]
async fn and_every_question_is_answered() {
    let (mut paused, ids) = wide::asked(6).unwrap();
    assert_eq!(ids.len(), 6);
    for id in &ids {
        paused.answer(id, true).unwrap();
    }
    let answered = wide::questions(6).unwrap().resume(paused).await.unwrap();
    check(&answered, 1);
}

#[tokio::test]
async fn of_parked_runs_after_the_gate() {
    let gate = Arc::new(Gate::new(1));
    let automa = many::automa(4, &gate).unwrap();
    for _ in 0..2 {
        let (outcome, ()) = tokio::join!(automa.run(()).outcome(), gate.open());
        check(&outcome.unwrap(), 4);
    }
}

#[tokio::test]
async fn but_a_built_graph_stops_after_its_first() {
    let outcome = build::declare(&Shape::random(20, 2)).unwrap().run(()).await.unwrap();
    assert!(outcome.stopped());
    assert_eq!(outcome.steps(), 1);
}
