//! Finds the smallest program that still shows a difference.

use std::time::{Duration, Instant};

use super::Difference;
use crate::reference::{Ask, Called, Gives, Graph, Kind, Mapping, Program, Takes, Turn, Worker};

/// How many smaller programs are tried.
const TRIES: usize = 3000;

/// For how long smaller ones are tried.
const LONGEST: Duration = Duration::from_secs(20);

/// A message about the `program` of `seed`, on which engine and reference differ as `compared` says.
pub(crate) async fn explained(
    seed: u64,
    mut program: Program,
    compared: impl AsyncFn(&Program) -> Result<(), Difference>,
) -> String {
    let mut difference = "(only now and then)".to_owned();
    let mut tries = 0;
    let began = Instant::now();
    'smaller: while tries < TRIES && began.elapsed() < LONGEST {
        for smaller in smaller(&program) {
            tries += 1;
            if began.elapsed() > LONGEST {
                break;
            }
            if let Err(found) = compared(&smaller).await {
                (program, difference) = (smaller, found);
                continue 'smaller;
            }
        }
        break;
    }
    if let Err(found) = compared(&program).await {
        difference = found;
    }
    format!("seed {seed}, shrunk to:\n{program}\n{difference}")
}

/// Programs that are a little less than `program`, the boldest cuts first.
fn smaller(program: &Program) -> Vec<Program> {
    let mut all = Vec::new();
    for steps in 1..program.max_steps {
        all.push(Program { max_steps: steps, ..program.clone() });
    }
    for turn in program.script.keys() {
        let mut smaller = program.clone();
        smaller.script.remove(turn);
        all.push(smaller);
    }
    let workers: Vec<_> =
        program.graph.workers.iter().map(|placed| placed.worker.clone()).collect();
    for place in 0..workers.len() {
        let mut fewer = workers.clone();
        let gone = fewer.remove(place).key;
        fewer.iter_mut().for_each(|worker| worker.dependencies.retain(|on| *on != gone));
        all.push(Program { graph: Graph::new(fewer), ..program.clone() });
        for plainer in plainer(&workers[place]) {
            let mut workers = workers.clone();
            workers[place] = plainer;
            all.push(Program { graph: Graph::new(workers), ..program.clone() });
        }
    }
    for (at, turns) in &program.script {
        for (place, turn) in turns.iter().enumerate() {
            let mut with = |change: &dyn Fn(&mut Turn)| {
                let mut smaller = program.clone();
                change(&mut smaller.script.get_mut(at).unwrap()[place]);
                all.push(smaller);
            };
            if turn.fails {
                with(&|turn| turn.fails = false);
            }
            if turn.stops {
                with(&|turn| turn.stops = false);
            }
            if turn.n_questions > 0 {
                with(&|turn| turn.n_questions -= 1);
            }
            if turn.n_failed_attempts > 0 {
                with(&|turn| turn.n_failed_attempts = 0);
            }
            if turn.gives != Gives::Number {
                with(&|turn| turn.gives = Gives::Number);
            }
            for (ask, asked) in turn.asks.iter().enumerate() {
                with(&|turn| _ = turn.asks.remove(ask));
                match asked {
                    Ask::Add(worker) => {
                        for plainer in plainer(worker) {
                            with(&|turn| turn.asks[ask] = Ask::Add(plainer.clone()));
                        }
                    }
                    Ask::Ferry { to, args }
                        if !args.by_position.is_empty() || !args.by_name.is_empty() =>
                    {
                        let args = Called::default();
                        with(&|turn| {
                            turn.asks[ask] = Ask::Ferry { to: to.clone(), args: args.clone() };
                        });
                    }
                    _ => {}
                }
            }
            if turns.len() > 1 {
                let mut smaller = program.clone();
                smaller.script.get_mut(at).unwrap().remove(place);
                all.push(smaller);
            }
        }
    }
    if program.rolling.is_some() {
        all.push(Program { rolling: None, ..program.clone() });
    }
    for place in 0..program.input.by_name.len() {
        let mut smaller = program.clone();
        smaller.input.by_name.remove(place);
        all.push(smaller);
    }
    for place in 0..program.input.by_position.len() {
        let mut smaller = program.clone();
        smaller.input.by_position.remove(place);
        all.push(smaller);
    }
    all.retain(|program| program.graph.fault().is_none());
    all
}

/// The same worker with less to say about it.
fn plainer(worker: &Worker) -> Vec<Worker> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut Worker)| {
        let mut plainer = worker.clone();
        change(&mut plainer);
        if plainer != *worker {
            all.push(plainer);
        }
    };
    for place in 0..worker.dependencies.len() {
        with(&|worker| _ = worker.dependencies.remove(place));
    }
    with(&|worker| worker.start = false);
    with(&|worker| worker.output = false);
    with(&|worker| worker.in_order = false);
    with(&|worker| worker.after_loops = false);
    with(&|worker| worker.after_nobody = false);
    with(&|worker| worker.mapping = Mapping::AsIs);
    with(&|worker| worker.from = None);
    with(&|worker| (worker.takes, worker.from) = (Takes::Anything, None));
    with(&|worker| worker.kind = Kind::Own);
    with(&|worker| worker.plain = false);
    all
}
