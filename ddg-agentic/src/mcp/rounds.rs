//! Requests that a server answers with questions first: calls of tools, reads of resources,
//! prompts.
//!
//! A server of the newest protocol answers with what it wants to know, and the request is made
//! again with the answers and the server's own state. For a worker, that state is kept in its local
//! space, so a run that has paused continues where it was. A server of an earlier protocol asks
//! while it works on the request. If the run pauses then, the request is cancelled, and is made
//! again with the answer.

use std::collections::BTreeMap;

use ddg_core::{Context, WorkerError};
use rmcp::model::{
    ClientRequest, ElicitResult, InputRequest, InputRequiredResult, InputResponses, ServerResult,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::McpError;
use super::connection::Connection;
use super::exchange::{Hears, NoAnswer};
use super::log::{McpLog, McpProgress};
use super::offers::Questions;
use super::question::{McpAnswer, McpQuestion, declined};

/// Maximum number of times that a server may ask back before it answers.
const MOST_ROUNDS: usize = 10;

/// How far a request is, as the local space of its worker keeps it.
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

/// What hears a request.
struct Asker<'a> {
    /// The worker that makes the request; `None` for the program.
    cx: Option<&'a Context>,
    server: &'a str,
    key: String,
    rounds: Rounds,
    /// Number of questions that this execution has asked.
    n_asked: usize,
    /// The worker whose run pauses for questions.
    pauses: Option<&'a Context>,
    /// The last question that nobody was asked.
    unasked: Option<Unasked>,
}

/// A question that nobody was asked.
struct Unasked {
    message: String,
    why: &'static str,
}

impl Connection {
    /// Makes a request, and answers the questions of the server. `of` makes the request with the
    /// state of the server and the answers.
    ///
    /// # Errors
    /// An [`McpError`], or that the run of `cx` has to pause.
    ///
    /// # Cancel safety
    /// If the future is dropped, the server is told that the request is cancelled.
    pub(super) async fn in_rounds(
        &self,
        request: &str,
        cx: Option<&Context>,
        of: impl Fn(Option<String>, Option<InputResponses>) -> ClientRequest + Send,
    ) -> Result<ServerResult, NoAnswer<WorkerError>> {
        let pauses = matches!(self.listener.offers().questions, Questions::Pause);
        // A server of an earlier protocol does not say to which request a question belongs.
        let _alone = match pauses && !self.live().await?.is_newest() {
            true => Some(self.one_at_a_time.lock().await),
            false => None,
        };
        let mut asker = Asker::new(cx, &self.settings.name, request, pauses)?;
        loop {
            let (mut state, mut responses) = (None, None);
            if let Some(required) = asker.rounds.required.clone() {
                let required = InputRequiredResult::deserialize(required)
                    .map_err(|error| self.malformed(request, error.to_string()))?;
                state = required.request_state;
                let requests = required.input_requests.unwrap_or_default();
                let given = self.fulfil(requests, &mut asker).await?;
                responses = Some(given).filter(|given| !given.is_empty());
            }
            let answer = match self.exchange(request, of(state, responses), &mut asker).await {
                Ok(answer) => answer,
                Err(NoAnswer::Failed(error)) => return Err(asker.explained(error).into()),
                Err(paused) => return Err(paused),
            };
            let ServerResult::InputRequiredResult(required) = answer else { return Ok(answer) };
            let required = serde_json::to_value(required).unwrap_or_default();
            if !asker.next_round(required) {
                let message = format!("it asks back more than {MOST_ROUNDS} times");
                return Err(self.malformed(request, message).into());
            }
        }
    }

    /// What the server wants to know.
    async fn fulfil(
        &self,
        requests: BTreeMap<String, InputRequest>,
        asker: &mut Asker<'_>,
    ) -> Result<InputResponses, NoAnswer<WorkerError>> {
        let mut responses = InputResponses::new();
        for (key, request) in requests {
            let response = match request {
                InputRequest::Elicitation(asked) => {
                    let question = McpQuestion::of(&self.settings.name, &asked.params);
                    let answer = match (&self.listener.offers().questions, question) {
                        (Questions::Pause, Some(question)) => {
                            asker.question(question).map_err(NoAnswer::Stopped)?
                        }
                        (Questions::Program(_), Some(question)) => {
                            self.listener.answer_by_program(question).await.result()
                        }
                        (Questions::Declined, Some(question)) => asker
                            .declines(question, "this client asks no people: see `may_ask_people`"),
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

impl<'a> Asker<'a> {
    /// Takes up the request where the worker has left it.
    fn new(
        cx: Option<&'a Context>,
        server: &'a str,
        request: &str,
        pauses: bool,
    ) -> Result<Self, NoAnswer<WorkerError>> {
        let key = format!("mcp {server} {request}");
        let pauses = cx.filter(|_| pauses);
        let rounds: Option<Rounds> = pauses.and_then(|cx| cx.local().get(&key));
        let rounds = rounds.unwrap_or_default();
        let mut asker = Self { cx, server, key, rounds, n_asked: 0, pauses, unasked: None };
        // Their answers are known, and come in this order.
        while asker.n_asked < asker.rounds.n_before {
            let question = asker.rounds.asked[asker.n_asked].clone();
            asker.question(question).map_err(NoAnswer::Stopped)?;
        }
        Ok(asker)
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
        if let Some(cx) = self.pauses {
            cx.local().set(&*self.key, self.rounds.clone());
        }
    }

    /// Declines a question, and remembers it for the error that may follow.
    fn declines(&mut self, question: McpQuestion, why: &'static str) -> ElicitResult {
        self.unasked = Some(Unasked { message: question.message, why });
        declined(why)
    }

    /// The error with the question that nobody was asked.
    fn explained(&self, mut error: McpError) -> McpError {
        if let (McpError::Refused { message, .. }, Some(Unasked { message: asked, why })) =
            (&mut error, &self.unasked)
        {
            *message = format!("{message}; it asked `{asked}`, and {why}");
        }
        error
    }
}

impl Hears for Asker<'_> {
    type Stop = WorkerError;

    fn progress(&mut self, progress: McpProgress) {
        if let Some(cx) = self.cx {
            cx.emit("progress", progress);
        }
    }

    fn log(&mut self, log: McpLog) {
        if let Some(cx) = self.cx {
            cx.emit("log", log);
        }
    }

    /// Asks the person of the run, which pauses it if there is no answer yet.
    fn question(&mut self, question: McpQuestion) -> Result<ElicitResult, WorkerError> {
        let Some(cx) = self.pauses else {
            let why = "outside of a run nobody can be asked";
            return Ok(self.declines(question, why));
        };
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
        let answer: McpAnswer = cx.interact_with_human(question)?;
        Ok(answer.result())
    }
}
