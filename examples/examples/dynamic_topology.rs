//! A graph that grows while it runs: a planner picks tools from the user's sentence, adds each as a
//! worker and ferries to it, and one more worker aggregates their answers in order.
//!
//! Each step is printed with its workers, and with the workers that it has added (`+`). Pass a
//! sentence of your own:
//!
//! ```text
//! cargo run -p examples --example dynamic_topology -- "weather in Oslo?"
//! ```

use ddg_core::prelude::*;
use examples::Growth;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct ToolCall {
    tool: String,
    city: String,
}

struct Assistant;

#[automa]
impl Assistant {
    /// Stands for a model: picks tools and a city by the words of the sentence.
    #[worker(start)]
    async fn plan(&self, sentence: String) -> Vec<ToolCall> {
        let mut words = sentence.split(|c: char| !c.is_alphabetic()).skip(1);
        let city = words.find(|word| word.starts_with(char::is_uppercase)).unwrap_or("your town");
        let sentence = sentence.to_lowercase();
        let named =
            ["weather", "flight", "hotel"].into_iter().filter(|tool| sentence.contains(tool));
        named.map(|tool| ToolCall { tool: tool.into(), city: city.into() }).collect()
    }

    #[worker(dependencies = [plan])]
    async fn process_tool_calls(&self, calls: Vec<ToolCall>, cx: &Context) {
        if calls.is_empty() {
            return cx.ferry_to(Self::DECLINE, ());
        }
        let mut keys = Vec::new();
        for call in calls {
            let key = format!("tool_{}", call.tool);
            cx.add_worker(&key, tool(&call.tool), free());
            cx.ferry_to(&key, (call.city,));
            keys.push(key);
        }
        cx.add_func_as_worker("aggregate", Self::AGGREGATE, after(keys).merge().output());
    }

    /// Declared here, and placed at run time after the tools that were picked.
    #[worker(detached)]
    fn aggregate(answers: Vec<String>, #[from(plan)] calls: &[ToolCall]) -> Vec<String> {
        calls.iter().zip(answers).map(|(call, answer)| format!("{}: {answer}", call.tool)).collect()
    }

    /// The last worker if the sentence names no tool.
    #[worker(output)]
    async fn decline(&self) -> Vec<String> {
        vec!["I can look up the weather, a flight or a hotel: which is it?".into()]
    }
}

fn tool(name: &str) -> AnyWorker {
    match name {
        "weather" => AnyWorker::func(async |city: String| format!("sunny in {city}, 24 °C")),
        "flight" => AnyWorker::func(async |city: String| format!("to {city} from 980 USD")),
        _ => AnyWorker::func(async |city: String| format!("in {city}, 3 nights, 420 USD")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let asked = std::env::args().nth(1);
    let sentence = asked.as_deref().unwrap_or(
        "Plan a trip to Tokyo: check the weather, the flight price and a hotel for 3 nights.",
    );
    println!("{sentence}\n");
    let mut assistant = Assistant.build()?;
    assistant.add_callback(Growth::default());
    let outcome = assistant.run(args!(sentence = sentence)).outcome().await?;

    let tools =
        outcome.automa().keys().iter().filter(|key| key.as_str().starts_with("tool_")).count();
    let answers: Vec<String> = outcome.into_output()?;
    println!("\n{}", answers.join("\n"));
    assert_eq!(answers.len(), tools.max(1));
    Ok(())
}
