//! A graph that has grown while it ran is the graph that could have been declared: the same keys
//! and dependencies, the same runs. What could not be declared is refused, and who asked for it is
//! named.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use ddg_core::{EditError, FailureKind, Fault, KickoffId};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::reference::engine::{called_with, failure, graph, options, view};
use crate::reference::{Ask, Graph, Kind, Mapping, Takes, Worker, digest, failed};

/// A change as it is drawn; the numbers choose among the keys that there are.
#[derive(Clone, Debug)]
enum Wish {
    Add { key: usize, on: Vec<usize>, in_order: bool },
    Remove(usize),
    AddDependency(usize, usize),
    RemoveDependency(usize, usize),
}

fn wish() -> impl Strategy<Value = Wish> {
    let n = || 0..1000_usize;
    prop_oneof![
        4 => (n(), vec(n(), 0..4), prop::bool::weighted(0.2))
            .prop_map(|(key, on, in_order)| Wish::Add { key, on, in_order }),
        2 => n().prop_map(Wish::Remove),
        3 => (n(), n()).prop_map(|(worker, on)| Wish::AddDependency(worker, on)),
        2 => (n(), n()).prop_map(|(worker, on)| Wish::RemoveDependency(worker, on)),
    ]
}

impl Wish {
    /// What it asks for in `graph`, where `root` stays and nobody depends on the editors.
    fn ask(&self, graph: &Graph) -> Ask {
        let keys: Vec<_> = graph.keys().into_iter().filter(|key| !is_editor(key)).collect();
        let key = |place: &usize| match place % 40 {
            0 => "ghost".to_owned(),
            _ => keys[place % keys.len()].clone(),
        };
        match self {
            Self::Add { key: place, on, in_order } => {
                let mut on: Vec<_> = on.iter().map(key).collect();
                on.sort_unstable();
                on.dedup();
                let mut new = worker(format!("x{}", place % 8), on);
                new.in_order = *in_order;
                Ask::Add(new)
            }
            Self::Remove(place) => Ask::Remove(match key(place) {
                root if root == "root" => "ghost".to_owned(),
                key => key,
            }),
            Self::AddDependency(worker, on) => Ask::AddDependency(key(worker), key(on)),
            Self::RemoveDependency(worker, on) => {
                let worker = key(worker);
                let on = match graph.find(&worker).map(|placed| &placed.worker.dependencies) {
                    Some(there) if !there.is_empty() => there[on % there.len()].clone(),
                    _ => key(on),
                };
                Ask::RemoveDependency(worker, on)
            }
        }
    }
}

fn is_editor(key: &str) -> bool {
    key.starts_with("editor")
}

fn worker(key: impl Into<String>, dependencies: Vec<String>) -> Worker {
    Worker {
        key: key.into(),
        dependencies,
        start: false,
        output: false,
        mapping: Mapping::AsIs,
        in_order: false,
        takes: Takes::Anything,
        kind: Kind::Own,
        from: None,
    }
}

/// The editors, which run first, and `root`, to which they ferry.
fn seedling(n_editors: usize) -> Graph {
    let editor = |place| Worker { start: true, ..worker(format!("editor{place}"), Vec::new()) };
    Graph::new((0..n_editors).map(editor).chain([worker("root", Vec::new())]))
}

/// Turns `wishes` into changes of `graph` that can be made, and makes them.
fn granted(graph: &mut Graph, wishes: &[Wish]) -> Vec<Ask> {
    let mut asks = Vec::new();
    let before = graph.clone();
    for wish in wishes {
        asks.push(wish.ask(graph));
        match before.edited(&asks) {
            Ok(edited) => *graph = edited,
            Err(_) => _ = asks.pop(),
        }
    }
    asks
}

/// Makes real automata of graphs and remembers what their workers are called with.
#[derive(Clone, Default)]
struct Stage {
    /// What the editors ask for, by step and editor.
    changes: Arc<Vec<Vec<Vec<Ask>>>>,
    kickoffs: Arc<Mutex<BTreeMap<KickoffId, (u64, String)>>>,
}

/// In its n-th step an editor asks for its n-th list of changes; the first editor ferries to all
/// of them until no changes are left, then to `root`.
struct Editor(Stage, usize);

/// A worker that gives a number in which its arguments show, or one for each successor.
struct Plain(Stage, bool);

impl Stage {
    fn new(changes: Vec<Vec<Vec<Ask>>>) -> Self {
        Self { changes: Arc::new(changes), ..Self::default() }
    }

    fn worker(&self, worker: &Worker) -> AnyWorker {
        match worker.key.strip_prefix("editor") {
            Some(place) => AnyWorker::new(Editor(self.clone(), place.parse().unwrap())),
            None => AnyWorker::new(Plain(self.clone(), worker.in_order)),
        }
    }

    fn declare(&self, graph: &Graph) -> GraphAutoma {
        let mut automa = GraphAutoma::new("growing");
        // Only a cycle that was let in takes that many.
        automa.set_max_steps(200);
        for placed in &graph.workers {
            let worker = &placed.worker;
            automa.add_worker(&worker.key, self.worker(worker), options(worker)).unwrap();
        }
        automa
    }

    /// Runs `automa` from the `first` change on. Gives each kickoff after the last change, with its
    /// step counted from there, and the last output of every worker.
    async fn run(&self, automa: &GraphAutoma, first: usize) -> Result<Ended, RunError> {
        let outcome = automa.outcome((first,)).await?;
        let kickoffs = std::mem::take(&mut *self.kickoffs.lock().unwrap());
        let began = kickoffs.values().next().map_or(0, |(step, _)| *step);
        let kickoffs =
            kickoffs.into_values().map(|(step, line)| format!("{}: {line}", step - began));
        let output = |key: &ddg_core::Key| {
            let output = outcome.automa().output(key.as_str());
            (!is_editor(key.as_str())).then(|| format!("{key} gave {output:?}"))
        };
        let outputs = outcome.automa().keys().iter().filter_map(output).collect();
        Ok(Ended { kickoffs: kickoffs.collect(), outputs, outcome })
    }
}

struct Ended {
    kickoffs: Vec<String>,
    outputs: Vec<String>,
    outcome: Outcome,
}

impl ddg_core::Worker for Editor {
    type Output = ();

    async fn run(&self, args: Args, cx: &Context) -> Result<(), WorkerError> {
        let Self(stage, place) = self;
        let turn: usize = args.get(0)?;
        let changes = stage.changes.get(turn);
        for ask in changes.and_then(|changes| changes.get(*place)).into_iter().flatten() {
            match ask {
                Ask::Ferry { .. } => unreachable!("no change"),
                Ask::Add(worker) => {
                    cx.add_worker(&worker.key, stage.worker(worker), options(worker));
                }
                Ask::Remove(key) => cx.remove_worker(key),
                Ask::AddDependency(worker, on) => cx.add_dependency(worker, on),
                Ask::RemoveDependency(worker, on) => cx.remove_dependency(worker, on),
            }
        }
        if *place == 0 {
            match changes {
                None => cx.ferry_to("root", (7,)),
                Some(changes) => {
                    let all = 0..changes.len().max(1);
                    all.for_each(|editor| cx.ferry_to(format!("editor{editor}"), (turn + 1,)));
                }
            }
        }
        Ok(())
    }
}

impl ddg_core::Worker for Plain {
    type Output = Value;

    async fn run(&self, args: Args, cx: &Context) -> Result<Value, WorkerError> {
        let Self(stage, in_order) = self;
        let called = called_with(&args);
        let line = format!("{} ({}) {called}", cx.key(), cx.cause());
        stage.kickoffs.lock().unwrap().insert(cx.kickoff_id(), (cx.step(), line));
        let number = digest(cx.key().as_str(), &called);
        if !in_order {
            return Ok(Value::new(number));
        }
        let automa = cx.automa();
        let keys = automa.keys();
        let depends = |key: &&ddg_core::Key| {
            automa.dependencies(key.as_str()).is_some_and(|on| on.contains(cx.key()))
        };
        let n_successors = keys.iter().filter(depends).count() as i64;
        Ok(Value::new((0..n_successors).map(|place| number + place).collect::<Vec<_>>()))
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    /// [R4] [S6] [E2] [E3] [A7] The run goes on after its changes as a run of the graph that is
    /// declared from scratch does, and so does a run of the graph that it hands out.
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

    /// [E2] [E8] Whatever several workers ask for in one step, it is made as a whole, or the first
    /// that could not be declared is refused and laid to whom asked; the declared graph is as
    /// before.
    #[test]
    fn what_could_not_be_declared_is_refused(
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

/// An automa in which `edit` runs first and asks for a change.
fn edited_by(edit: impl Fn(&Context) + Send + Sync + 'static) -> GraphAutoma {
    let mut automa = GraphAutoma::new("edited");
    automa.add_func_as_worker("edit", move |cx: Context| edit(&cx), start().inline()).unwrap();
    automa
}

/// [R4] [S1] Who is added later comes later, also where somebody was removed before.
#[tokio::test]
async fn a_removed_workers_place_in_the_order_is_not_taken() {
    let automa = edited_by(|cx| {
        match cx.step() {
            1 => {
                cx.add_func_as_worker("first", async || (), free());
                cx.add_func_as_worker("second", async || (), start());
            }
            2 => cx.remove_worker("first"),
            3 => cx.add_func_as_worker("third", async || (), start()),
            _ => return,
        }
        cx.ferry_to("edit", ());
    });
    let outcome = automa.outcome(()).await.unwrap();
    assert_eq!(graph(&outcome.graph()), "edit; second; third");
}

/// [R4] [S6] [A7] Successors are dealt to in the order in which they were declared, whichever
/// came to depend first.
#[tokio::test]
async fn successors_keep_their_order() {
    let mut automa = edited_by(|cx| {
        if cx.step() == 1 {
            cx.add_dependency("older", "dealer");
            cx.ferry_to("edit", ());
        } else {
            cx.ferry_to("dealer", ());
        }
    });
    automa.add_func_as_worker("dealer", async || vec![1, 2], free().in_order()).unwrap();
    automa.add_func_as_worker("older", async |x: i32| x, free()).unwrap();
    automa.add_func_as_worker("younger", async |x: i32| x, after(["dealer"])).unwrap();
    let outcome = automa.outcome(()).await.unwrap();
    let output = |key| outcome.automa().output(key).unwrap().get::<i32>().unwrap();
    assert_eq!((output("older"), output("younger")), (1, 2));
}

/// [E2] [E8] Of two workers that each ask for a dependency where there is room for one, the second
/// asks for too much.
#[tokio::test]
async fn who_asks_for_one_too_many_is_named() {
    let mut automa = GraphAutoma::new("crowded");
    automa.add_func_as_worker("one", async || 1, free()).unwrap();
    automa.add_func_as_worker("two", async || 2, free()).unwrap();
    automa.add_func_as_worker("taker", async |x: i32| x, free()).unwrap();
    for (asker, on) in [("asks", "one"), ("asks_too", "two")] {
        let function = move |cx: Context| cx.add_dependency("taker", on);
        automa.add_func_as_worker(asker, function, start().inline()).unwrap();
    }
    let error = automa.outcome(()).await.unwrap_err();
    let RunError::Step(step) = error else { panic!("{error}") };
    let failures: Vec<_> = step.failures.iter().map(failure).collect();
    let why = "taker has too many dependencies".to_owned();
    assert_eq!(failures, [("asks_too".to_owned(), why)]);
}

/// [E8] A change that leaves a graph that could not be declared is refused.
#[tokio::test]
async fn what_a_removal_leaves_could_be_declared() {
    let removals: [fn(&Context); 4] = [
        |cx| cx.remove_dependency("shout", "number"),
        |cx| cx.remove_worker("number"),
        |cx| cx.remove_dependency("spread", "list"),
        |cx| cx.remove_worker("list"),
    ];
    for (place, removal) in removals.into_iter().enumerate() {
        let mut automa = edited_by(removal);
        automa.add_func_as_worker("number", async || 2, free()).unwrap();
        automa.add_func_as_worker("text", async || "ho".to_owned(), free()).unwrap();
        let shout = async |n: usize, text: String| text.repeat(n);
        automa.add_func_as_worker("shout", shout, after(["number", "text"])).unwrap();
        automa.add_func_as_worker("list", async || vec![1, 2], free()).unwrap();
        let spread = async |a: i32, b: i32| a + b;
        automa.add_func_as_worker("spread", spread, after(["list"]).unpack()).unwrap();
        if let Ok(outcome) = automa.outcome(()).await {
            let left = outcome.graph().validate();
            assert!(left.is_ok(), "removal {place}: {}", left.unwrap_err());
        }
    }
}
