//! A graph that has grown at run time equals one declared from scratch: the same keys, dependencies
//! and runs. A graph that could not be declared is refused, with the name of the worker behind it.

mod cases;
mod stage;
mod wish;

use ddg_core::graph::{EditError, Fault};
use ddg_core::prelude::*;
use ddg_core::run::FailureKind;
use proptest::collection::vec;
use proptest::prelude::*;

use self::stage::Stage;
use self::wish::{granted, seedling, wish, worker};
use crate::reference::engine::{failure, graph, view};
use crate::reference::{Ask, Graph, Worker, failed};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    /// [R4] [S6] [E2] [E3] [A7] After its edits, the run continues like a run of the same graph
    /// declared from scratch. So does a run of the graph that it returns.
    #[test]
    fn a_grown_graph_runs_like_a_declared_one(
        first in vec(wish(), 0..12),
        wishes in vec(vec(wish(), 1..6), 1..8),
    ) {
        let mut grown = seedling(1);
        granted(&mut grown, &first);
        let declared = grown.clone();
        let changes: Vec<_> =
            wishes.iter().map(|wishes| vec![granted(&mut grown, wishes)]).collect();
        let n = changes.len();
        let stage = Stage::new(changes);
        let (ended, rebuilt, again) = block_on(async {
            let ended = stage.run(&stage.declare(&declared), 0).await.unwrap();
            let rebuilt = stage.run(&stage.declare(&grown), n).await.unwrap();
            let again = stage.run(&ended.outcome.graph(), n).await.unwrap();
            (ended, rebuilt, again)
        });
        prop_assert_eq!(graph(&ended.outcome.graph()), grown.to_string());
        prop_assert_eq!(view(&ended.outcome.automa()), grown.to_string());
        for other in [rebuilt, again] {
            prop_assert_eq!(&ended.kickoffs, &other.kickoffs);
            prop_assert_eq!(&ended.outputs, &other.outputs);
            prop_assert_eq!(ended.outcome.waiting(), other.outcome.waiting());
        }
    }

    /// [E2] [E8] The edits of several workers in one step are applied as a whole. Otherwise the
    /// first impossible edit is refused with the name of its worker, and the declared graph is
    /// unchanged.
    #[test]
    fn edits_that_could_not_be_declared_are_refused(
        first in vec(wish(), 0..8),
        wishes in vec(vec(wish(), 0..4), 3),
    ) {
        let mut declared = seedling(3);
        granted(&mut declared, &first);
        let changes: Vec<Vec<Ask>> = wishes
            .iter()
            .map(|wishes| wishes.iter().map(|wish| wish.ask(&declared)).collect())
            .collect();
        let expected = match declared.edited(&changes.concat()) {
            Ok(grown) => Ok(grown.to_string()),
            Err((place, why)) => {
                let askers = changes.iter().enumerate();
                let askers: Vec<_> =
                    askers.flat_map(|(editor, asks)| asks.iter().map(move |_| editor)).collect();
                Err(failed(1, &[(format!("editor{}", askers[place]), why)]))
            }
        };
        let stage = Stage::new(vec![changes]);
        let automa = stage.declare(&declared);
        let ended = block_on(stage.run(&automa, 0));
        let next = block_on(stage.run(&automa, 1));
        let seen = match ended {
            Ok(ended) => Ok(graph(&ended.outcome.graph())),
            Err(RunError::Step(step)) => {
                Err(failed(step.step, &step.failures.iter().map(failure).collect::<Vec<_>>()))
            }
            Err(other) => panic!("{other}"),
        };
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(graph(&next.unwrap().outcome.graph()), declared.to_string());
    }

    /// [G1] [E8] A dependency is refused exactly if with it the graph, looked through from
    /// scratch, has a cycle; and the cycle that the error names is there.
    #[test]
    fn a_cycle_is_found_when_it_closes(
        (order, edges) in (2..14_usize).prop_flat_map(|n| {
            let order = Just((0..n).collect::<Vec<_>>()).prop_shuffle();
            let edge = (0..n, 0..n, prop::bool::weighted(0.03), prop::bool::weighted(0.15));
            (order, vec(edge, 1..60))
        }),
        n_together in 0..30_usize,
        at_once in 1..8_usize,
    ) {
        let declared = seedling(1);
        let edges: Vec<_> = edges
            .iter()
            .map(|(one, other, backwards, again)| {
                let (low, high) = (order[*one.min(other)], order[*one.max(other)]);
                let (worker, on) = if *backwards { (low, high) } else { (high, low) };
                (format!("w{worker}"), format!("w{on}"), *again)
            })
            .collect();
        let (together, later) = edges.split_at(n_together.min(edges.len()));
        let mut transactions = vec![added_together(order.len(), together)];
        transactions.extend(later.chunks(at_once).map(linked));
        let (changes, before, refused) = until_a_cycle(&declared, transactions);
        let n_steps = changes.len() as u64;
        let stage = Stage::new(changes.into_iter().map(|asks| vec![asks]).collect());
        match (block_on(stage.run(&stage.declare(&declared), 0)), refused) {
            (Ok(ended), None) => {
                prop_assert_eq!(graph(&ended.outcome.graph()), before.to_string());
            }
            (Err(RunError::Step(step)), Some(links)) => {
                prop_assert_eq!(step.step, n_steps);
                let FailureKind::Edit(EditError::Fault(Fault::Cycle { keys })) =
                    &step.failures[0].kind
                else {
                    panic!("{step}")
                };
                prop_assert!(keys.len() > 1);
                for (place, key) in keys.iter().enumerate() {
                    let on = &keys[(place + keys.len() - 1) % keys.len()];
                    let link = (key.to_string(), on.to_string());
                    prop_assert!(links.contains(&link), "{key} does not depend on {on}: {step}");
                }
            }
            (Ok(_), Some(_)) => panic!("a cycle was let in"),
            (Err(error), refused) => panic!("{error}, expected {refused:?}"),
        }
    }
}

/// Adds workers with the `edges` between them, all at once; some before what they depend on.
fn added_together(n_workers: usize, edges: &[(String, String, bool)]) -> Vec<Vec<Ask>> {
    let add = |place| {
        let key = format!("w{place}");
        let on = edges.iter().filter(|(worker, on, _)| *worker == key && worker != on);
        let mut on: Vec<_> = on.map(|(_, on, _)| on.clone()).collect();
        on.sort_unstable();
        on.dedup();
        Ask::Add(worker(key, on))
    };
    vec![(0..n_workers).map(add).collect()]
}

/// Adds `edges`; some of them put a new worker without edges in place of one.
fn linked(edges: &[(String, String, bool)]) -> Vec<Vec<Ask>> {
    let ask = |(key, on, again): &(String, String, bool)| match again {
        true => vec![Ask::Remove(on.clone()), Ask::Add(worker(on.clone(), Vec::new()))],
        false => vec![Ask::AddDependency(key.clone(), on.clone())],
    };
    edges.iter().map(ask).collect()
}

/// Who depends on whom.
type Links = Vec<(String, String)>;

/// What can be made of `transactions` in `graph`, up to the first cycle: what each asks for, the
/// graph after the last that was made, and the dependencies of the one that has a cycle.
fn until_a_cycle(
    graph: &Graph,
    transactions: Vec<Vec<Vec<Ask>>>,
) -> (Vec<Vec<Ask>>, Graph, Option<Links>) {
    let mut graph = graph.clone();
    let mut changes = Vec::new();
    for transaction in transactions {
        let mut asks = Vec::new();
        for more in transaction {
            let n_before = asks.len();
            asks.extend(more);
            match graph.edited(&asks) {
                Ok(_) => {}
                Err((_, why)) if why == "cycle" => {
                    let there = graph.workers.iter().map(|placed| &placed.worker);
                    let added = asks.iter().filter_map(|ask| match ask {
                        Ask::Add(worker) => Some(worker),
                        _ => None,
                    });
                    let on = |worker: &Worker| {
                        let key = worker.key.clone();
                        let on = worker.dependencies.clone().into_iter();
                        on.map(move |on| (key.clone(), on)).collect::<Links>()
                    };
                    let mut links: Links = there.chain(added).flat_map(on).collect();
                    links.extend(asks.iter().filter_map(|ask| match ask {
                        Ask::AddDependency(worker, on) => Some((worker.clone(), on.clone())),
                        _ => None,
                    }));
                    changes.push(asks);
                    return (changes, graph, Some(links));
                }
                Err(_) => asks.truncate(n_before),
            }
        }
        graph = graph.edited(&asks).unwrap();
        changes.push(asks);
    }
    (changes, graph, None)
}
