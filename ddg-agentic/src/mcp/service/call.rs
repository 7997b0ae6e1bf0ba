//! A tool call of a client, as a run.

use ddg_core::{GraphAutoma, RunError, start};

use crate::message::ToolCall;
use crate::tool::{ToolResult, Toolbox};

/// Makes the call in a run of an automa that is named after the service. Returns the text for the
/// client's model: the result of the tool, or the reason why there is none.
pub(super) async fn call(service: &str, tools: &Toolbox, call: ToolCall) -> Result<String, String> {
    let tool = call.name.clone();
    match run(service, tools, call).await {
        Ok(Ended::Result(ToolResult { message, .. })) if message.is_error => Err(message.content),
        Ok(Ended::Result(ToolResult { message, .. })) => Ok(message.content),
        Ok(Ended::Asks(question)) => Err(format!(
            "`{tool}` asks a person, and none can answer over MCP; the question is {question}"
        )),
        Err(error) => Err(format!("`{tool}` failed: {error}")),
    }
}

enum Ended {
    Result(ToolResult),
    Asks(String),
}

async fn run(service: &str, tools: &Toolbox, call: ToolCall) -> Result<Ended, RunError> {
    let mut automa = GraphAutoma::new(service);
    automa.add_worker("call", tools.call_worker(&call.name), start().output())?;
    let outcome = automa.run((call,)).outcome().await?;
    if let Some(question) = outcome.questions().first() {
        let question = question.content.to_json().map(|json| json.to_string());
        return Ok(Ended::Asks(question.unwrap_or_else(|error| error.to_string())));
    }
    outcome.into_output().map(Ended::Result)
}
