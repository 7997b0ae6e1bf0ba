//! The measuring: the agents take turns, run by run.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::model::{ANSWER, Script};
use super::{Subject, subjects};
use crate::counting::counted;

/// The turns that are looked at, from 1 on. With one call in each turn there are 10 messages before
/// turn 6, and 1,000 before turn 501.
pub const TURNS: [usize; 3] = [5, 50, 500];

/// What one agent has shown; times are medians of its runs.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// How many calls of the tool each turn has.
    pub n_calls: usize,
    /// The agent.
    pub agent: &'static str,
    /// From the beginning of the run until the model is asked.
    pub begin_us: f64,
    /// From the model being asked until it is asked again, in each of [`TURNS`].
    pub turn_us: Vec<f64>,
    /// From the model being asked for the answer until the run has ended.
    pub end_us: f64,
    /// The allocations of the first turns up to the second of [`TURNS`], by turn.
    pub allocs_per_turn: f64,
}

/// The times of one run.
struct Times {
    begin: Duration,
    turns: Vec<Duration>,
    end: Duration,
}

/// Measures so many runs of each agent, with so many calls in each turn.
///
/// # Errors
/// An agent cannot be built, or does not come to its answer.
pub async fn measure(n_calls: usize, runs: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let script = Script::new(TURNS[2], n_calls);
    let short = Script::new(TURNS[1], n_calls);
    let agents = subjects(&script)?;
    let mut times: Vec<Vec<Times>> = agents.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        for (agent, times) in agents.iter().zip(&mut times) {
            // The first of two in a row pays for the caches that the others have filled.
            run(agent, &script).await?;
            times.push(run(agent, &script).await?);
        }
    }
    let mut allocs = Vec::new();
    for agent in subjects(&short)? {
        run(&agent, &short).await?;
        let counted = counted(async { drop((agent.run)().await) }).await;
        short.rewind();
        allocs.push(counted.count as f64 / TURNS[1] as f64);
    }
    let figures = agents.iter().zip(&times).zip(allocs);
    let figure = |((agent, times), allocs_per_turn): ((&Subject, &Vec<Times>), f64)| {
        let median = |of: &dyn Fn(&Times) -> Duration| median(times.iter().map(of));
        Figure {
            n_calls,
            agent: agent.name,
            begin_us: median(&|times| times.begin),
            turn_us: TURNS.iter().map(|turn| median(&|times| times.turns[turn - 1])).collect(),
            end_us: median(&|times| times.end),
            allocs_per_turn,
        }
    };
    Ok(figures.map(figure).collect())
}

/// One run, in a task of the runtime, where users are.
async fn run(agent: &Subject, script: &Arc<Script>) -> Result<Times, Box<dyn Error>> {
    script.rewind();
    let run = (agent.run)();
    let (began, answer, ended) = tokio::spawn(async move {
        let began = Instant::now();
        let answer = run.await;
        (began, answer, Instant::now())
    })
    .await?;
    let (answer, asked) = (answer.map_err(|error| error.to_string())?, script.rewind());
    if answer != ANSWER || asked.len() != script.turns() + 1 {
        return Err(format!("{}: {answer}, asked {} times", agent.name, asked.len()).into());
    }
    Ok(Times {
        begin: asked[0] - began,
        turns: asked.windows(2).map(|pair| pair[1] - pair[0]).collect(),
        end: ended - asked[asked.len() - 1],
    })
}

/// The one in the middle, in microseconds.
fn median(all: impl Iterator<Item = Duration>) -> f64 {
    let mut all: Vec<_> = all.collect();
    all.sort();
    all[all.len() / 2].as_secs_f64() * 1e6
}
