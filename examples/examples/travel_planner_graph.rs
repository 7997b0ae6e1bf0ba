//! The travel planner worker by worker: the loop that `ReActAutoma` is, written as an automa.
//!
//! ```text
//!      ╭╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ ferry ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╮
//!      ▼                                                                    ╎
//! invoke_llm ──▶ process_tool_calls ╌╌▶ tool_weather_call_1 ──────┐         ╎
//!                       ╎           ╌╌▶ tool_flight_price_call_2 ─┼▶ aggregate_results
//!                       ╎           ╌╌▶ tool_hotel_cost_call_3 ───┘
//!                       ╰╌╌▶ answer
//! ```
//!
//! Only `invoke_llm`, `process_tool_calls` and `answer` are declared in the graph. The workers of
//! the calls, and `aggregate_results` after them, are added when the model has asked for the calls,
//! and removed when their results go back to the model.

use std::sync::Arc;
use std::time::Duration;

use ddg_agentic::message::ToolMessage;
use ddg_agentic::prelude::*;
use ddg_agentic::tool::ToolOutput;
use ddg_core::printable;
use examples::Growth;

const TASK: &str = "Plan a 3-day trip to Tokyo. Check the weather forecast, estimate the flight \
                    price from San Francisco, and the hotel cost for 3 nights.";

/// The weather forecast of a city for the next days.
#[tool]
async fn weather(city: String, #[default = 3] days: u32) -> String {
    tokio::time::sleep(Duration::from_millis(400)).await;
    format!("{city}, next {days} days: sunny, 18 to 24 °C, light wind")
}

/// The price of a return flight between two cities, in US dollars.
#[tool]
async fn flight_price(from: String, to: String) -> String {
    tokio::time::sleep(Duration::from_millis(600)).await;
    format!("{from} to {to} and back: about 1070 USD")
}

/// The cost of a hotel room in a city, in US dollars.
#[tool]
async fn hotel_cost(city: String, nights: u32) -> String {
    tokio::time::sleep(Duration::from_millis(500)).await;
    format!("{nights} nights in {city}: about {} USD", nights * 140)
}

struct TravelPlanner {
    model: Arc<dyn ChatModel>,
    tools: Toolbox,
}

#[automa]
impl TravelPlanner {
    /// Asks the model, and adds its reply to the conversation.
    #[worker(start)]
    async fn invoke_llm(&self, mut messages: Vec<Message>) -> Result<Vec<Message>, ModelError> {
        let request = ChatRequest::new(messages.clone()).tools(self.tools.specs());
        messages.push(self.model.chat(request).await?.message.into());
        Ok(messages)
    }

    /// Adds a worker for each tool call, and one that aggregates their results. All calls run at
    /// once, in the next step.
    #[worker(dependencies = [invoke_llm])]
    async fn process_tool_calls(
        &self,
        messages: Vec<Message>,
        cx: &Context,
    ) -> Result<Vec<ToolCall>, WorkerError> {
        let calls = messages.last().map(|reply| reply.tool_calls().to_vec()).unwrap_or_default();
        if calls.is_empty() {
            cx.ferry_to(Self::ANSWER, (messages,));
            return Ok(calls);
        }
        for call in &calls {
            cx.add_worker(key(call), self.tools.worker(&call.name)?, free());
            cx.ferry_to(key(call), call.arguments.clone());
        }
        let options = after(calls.iter().map(key)).merge();
        cx.add_func_as_worker("aggregate_results", Self::AGGREGATE_RESULTS, options);
        Ok(calls)
    }

    /// Takes the results of all calls as one list, in the order of the calls, and the outputs of
    /// two workers by their names. The model is asked again with the results.
    #[worker(detached)]
    async fn aggregate_results(
        &self,
        results: Vec<ToolOutput>,
        #[from(process_tool_calls)] calls: Vec<ToolCall>,
        #[from(invoke_llm)] mut messages: Vec<Message>,
        cx: &Context,
    ) {
        for (call, result) in calls.iter().zip(results) {
            messages.push(ToolMessage::new(call, result.content).into());
            cx.remove_worker(key(call));
        }
        cx.remove_worker("aggregate_results");
        cx.ferry_to(Self::INVOKE_LLM, (messages,));
    }

    #[worker(output)]
    async fn answer(&self, messages: Vec<Message>) -> String {
        messages.last().map(Message::text).unwrap_or_default()
    }
}

/// The key of the worker that makes a call.
fn key(call: &ToolCall) -> String {
    format!("tool_{}_{}", call.name, call.id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tools = Toolbox::builder()
        .with(weather::tool())
        .with(flight_price::tool())
        .with(hotel_cost::tool())
        .build()?;
    let mut planner = TravelPlanner { model: examples::model()?, tools }.build()?;
    planner.add_callback(Growth::default());

    println!("\n{TASK}\n");
    let system = Message::system("You plan trips. Look things up with the tools.");
    let trip = planner.run(args!(vec![system, Message::user(TASK)])).await?;
    println!("\n{}", printable::lines(&trip));
    Ok(())
}
