//! Random programs. The reference runs during the generation, so that most effects of a worker are
//! possible when they occur.

use serde_json::json;

use super::Dice;
use crate::reference::{
    Ask, Called, Gives, Graph, Kind, Mapping, Placed, Program, Run, Takes, Turn, Worker, most_taken,
};

/// What programs have beside jumps and changes of the graph.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Flavour {
    pub(crate) rolling: bool,
    pub(crate) questions: Option<Questions>,
    pub(crate) stops: bool,
    pub(crate) failed_attempts: bool,
    /// Whether many workers are removed and added again under one key.
    pub(crate) replaced: bool,
    /// Whether some workers are functions without a context, and some follow the same workers as
    /// the one declared before.
    pub(crate) plain: bool,
    /// Of 100 workers, how many ask for nothing, so that more comes of the graph.
    pub(crate) calm: usize,
}

/// Who asks questions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Questions {
    Anybody,
    /// A worker that asks is the last of its step and has no other effects, or all workers of the
    /// step ask. Then the program does the same as without questions.
    Last,
}

/// The program of a seed.
pub(crate) fn program(seed: u64) -> Program {
    flavoured(seed, Flavour::default())
}

/// A program of a flavour.
pub(crate) fn flavoured(seed: u64, flavour: Flavour) -> Program {
    let mut dice = Dice::new(seed);
    let graph = initial_graph(&mut dice);
    let is_chain = flavour.calm > 0 && dice.chance(30);
    let (graph, flavour) = match (flavour.plain, is_chain) {
        (false, _) => (graph, flavour),
        (true, false) => (with_plain(graph, true, &mut dice), flavour),
        (true, true) => {
            let graph = with_plain(chain(&graph), false, &mut dice);
            (graph, Flavour { calm: 95, ..flavour })
        }
    };
    of_graph(graph, flavour, seed, &mut dice)
}

/// A program that runs within another one: the graph as it is declared, what is changed about it
/// from outside before it runs, and the program of the changed graph.
pub(crate) fn nested(seed: u64, flavour: Flavour) -> (Graph, Vec<Ask>, Program) {
    let mut dice = Dice::new(seed);
    let declared = initial_graph(&mut dice);
    let declared = if flavour.plain { with_plain(declared, true, &mut dice) } else { declared };
    let (mut changed, mut changes) = (declared.clone(), Vec::new());
    for _ in 0..dice.below(5) {
        let some = vec![declared.keys()[0].clone()];
        let asks = asks(&changed, &some, true, &mut dice);
        let is_change = asks.iter().all(|ask| !matches!(ask, Ask::Ferry { .. }));
        let all: Vec<_> = changes.iter().chain(&asks).cloned().collect();
        if is_change && let Ok(edited) = declared.edited(&all) {
            (changed, changes) = (edited, all);
        }
    }
    let mut program = of_graph(changed, flavour, seed, &mut dice);
    program.nested = true;
    (declared, changes, program)
}

fn of_graph(graph: Graph, flavour: Flavour, seed: u64, dice: &mut Dice) -> Program {
    let by_name = (0..3).filter(|_| dice.chance(20)).collect::<Vec<_>>();
    let by_name = by_name.into_iter().map(|place| (format!("p{place}"), json!(1000 + place)));
    let by_position = match dice.below(60) {
        0 => Vec::new(),
        1 => vec![json!([1, 2])],
        2 => vec![json!({ "p0": 1 })],
        3 | 4 => vec![json!(1), json!(2)],
        5 => vec![json!(1), json!(2), json!(3)],
        _ => vec![json!(1)],
    };
    let input = Called { by_position, by_name: by_name.collect() };
    let mut program = Program {
        graph,
        input,
        nested: false,
        max_steps: 5 + dice.below(20) as u64,
        rolling: flavour.rolling.then_some(seed),
        counts: false,
        script: std::collections::BTreeMap::new(),
    };
    if dice.chance(90) {
        program.input.by_position.truncate(most_taken(&program));
    }
    write_script(&mut program, flavour, dice);
    program
}

/// How many kickoffs a program may have, more if it has many workers.
const KICKOFFS: usize = 120;

/// The same of those that are played in several lives.
const KICKOFFS_OF_LIVES: usize = 40;

/// From how many workers on a program is one of those with [`widen`]ed graphs.
const WIDE: usize = 60;

/// Writes what happens, step by step, until the run is over or long enough.
fn write_script(program: &mut Program, flavour: Flavour, dice: &mut Dice) {
    let mut run = Run::begin(program);
    let mut n_kickoffs = 0;
    let most = if flavour == Flavour::default() { KICKOFFS } else { KICKOFFS_OF_LIVES };
    loop {
        n_kickoffs += run.due.len();
        if n_kickoffs > most + 4 * program.graph.workers.len() {
            program.max_steps = run.steps;
        }
        let mut draft = run.graph.clone();
        for running in &run.running {
            // What those who are running have asked for will mostly have been done by then.
            draft = draft.edited(running.asks()).unwrap_or(draft);
        }
        let due: Vec<_> = run.due.iter().map(|due| due.key.clone()).collect();
        for (place, key) in due.iter().enumerate() {
            let is_plain = run.graph.find(key).is_some_and(|placed| placed.worker.is_plain());
            if !due[..place].contains(key) && !is_plain {
                let mut turns = turns(&mut draft, &due, key, dice);
                if flavour.replaced && dice.chance(30) {
                    replace(&mut draft, &due, &mut turns, dice);
                }
                if flavour.calm > 0 {
                    let calm = turns.iter_mut().filter(|_| dice.chance(flavour.calm));
                    calm.for_each(|turn| turn.asks.clear());
                }
                if flavour.plain {
                    let asks = turns.iter_mut().flat_map(|turn| &mut turn.asks);
                    for ask in asks {
                        if let Ask::Add(worker) = ask {
                            worker.plain = !worker.in_order && dice.chance(50);
                        }
                    }
                }
                program.script.insert((run.steps + 1, key.clone()), turns);
            }
        }
        if dice.chance(85 * (100 - flavour.calm) / 100) && !due.is_empty() {
            // A ferry ensures that the run continues.
            let at = (run.steps + 1, dice.pick(&due).clone());
            if !draft.keys().is_empty()
                && let Some(turns) = program.script.get_mut(&at)
            {
                let keys = draft.keys();
                let again = keys.len() > WIDE && dice.chance(40);
                let to = if again { keys[0].clone() } else { dice.pick(&keys).clone() };
                turns[0].asks.push(ferry(&draft, to, dice));
            }
        }
        for ((step, key), turns) in &mut program.script {
            if *step == run.steps + 1 {
                let gives = gives(&draft, key, dice);
                turns.iter_mut().for_each(|turn| turn.gives = gives);
            }
        }
        season(program, &run.graph, run.steps + 1, &due, flavour, dice);
        if !run.step(program) {
            program.script.retain(|(step, _), _| *step <= run.steps);
            return;
        }
    }
}

/// Lets somebody remove a worker and add another one under its key.
fn replace(draft: &mut Graph, due: &[String], turns: &mut [Turn], dice: &mut Dice) {
    let keys = draft.keys();
    if turns.len() > 1 || turns[0].fails || keys.is_empty() {
        return;
    }
    let key = dice.pick(&keys).clone();
    let mut asks = vec![Ask::Remove(key.clone())];
    let on = draft.find(&key).map(|placed| placed.worker.dependencies.clone()).unwrap_or_default();
    let mut new = worker(key.clone(), on, dice);
    new.output = dice.chance(6);
    asks.push(Ask::Add(new));
    for successor in draft.successors(&key) {
        if dice.chance(60) {
            asks.push(Ask::AddDependency(successor.worker.key.clone(), key.clone()));
        }
    }
    if let Ok(edited) = draft.edited(&asks)
        && (n_misfits(&edited) <= n_misfits(draft) || due.len() == 1)
    {
        *draft = edited;
        turns[0].asks.extend(asks);
    }
}

/// Adds questions, stops and attempts that fail to what is written for a step.
fn season(
    program: &mut Program,
    graph: &Graph,
    step: u64,
    due: &[String],
    flavour: Flavour,
    dice: &mut Dice,
) {
    let in_order = |key: &String| graph.find(key).is_some_and(|placed| placed.worker.in_order);
    // From where on in the step everybody asks a question.
    let first = match if flavour.questions.is_some() { dice.below(10) } else { 9 } {
        0..3 if !due.is_empty() => 0,
        3..6 if !due.is_empty() => dice.below(due.len()),
        _ => due.len(),
    };
    let last = &due[first..];
    let are_last =
        last.iter().all(|key| !due[..first].contains(key) && (first == 0 || !in_order(key)));
    for key in due {
        let Some(turns) = program.script.get_mut(&(step, key.clone())) else { continue };
        for turn in turns {
            let asks = match flavour.questions {
                None => false,
                Some(Questions::Anybody) => dice.chance(25),
                Some(Questions::Last) => are_last && last.contains(key),
            };
            if asks {
                turn.n_questions = 1 + dice.below(2);
                turn.fails = false;
                if flavour.questions == Some(Questions::Last) && first > 0 {
                    turn.asks.clear();
                }
            }
            turn.stops |= flavour.stops && dice.chance(15);
            if flavour.failed_attempts && dice.chance(30) {
                turn.n_failed_attempts = 1 + dice.below(2) as u32;
            }
        }
    }
}

fn initial_graph(dice: &mut Dice) -> Graph {
    let n_workers = 1 + dice.below(9);
    let keys: Vec<_> = (0..n_workers).map(|place| format!("w{place}")).collect();
    // Where each worker may be reached from, so that a dependency may be declared later.
    let mut ranks: Vec<_> = (0..n_workers).collect();
    for place in (1..n_workers).rev() {
        ranks.swap(place, dice.below(place + 1));
    }
    let mut workers = Vec::new();
    for place in 0..n_workers {
        let before = (0..n_workers).filter(|other| ranks[*other] < ranks[place]);
        let mut on: Vec<_> =
            before.filter(|_| dice.chance(45)).map(|at| keys[at].clone()).collect();
        if dice.chance(30) {
            on.reverse();
        }
        workers.push(worker(keys[place].clone(), on, dice));
        if ranks[place] == 0 && dice.chance(97) {
            workers[place].start = true;
        }
    }
    if dice.chance(85) {
        let output = dice.below(n_workers);
        workers[output].output = true;
    }
    if dice.chance(3) {
        widen(&mut workers, dice);
    }
    fit_parameters(&mut workers, dice);
    let mut graph = Graph::new(workers.clone());
    while graph.fault().is_some() {
        for worker in &mut workers {
            (worker.mapping, worker.takes, worker.from) = (Mapping::Merge, Takes::Anything, None);
        }
        graph = Graph::new(workers.clone());
    }
    graph
}

/// The workers of a graph one after the other, so that one runs at a time.
fn chain(graph: &Graph) -> Graph {
    let mut workers: Vec<Worker> = Vec::new();
    for Placed { worker, .. } in &graph.workers {
        let before = workers.last();
        let n_given = before.map_or(1, |before| usize::from(before.kind != Kind::Silent));
        let n = match worker.mapping {
            Mapping::AsIs | Mapping::Unpack => n_given,
            Mapping::Merge => 1,
            Mapping::Suppressed => 0,
        };
        let mapping =
            if worker.mapping == Mapping::Unpack { Mapping::AsIs } else { worker.mapping };
        workers.push(Worker {
            start: before.is_none(),
            dependencies: before.map(|before| before.key.clone()).into_iter().collect(),
            after_loops: false,
            after_nobody: false,
            in_order: false,
            mapping,
            takes: if worker.takes == Takes::Anything { worker.takes } else { Takes::Values(n) },
            from: None,
            ..worker.clone()
        });
    }
    Graph::new(workers)
}

/// Makes some workers functions without a context. With `layers`, adds some that follow the same
/// workers as the one declared before them.
fn with_plain(graph: Graph, layers: bool, dice: &mut Dice) -> Graph {
    let mut workers = Vec::new();
    let mut layer = Vec::new();
    for Placed { worker, .. } in &graph.workers {
        let mut worker = worker.clone();
        let is_unpacked = |after: &&Placed| after.worker.mapping == Mapping::Unpack;
        let is_unpacked = graph.successors(&worker.key).iter().any(is_unpacked);
        worker.plain = !worker.in_order && !is_unpacked && dice.chance(60);
        worker.after_loops |= !worker.dependencies.is_empty() && dice.chance(10);
        workers.push(worker.clone());
        if layers && layer.is_empty() && !worker.dependencies.is_empty() && dice.chance(25) {
            layer = (0..1 + dice.below(3)).map(|place| format!("l{place}")).collect();
            let like = |key: &String| Worker {
                key: key.clone(),
                start: false,
                output: false,
                after_loops: worker.after_loops && dice.chance(50),
                plain: !worker.in_order && dice.chance(50),
                ..worker.clone()
            };
            workers.extend(layer.iter().map(like).collect::<Vec<_>>());
            layer.push(worker.key.clone());
        }
    }
    if !layer.is_empty() {
        workers.push(Worker { mapping: Mapping::Merge, ..worker("join".to_owned(), layer, dice) });
    }
    let with_plain = Graph::new(workers);
    if with_plain.fault().is_none() { with_plain } else { graph }
}

/// Adds one that waits for more than fit into a machine word.
fn widen(workers: &mut Vec<Worker>, dice: &mut Dice) {
    let first = workers[0].key.clone();
    let keys: Vec<_> = (0..70).map(|place| format!("m{place}")).collect();
    for key in &keys {
        let mut many = worker(key.clone(), Vec::new(), dice);
        many.takes = Takes::Anything;
        many.in_order = false;
        match dice.below(8) {
            0 => many.start = true,
            _ => (many.dependencies, many.after_nobody) = (vec![first.clone()], false),
        }
        workers.push(many);
    }
    workers.push(Worker { mapping: Mapping::Merge, ..worker("all".to_owned(), keys, dice) });
}

/// A worker that is neither start nor output.
fn worker(key: String, dependencies: Vec<String>, dice: &mut Dice) -> Worker {
    let mapping = match dice.below(10) {
        0 | 1 => Mapping::Merge,
        2 => Mapping::Suppressed,
        3 if dependencies.len() == 1 => Mapping::Unpack,
        3 if dependencies.is_empty() && dice.chance(20) => Mapping::Unpack,
        _ => Mapping::AsIs,
    };
    let kind = *dice.pick(&[
        Kind::Own,
        Kind::Own,
        Kind::Async,
        Kind::Async,
        Kind::Inline,
        Kind::Inline,
        Kind::Blocking,
        Kind::Silent,
    ]);
    Worker {
        key,
        start: false,
        output: false,
        after_loops: dice.chance(10),
        after_nobody: dependencies.is_empty() && dice.chance(15),
        dependencies,
        mapping,
        in_order: dice.chance(7),
        takes: Takes::Anything,
        kind,
        plain: false,
        from: None,
    }
}

/// Gives some workers parameters, mostly as many as they get arguments.
fn fit_parameters(workers: &mut [Worker], dice: &mut Dice) {
    let silent: Vec<_> = workers
        .iter()
        .filter(|worker| worker.kind == Kind::Silent)
        .map(|w| w.key.clone())
        .collect();
    let keys: Vec<_> = workers.iter().map(|worker| worker.key.clone()).collect();
    for worker in workers {
        fit(worker, &keys, &silent, dice);
    }
}

fn fit(worker: &mut Worker, keys: &[String], silent: &[String], dice: &mut Dice) {
    if dice.chance(45) {
        return;
    }
    let mut n = match worker.mapping {
        _ if worker.start && !worker.dependencies.is_empty() => return,
        Mapping::AsIs if worker.start => {
            if dice.chance(85) {
                1
            } else {
                dice.below(3)
            }
        }
        Mapping::AsIs => worker.dependencies.iter().filter(|on| !silent.contains(on)).count(),
        Mapping::Merge => 1,
        Mapping::Suppressed => 0,
        Mapping::Unpack => 1 + dice.below(3),
    };
    if dice.chance(2) {
        n += 1;
    }
    if dice.chance(10) && !keys.is_empty() {
        worker.from = Some(dice.pick(keys).clone());
        n += 1;
    }
    worker.takes = if dice.chance(5) { Takes::Numbers(n) } else { Takes::Values(n) };
}

/// What the worker `key` does in the next step. `draft` is the graph with what was asked for
/// before in this step.
fn turns(draft: &mut Graph, due: &[String], key: &str, dice: &mut Dice) -> Vec<Turn> {
    let alone = due.iter().filter(|other| *other == key).count() == 1;
    let n_turns = if alone { 1 } else { 1 + dice.below(2) };
    let mut turns = Vec::new();
    for _ in 0..n_turns {
        let mut turn = Turn { fails: dice.chance(1), ..Turn::default() };
        // The fewer workers run, the more each of them asks for.
        let n_asks = if dice.chance(20 + 60 / due.len()) { 1 + dice.below(3) } else { 0 };
        for _ in 0..n_asks {
            turn.asks.extend(sensible(draft, due, alone, turn.fails, dice));
        }
        turns.push(turn);
    }
    turns
}

/// Something to ask for that mostly can be done, and mostly does no harm.
fn sensible(
    draft: &mut Graph,
    due: &[String],
    alone: bool,
    in_vain: bool,
    dice: &mut Dice,
) -> Vec<Ask> {
    for _ in 0..5 {
        let asks = asks(draft, due, alone, dice);
        if let [Ask::Ferry { to, .. }] = &asks[..]
            && draft.find(to).is_none()
            && !dice.chance(5)
        {
            continue;
        }
        match draft.edited(&asks) {
            Ok(edited) => {
                if n_misfits(&edited) > n_misfits(draft) && dice.chance(95) {
                    continue;
                }
                if !in_vain {
                    *draft = edited;
                }
                return asks;
            }
            Err(_) if dice.chance(10) => return asks,
            Err(_) => {}
        }
    }
    Vec::new()
}

/// How many workers cannot be called with what their dependencies give.
fn n_misfits(graph: &Graph) -> usize {
    let misfit = |worker: &Worker| {
        let on = worker.dependencies.iter().filter_map(|on| graph.find(on));
        let given = on.filter(|on| on.worker.kind != Kind::Silent).count();
        let fits = match worker.mapping {
            Mapping::AsIs => worker.positions().is_none_or(|positions| positions == given),
            Mapping::Unpack => given == 1,
            Mapping::Merge | Mapping::Suppressed => true,
        };
        (worker.waits_for_nobody() || !worker.dependencies.is_empty()) && !fits
    };
    graph.workers.iter().filter(|placed| misfit(&placed.worker)).count()
}

/// What a worker gives so that those after it can mostly take it.
fn gives(draft: &Graph, key: &str, dice: &mut Dice) -> Gives {
    let successors = draft.successors(key);
    let unpacks = successors.iter().find(|placed| placed.worker.mapping == Mapping::Unpack);
    let in_order = draft.find(key).is_some_and(|placed| placed.worker.in_order);
    match unpacks {
        _ if dice.chance(1) => Gives::List(dice.below(3)),
        _ if in_order => Gives::List(successors.len()),
        Some(placed) => {
            let n = placed.worker.positions().unwrap_or(2);
            let by_name = placed.worker.from.is_none() && dice.chance(50);
            if by_name { Gives::Map(n) } else { Gives::List(n) }
        }
        None => match dice.below(10) {
            0 | 1 => Gives::List(dice.below(4)),
            2 => Gives::Map(1 + dice.below(3)),
            _ => Gives::Number,
        },
    }
}

/// Something to ask for; more than one thing where they belong together.
fn asks(draft: &Graph, due: &[String], alone: bool, dice: &mut Dice) -> Vec<Ask> {
    let keys = draft.keys();
    let some_key = |dice: &mut Dice| match dice.below(40) {
        0 => "ghost".to_owned(),
        1..4 => dice.pick(due).clone(),
        _ if keys.is_empty() => "ghost".to_owned(),
        _ => dice.pick(&keys).clone(),
    };
    match dice.below(if alone { 100 } else { 40 }) {
        0..40 => vec![ferry(draft, some_key(dice), dice)],
        40..62 => added(draft, some_key, dice),
        62..73 => vec![Ask::Remove(some_key(dice))],
        73..87 => {
            // One that unpacks takes no second dependency.
            let unpacks = |worker: &&Worker| worker.mapping == Mapping::Unpack;
            let unpacks = draft.workers.iter().map(|placed| &placed.worker).find(unpacks);
            let worker = unpacks.map(|worker| worker.key.clone()).filter(|_| dice.chance(20));
            vec![Ask::AddDependency(worker.unwrap_or_else(|| some_key(dice)), some_key(dice))]
        }
        _ => {
            let worker = some_key(dice);
            let on = draft.find(&worker).map(|placed| placed.worker.dependencies.clone());
            let on = match on {
                Some(on) if !on.is_empty() && !dice.chance(5) => dice.pick(&on).clone(),
                _ => some_key(dice),
            };
            let remove = Ask::RemoveDependency(worker.clone(), on.clone());
            match dice.below(6) {
                // Again, so that it waits for it anew.
                0 => vec![remove, Ask::AddDependency(worker, on)],
                1 => vec![Ask::AddDependency(worker, on), remove],
                _ => vec![remove],
            }
        }
    }
}

fn ferry(draft: &Graph, to: String, dice: &mut Dice) -> Ask {
    let target = draft.find(&to).map(|placed| &placed.worker);
    let positions = target.and_then(Worker::positions).filter(|_| !dice.chance(2));
    let n = positions.unwrap_or_else(|| dice.below(4));
    let mut by_position: Vec<_> = (0..n).map(|_| json!(dice.below(100))).collect();
    let mut by_name = Vec::new();
    if dice.chance(8)
        && let Some(last) = by_position.pop()
    {
        let injected = target.is_some_and(|target| target.from.is_some());
        let place = n - usize::from(!injected) + usize::from(dice.chance(10));
        by_name.push((format!("p{place}"), last));
    }
    Ask::Ferry { to, args: Called { by_position, by_name } }
}

fn added(
    draft: &Graph,
    mut some_key: impl FnMut(&mut Dice) -> String,
    dice: &mut Dice,
) -> Vec<Ask> {
    let silent: Vec<_> = draft
        .workers
        .iter()
        .filter(|placed| placed.worker.kind == Kind::Silent)
        .map(|placed| placed.worker.key.clone())
        .collect();
    let mut new = |on: Vec<String>, dice: &mut Dice| {
        let taken = draft.keys();
        let pool = (0..6).map(|place| format!("x{place}"));
        let pool: Vec<_> = pool.filter(|key| !taken.contains(key) && !on.contains(key)).collect();
        let fresh = !pool.is_empty() && !dice.chance(6);
        let key = if fresh { dice.pick(&pool).clone() } else { some_key(dice) };
        let mut on = on;
        for _ in 0..dice.below(3) {
            let key = some_key(dice);
            if !on.contains(&key) || dice.chance(5) {
                on.push(key);
            }
        }
        let mut new = worker(key, on, dice);
        new.start = dice.chance(10);
        new.output = dice.chance(6);
        fit(&mut new, &taken, &silent, dice);
        new
    };
    let first = new(Vec::new(), dice);
    if dice.chance(20) {
        // Added before what it depends on.
        let second = new(vec![first.key.clone()], dice);
        return vec![Ask::Add(second), Ask::Add(first)];
    }
    let mut asks = Vec::new();
    if draft.find(&first.key).is_some() && dice.chance(50) {
        asks.push(Ask::Remove(first.key.clone()));
    }
    asks.push(Ask::Add(first));
    asks
}
