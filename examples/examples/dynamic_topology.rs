//! A graph that grows while it runs: a planner picks tools from the user's sentence, adds each as
//! a worker, ferries to it, and adds a worker that aggregates what they say, in order.
//!
//! Give it a sentence of your own: `cargo run --example dynamic_topology -- "weather in Oslo?"`

use std::sync::{Arc, Mutex};

use ddg_core::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct ToolCall {
    tool: String,
    city: String,
}

struct Assistant;

#[automa]
impl Assistant {
    /// Stands where a model would: picks tools by the words of the sentence.
    #[worker(start)]
    async fn plan(&self, sentence: String) -> Vec<ToolCall> {
        let lower = sentence.to_lowercase();
        let mut words = sentence.split(|c: char| !c.is_alphabetic()).skip(1);
        let city = words.find(|word| word.starts_with(char::is_uppercase)).unwrap_or("Tokyo");
        let mentioned = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        let tools = [
            ("weather", mentioned(&["weather", "forecast", "rain"])),
            ("flight", mentioned(&["flight", "fly", "price"])),
            ("hotel", mentioned(&["hotel", "night", "stay"])),
        ];
        let picked = tools.into_iter().filter(|(_, wanted)| *wanted);
        picked.map(|(tool, _)| ToolCall { tool: tool.into(), city: city.into() }).collect()
    }

    #[worker(dependencies = [plan])]
    async fn process_tool_calls(&self, calls: Vec<ToolCall>, cx: &Context) -> Vec<ToolCall> {
        let mut keys = Vec::new();
        for call in &calls {
            let key = format!("tool_{}", call.tool);
            cx.add_worker(&key, tool(&call.tool), free());
            cx.ferry_to(&key, (call.city.clone(),));
            keys.push(key);
        }
        cx.add_func_as_worker("aggregate", Self::AGGREGATE, after(keys).merge().output());
        calls
    }

    /// Declared here, placed at run time, behind the tools that were picked.
    #[worker(detached)]
    async fn aggregate(
        &self,
        answers: Vec<String>,
        #[from("process_tool_calls")] calls: Vec<ToolCall>,
    ) -> Vec<String> {
        calls.iter().zip(answers).map(|(call, answer)| format!("{}: {answer}", call.tool)).collect()
    }
}

fn tool(name: &str) -> AnyWorker {
    match name {
        "weather" => AnyWorker::func(async |city: String| format!("sunny in {city}, 24 °C")),
        "flight" => AnyWorker::func(async |city: String| format!("to {city} from 980 USD")),
        _ => AnyWorker::func(async |city: String| format!("in {city}, 3 nights, 420 USD")),
    }
}

/// Prints the graph whenever a step has begun: what there is, and what runs now.
struct Show(Arc<Mutex<u64>>);

impl Callback for Show {
    async fn will_run(&self, cx: &Context, args: &Args) -> Result<(), WorkerError> {
        let mut shown = self.0.lock().expect("no hook panics");
        if *shown < cx.step() {
            *shown = cx.step();
            println!("\nstep {}: the graph", cx.step());
            for key in cx.automa().keys() {
                let after = cx.automa().dependencies(key.as_str()).unwrap_or_default();
                let after: Vec<_> = after.iter().map(ToString::to_string).collect();
                println!(
                    "  {key:<20} {}",
                    if after.is_empty() {
                        String::new()
                    } else {
                        format!("after {}", after.join(", "))
                    }
                );
            }
        }
        println!("▶ {} ({}) with {args:?}", cx.key(), cx.cause());
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sentence = std::env::args().nth(1).unwrap_or_else(|| {
        "Plan a trip to Tokyo: check the weather, the flight price and a hotel for 3 nights.".into()
    });
    println!("{sentence}");
    let mut assistant = Assistant.build()?;
    assistant.graph_mut().add_callback(Show(Arc::default()));
    let outcome = assistant.outcome(args!(sentence = sentence)).await?;

    println!(
        "\nafter {} steps the graph has {} workers",
        outcome.steps(),
        outcome.graph().keys().count()
    );
    let answers: Vec<String> = outcome.into_output::<Option<_>>()?.unwrap_or_default();
    assert!(answers.iter().all(|answer| answer.contains(": ")));
    for answer in &answers {
        println!("{answer}");
    }
    Ok(())
}
