//! A team of agents: a lead gives a question to three researchers, continues when two have
//! answered, stops the third, and answers with a type. Each researcher is a child agent with its
//! own conversation and limits.
//!
//! The example needs no API key, because its models are scripted.

use std::future::pending;

use ddg_agentic::ChatModel;
use ddg_agentic::prelude::*;
use ddg_agentic::schemars::{self, JsonSchema};
use ddg_agentic::subturn::{
    AgentTools, ChildStatus, ChildSummary, Disposition, SubTurnError, SubTurnEvent, SubTurns, Turn,
};
use ddg_core::printable;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The answer of the lead.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Report {
    title: String,
    findings: Vec<String>,
}

/// Waits until `n` of the agents that you spawned have ended. Returns the results that you have not
/// received yet.
#[tool]
async fn gather(
    /// The number of agents.
    n: usize,
    turn: Turn,
) -> Result<Vec<String>, SubTurnError> {
    let is_back = |child: &ChildSummary| child.status != ChildStatus::Running;
    let mut found = Vec::new();
    // Results of agents that ended before were already delivered to the model.
    while turn.children().iter().filter(|child| is_back(child)).count() < n {
        let Some(result) = turn.next_result().await? else { break };
        found.push(format!("{}: {}", result.id, result.text()));
    }
    Ok(found)
}

/// The model of the researchers. It answers about tea and its history, and never about prices.
#[derive(Debug)]
struct Library;

impl ChatModel for Library {
    fn name(&self) -> &str {
        "library"
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        let task = request.messages.last().map(Message::text).unwrap_or_default();
        Box::pin(async move {
            Ok(ChatReply::text(match task.as_str() {
                task if task.contains("kinds") => "green, black and white tea are one plant",
                task if task.contains("history") => "tea came to Europe in 1610",
                _ => pending().await,
            }))
        })
    }
}

/// The answer of the lead's model.
const REPORT: &str =
    r#"{ "title": "Tea", "findings": ["All tea is one plant.", "Europe knows it since 1610."] }"#;

/// The replies of the lead's model, turn by turn.
fn lead() -> ScriptedModel {
    let about = |n: u32, topic: &str| {
        let arguments = json!({ "agent": "researcher", "task": format!("Tea: {topic}.") });
        ToolCall::new(format!("spawn_{n}"), "spawn_agent", arguments)
    };
    ScriptedModel::new()
        .named("lead")
        .calls([about(1, "its kinds"), about(2, "its history"), about(3, "its price today")])
        .calls([ToolCall::new("gather", "gather", json!({ "n": 2 }))])
        .calls([ToolCall::new("stop", "stop_agent", json!({ "id": "subturn-3" }))])
        .text(REPORT)
        // The result of the stopped child may arrive after the answer. Then the model is asked
        // again.
        .text(REPORT)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let researcher =
        ReActAutoma::new(Library).system("You look things up. Answer in one sentence.");
    let team = SubTurns::new()
        .slots(3)
        .agent("researcher", "Looks one thing up.", researcher)
        .on_event(|event| match event {
            SubTurnEvent::Spawned { child, config, .. } => {
                println!("{child} begins: {}", printable::lines(&config.task().text()));
            }
            SubTurnEvent::Ended { child, status, result, .. } => {
                println!("{child} {}: {}", status.word(), printable::lines(result));
            }
            _ => {}
        });
    let tools =
        Toolbox::builder().with_all(AgentTools::new().build()).with(gather::tool()).build()?;
    let agent = ReActAutoma::new(lead())
        .name("lead")
        .tools(tools)
        // One after the other, so the agent that the lead names third is `subturn-3`.
        .tool_calls(ToolCallMode::Sequential)
        .subturns(team)
        .answer::<Report>()
        .build()?;

    let outcome = agent.run(args!("What should I know about tea?")).await?;
    let report: Report = outcome.answer()?;
    println!("\n{}:", printable::line(&report.title));
    for finding in &report.findings {
        println!("- {}", printable::lines(finding));
    }

    let [kinds, history, price] = outcome.children() else { panic!("three researchers") };
    for back in [kinds, history] {
        assert_eq!(back.status, ChildStatus::Finished);
        assert_eq!(back.disposition, Some(Disposition::Consumed));
    }
    // Stopped, or about to be.
    assert!(matches!(price.status, ChildStatus::Stopped | ChildStatus::Running));
    assert_eq!(report.findings.len(), 2);
    Ok(())
}
