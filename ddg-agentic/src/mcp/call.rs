//! A call of a tool of a server: its progress and log messages are events of the run, and its
//! questions to people pause the run.

use ddg_core::{Context, WorkerError};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, JsonObject, ServerResult,
};

use super::connection::Connection;
use super::content::result_of;
use super::exchange::NoAnswer;
use super::lists::json_of;

impl Connection {
    /// Calls the tool that the server calls `name`, for the worker of `cx`.
    ///
    /// # Errors
    /// An [`McpError`](super::McpError), or that the run has to pause.
    ///
    /// # Cancel safety
    /// If the future is dropped, the server is told that the call is cancelled.
    pub(super) async fn call_tool(
        &self,
        name: &str,
        arguments: JsonObject,
        cx: &Context,
    ) -> Result<CallToolResult, NoAnswer<WorkerError>> {
        let request = format!("tools/call {name}");
        let answer = self.in_rounds(&request, Some(cx), |state, responses| {
            let mut params = CallToolRequestParams::new(name.to_owned());
            params.arguments = Some(arguments.clone());
            (params.request_state, params.input_responses) = (state, responses);
            ClientRequest::CallToolRequest(CallToolRequest::new(params))
        });
        match answer.await? {
            ServerResult::CallToolResult(result) => Ok(result),
            ServerResult::CreateTaskResult(_) => {
                let message = "it makes a task of the call, which this client did not offer";
                Err(self.malformed(&request, message.to_owned()).into())
            }
            other => {
                let result = result_of(json_of(other));
                Ok(result.map_err(|message| self.malformed(&request, message))?)
            }
        }
    }
}
