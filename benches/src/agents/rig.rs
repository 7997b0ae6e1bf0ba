//! The agent of rig: its own loop, tool and message types, over a local model.
//!
//! The model is rig's scripted wire, as no other is local; a transport of our own gives it whole
//! responses, which is the shortest way through it.

use std::convert::Infallible;
use std::sync::Arc;

use futures::stream;
use rig_agent::completion::{CompletionRequest, CompletionResponse, Usage};
use rig_agent::core::driver::{Exchange, Model, Opened, Opening, Transport};
use rig_agent::core::message::{AssistantContent, Origin, ToolCall, ToolFunction, ToolName};
use rig_agent::core::test_utils::{MockFrame, MockScript};
use rig_agent::tool::{Tool, ToolContext};
use rig_agent::{Agent, AgentBuilder};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::model::{ANSWER, Line, Script, call_id};
use super::tool::forecast;
use super::{Subject, TASK};

/// rig's agent, with all calls of a turn at a time.
pub fn agent(script: &Arc<Script>) -> Subject {
    let n_calls = script.n_calls();
    let max_turns = script.turns() + 1;
    let model = Model::new(MockScript::new("at-once"), AtOnce(Arc::clone(script)));
    let agent: Arc<Agent> = Arc::new(AgentBuilder::new(model).tool(Weather).build());
    let run = move || {
        let agent = Arc::clone(&agent);
        Box::pin(async move {
            let runner = agent.prompt(TASK).max_turns(max_turns).tool_concurrency(n_calls);
            Ok(runner.await?.to_string())
        }) as _
    };
    Subject { name: "rig-agent 0.44.0", run: Box::new(run) }
}

#[derive(Clone)]
struct AtOnce(Arc<Script>);

impl Transport<MockScript> for AtOnce {
    fn send(&self, _request: CompletionRequest, _exchange: Exchange) -> Opening<MockFrame> {
        let content = match self.0.next() {
            Line::Calls { turn, n_calls } => (1..=n_calls)
                .map(|call| {
                    let name = ToolName::new("weather").expect("it is a name");
                    let function = ToolFunction::new(name, json!({ "city": "Tokyo" }));
                    let call = ToolCall::from_wire(call_id(turn, call), function);
                    AssistantContent::ToolCall(call)
                })
                .collect(),
            Line::Answer => vec![AssistantContent::text(ANSWER)],
        };
        let origin = Origin::new("at.once", "at-once", "");
        let response = CompletionResponse::new(content, Usage::default(), origin, Json::Null);
        Opening::ready(Opened::new(stream::iter([Ok(MockFrame::Response(Box::new(response)))])))
    }
}

#[derive(Clone)]
struct Weather;

#[derive(Deserialize)]
struct Parameters {
    city: String,
}

impl Tool for Weather {
    const NAME: &'static str = "weather";
    type Args = Parameters;
    type Output = String;
    type Error = Infallible;

    fn description(&self) -> String {
        "Tells the weather of today.".to_owned()
    }

    fn parameters(&self) -> Json {
        json!({
            "type": "object",
            "properties": { "city": { "type": "string", "description": "The city, in English." } },
            "required": ["city"],
        })
    }

    async fn call(&self, _: &mut ToolContext, args: Parameters) -> Result<String, Infallible> {
        Ok(forecast(&args.city))
    }
}
