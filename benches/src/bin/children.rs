//! Measures what a child agent costs: a run of an agent that spawns children with an instant model,
//! compared with the same run without children and with as many runs of the child alone.
//!
//! ```text
//! cargo run --release -p benches --features agents --bin children
//! ```

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

use ddg_agentic::model::{ChatReply, ChatRequest, ModelError};
use ddg_agentic::prelude::*;
use ddg_agentic::subturn::{SubTurn, SubTurnError, SubTurns, Turn};
use futures::future::BoxFuture;
use serde_json::json;

/// The number of children of a run.
const N: u32 = 200;
/// The number of measured runs. The median is reported.
const RUNS: usize = 21;
/// The most that a child may cost beyond a run of its agent alone.
const MOST: Duration = Duration::from_micros(60);

/// Spawns `n` children and waits for each of them.
#[tool]
async fn spawn_many(n: u32, turn: Turn) -> Result<u32, SubTurnError> {
    for _ in 0..n {
        turn.spawn(SubTurn::new("child")).await?;
        turn.next_result().await?;
    }
    Ok(n)
}

/// A model that calls the tool once, with this number of children, and answers a child at once.
struct AtOnce(u32);

impl fmt::Debug for AtOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtOnce")
    }
}

impl ChatModel for AtOnce {
    fn name(&self) -> &str {
        "at once"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let is_child = request.messages[0].text() == "child";
        let is_first = request.messages.len() == 1;
        let call = ToolCall::new("call_1", "spawn_many", json!({ "n": self.0 }));
        Box::pin(async move {
            Ok(if is_first && !is_child { ChatReply::calls([call]) } else { ChatReply::text("x") })
        })
    }
}

async fn median(agent: &TypedAutoma<AgentOutcome>, task: &str) -> Result<Duration, Box<dyn Error>> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        agent.run(args!(task.to_owned())).await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times[RUNS / 2])
}

fn agent(n: u32) -> Result<TypedAutoma<AgentOutcome>, Box<dyn Error>> {
    let tools = Toolbox::builder().with(spawn_many::tool()).build()?;
    let subturns = SubTurns::new().slots(None);
    Ok(ReActAutoma::new(AtOnce(n)).tools(tools).subturns(subturns).build()?)
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (with, without) = (agent(N)?, agent(0)?);
    let alone = median(&without, "child").await?;
    let children = median(&with, "root").await?.saturating_sub(median(&without, "root").await?) / N;
    let over = children.saturating_sub(alone);
    println!("a child: {children:?}; its agent run alone: {alone:?}; over that: {over:?}");
    if over > MOST {
        return Err(format!(
            "a child costs {over:?} over its agent run alone; {MOST:?} is the most"
        )
        .into());
    }
    Ok(())
}
