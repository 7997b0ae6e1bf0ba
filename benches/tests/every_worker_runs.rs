//! What is timed is the whole workload: no worker is left out.

use std::sync::Arc;

use benches::ddg::{build, fixed, grow, jumps, many, payload};
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
