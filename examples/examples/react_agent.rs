//! A conversation with an agent on the terminal. Its words are displayed as the model writes them,
//! and its calls of tools while they run. An empty line or the end of the input ends it. Without a
//! terminal and without an input, two questions are asked.
//!
//! `cargo run -p examples --example react_agent`, or with a real model as in `travel_planner`.

use std::io::{BufRead, IsTerminal, Write};

use ddg_agentic::model::ChatChunk;
use ddg_agentic::prelude::*;

use ddg_core::event::{EventFilter, EventKind, EventStream};
use ddg_core::printable;

/// The sum of some numbers.
#[tool]
fn sum(
    /// The numbers.
    numbers: &[f64],
) -> f64 {
    numbers.iter().sum()
}

/// The weather forecast of a city.
#[tool]
async fn weather(
    /// The city, as "Oslo".
    city: String,
) -> String {
    format!("{city}: cloudy, 12 °C")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = ReActAutoma::new(examples::model()?)
        .system("You are a helpful assistant. Be brief.")
        .tools(Toolbox::builder().with(sum::tool()).with(weather::tool()).build()?)
        .memory(LastMessages::new(40))
        .build()?;

    println!("Ask something, such as: What is the weather in Oslo?");
    let mut conversation = Conversation::default();
    for line in lines() {
        let line = line?;
        if line.trim().is_empty() {
            break;
        }
        let prepared = agent.run(args!(Task::new(line).after(conversation)));
        let events = prepared.events(EventFilter::all());
        let (outcome, ()) = tokio::join!(prepared.output::<AgentOutcome>(), show(events));
        conversation = match outcome {
            Ok(outcome) => outcome.conversation,
            // The messages are kept even without an answer.
            Err(error) => {
                let failed = error.downcast_ref::<AgentFailed>().cloned().ok_or(error)?;
                println!("no answer: {}", printable::lines(&failed.to_string()));
                failed.outcome.conversation
            }
        };
    }
    println!("\n{} messages", conversation.messages.len());
    Ok(())
}

/// Displays the words and the calls of the agent as they happen.
async fn show(mut events: EventStream) {
    while let Some(Ok(event)) = events.next().await {
        match &event.kind {
            EventKind::Chunk { chunk, .. } => {
                if let Ok(ChatChunk::Text(text)) = chunk.get() {
                    // What a model says must not command the terminal.
                    print!("{}", printable::lines(&text));
                    std::io::stdout().flush().ok();
                }
            }
            EventKind::WorkerStarted { worker, .. } if worker.as_str().starts_with("tool_") => {
                println!("[{} …]", printable::line(worker.as_str()));
            }
            EventKind::RunFinished { .. } => println!(),
            _ => {}
        }
    }
}

/// What is asked if nobody can.
const ASKED: [&str; 2] = ["What is the weather in Oslo?", "What is the sum of 17 and 25?"];

/// Reads lines with a prompt.
fn lines() -> impl Iterator<Item = std::io::Result<String>> {
    let is_terminal = std::io::stdin().is_terminal();
    let mut asked = ASKED.iter();
    let mut is_piped = false;
    std::iter::from_fn(move || {
        print!("> ");
        std::io::stdout().flush().ok();
        let line = match std::io::stdin().lock().lines().next() {
            None if !is_terminal && !is_piped => asked.next().map(|line| Ok((*line).to_owned())),
            line => {
                is_piped = true;
                line
            }
        };
        if let (false, Some(Ok(line))) = (is_terminal, &line) {
            println!("{line}");
        }
        line
    })
}
