//! A call of a tool of a server: its progress and log messages are events of the run, and its
//! questions to people pause the run.
//!
//! A server of the newest protocol answers a call with what it wants to know, and the call is made
//! again with the answers and the server's own state. That state is kept in the local space of the
//! worker, so a run that has paused continues where it was. A server of an earlier protocol asks
//! while it works on the call. If the run pauses then, the call is cancelled, and is made again
//! with the answer.

use std::collections::BTreeMap;

use ddg_core::{Context, WorkerError};
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, ElicitResult,
    InputRequest, InputRequiredResult, InputResponses, JsonObject, ServerResult,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::McpError;
use super::connection::Connection;
use super::content::result_of;
use super::exchange::{Hears, NoAnswer};
use super::lists::json_of;
use super::log::{McpLog, McpProgress};
use super::offers::Questions;
use super::question::{McpAnswer, McpQuestion, declined};

/// Maximum number of times that a server may ask back before it answers a call.
const MOST_ROUNDS: usize = 10;

/// How far a call is, as the local space of its worker keeps it.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Rounds {
    /// The questions to people so far, in order.
    asked: Vec<McpQuestion>,
    /// Number of the questions that were asked in rounds that are over.
    n_before: usize,
    n_rounds: usize,
    /// What the server wants to know now.
    required: Option<Json>,
}

/// What hears a call of a tool.
struct Caller<'a> {
    cx: &'a Context,
    server: &'a str,
    key: String,
    rounds: Rounds,
    /// Number of questions that this execution has asked.
    n_asked: usize,
    pauses: bool,
}

impl Connection {
    /// Calls the tool that the server calls `name`, for the worker of `cx`.
    ///
    /// # Errors
    /// An [`McpError`], or that the run has to pause.
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
        let pauses = matches!(self.listener.offers().questions, Questions::Pause);
        // A server of an earlier protocol does not say to which call a question belongs.
        let _alone = match pauses && !self.live().await?.is_newest() {
            true => Some(self.one_at_a_time.lock().await),
            false => None,
        };
        let mut caller = Caller::new(cx, &self.settings.name, &request, pauses)?;
        loop {
            let mut params = CallToolRequestParams::new(name.to_owned());
            params.arguments = Some(arguments.clone());
            if let Some(required) = caller.rounds.required.clone() {
                let required = InputRequiredResult::deserialize(required)
                    .map_err(|error| self.malformed(&request, error.to_string()))?;
                params.request_state = required.request_state;
                let requests = required.input_requests.unwrap_or_default();
                let responses = self.fulfil(requests, &mut caller).await?;
                params.input_responses = Some(responses).filter(|given| !given.is_empty());
            }
            let asked = ClientRequest::CallToolRequest(CallToolRequest::new(params));
            match self.exchange(&request, asked, &mut caller).await? {
                ServerResult::CallToolResult(result) => return Ok(result),
                ServerResult::InputRequiredResult(required) => {
                    let required = serde_json::to_value(required).unwrap_or_default();
                    if !caller.next_round(required) {
                        let message = format!("it asks back more than {MOST_ROUNDS} times");
                        return Err(self.malformed(&request, message).into());
                    }
                }
                ServerResult::CreateTaskResult(_) => {
                    let message = "it makes a task of the call, which this client did not offer";
                    return Err(self.malformed(&request, message.to_owned()).into());
                }
                other => {
                    let result = result_of(json_of(other));
                    return Ok(result.map_err(|message| self.malformed(&request, message))?);
                }
            }
        }
    }

    /// What the server wants to know.
    async fn fulfil(
        &self,
        requests: BTreeMap<String, InputRequest>,
        caller: &mut Caller<'_>,
    ) -> Result<InputResponses, NoAnswer<WorkerError>> {
        let mut responses = InputResponses::new();
        for (key, request) in requests {
            let response = match request {
                InputRequest::Elicitation(asked) => {
                    let question = McpQuestion::of(&self.settings.name, &asked.params);
                    let answer = match (&self.listener.offers().questions, question) {
                        (Questions::Pause, Some(question)) => {
                            caller.question(question).map_err(NoAnswer::Stopped)?
                        }
                        (Questions::Program(_), Some(question)) => {
                            self.listener.answer_by_program(question).await.result()
                        }
                        (_, Some(_)) => declined("this client asks no people"),
                        (_, None) => declined("this client does not know this kind of question"),
                    };
                    serde_json::to_value(answer)
                }
                InputRequest::ListRoots(_) => {
                    serde_json::to_value(self.listener.offers().listed_roots())
                }
                InputRequest::CreateMessage(asked) => {
                    let offers = self.listener.offers();
                    let sample = offers.sample(asked.params, self.listener.secrets()).await;
                    let sample = sample.map_err(|error| McpError::Refused {
                        server: self.settings.name.clone(),
                        request: "sampling/createMessage".to_owned(),
                        message: error.message.into_owned(),
                    })?;
                    serde_json::to_value(sample)
                }
                _ => Ok(Json::Null),
            };
            let response = response.map_err(|error| self.malformed(&key, error.to_string()))?;
            responses.insert(key, response);
        }
        Ok(responses)
    }
}

impl<'a> Caller<'a> {
    /// Takes up the call where the worker has left it.
    fn new(
        cx: &'a Context,
        server: &'a str,
        request: &str,
        pauses: bool,
    ) -> Result<Self, NoAnswer<WorkerError>> {
        let key = format!("mcp {server} {request}");
        let rounds: Rounds = match pauses {
            true => cx.local().get(&key).unwrap_or_default(),
            false => Rounds::default(),
        };
        let mut caller = Self { cx, server, key, rounds, n_asked: 0, pauses };
        // Their answers are known, and come in this order.
        while caller.n_asked < caller.rounds.n_before {
            let question = caller.rounds.asked[caller.n_asked].clone();
            caller.question(question).map_err(NoAnswer::Stopped)?;
        }
        Ok(caller)
    }

    /// Begins the next round, or returns `false` if there were too many.
    fn next_round(&mut self, required: Json) -> bool {
        self.rounds.n_rounds += 1;
        self.rounds.n_before = self.n_asked;
        self.rounds.required = Some(required);
        self.keep();
        self.rounds.n_rounds <= MOST_ROUNDS
    }

    fn keep(&self) {
        if self.pauses {
            self.cx.local().set(&*self.key, self.rounds.clone());
        }
    }
}

impl Hears for Caller<'_> {
    type Stop = WorkerError;

    fn progress(&mut self, progress: McpProgress) {
        self.cx.emit("progress", progress);
    }

    fn log(&mut self, log: McpLog) {
        self.cx.emit("log", log);
    }

    /// Asks the person of the run, which pauses it if there is no answer yet.
    fn question(&mut self, question: McpQuestion) -> Result<ElicitResult, WorkerError> {
        match self.rounds.asked.get(self.n_asked) {
            Some(asked) if *asked != question => {
                return Err(WorkerError::msg(format!(
                    "MCP server `{}` asks something else than before, so the answer is not passed \
                     on: {}",
                    self.server, question.message
                )));
            }
            Some(_) => {}
            None => {
                self.rounds.asked.push(question.clone());
                self.keep();
            }
        }
        self.n_asked += 1;
        let answer: McpAnswer = self.cx.interact_with_human(question)?;
        Ok(answer.result())
    }
}
