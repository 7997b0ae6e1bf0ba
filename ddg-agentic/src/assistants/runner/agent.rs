//! An agent of the crate as the model of a run.

use std::fmt;
use std::sync::Arc;

use ddg_core::{RunError, TypedAutoma, args};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::RunContext;
use crate::memory::Conversation;
use crate::model::{ChatModel, ChatReply, ChatRequest, FinishReason, ModelError};
use crate::react::{AgentEnd, AgentFailed, AgentOutcome, Task};

/// An agent that replies in place of a model. Its run is inside the run of the thread, so it is
/// stored with it, and continues with it after a crash.
pub(super) struct AgentModel {
    name: String,
    agent: TypedAutoma<AgentOutcome>,
    here: Arc<RunContext>,
    turn: u32,
}

impl AgentModel {
    pub(super) fn new(
        name: &str,
        agent: &TypedAutoma<AgentOutcome>,
        here: &Arc<RunContext>,
        turn: u32,
    ) -> Self {
        let (name, agent, here) = (name.to_owned(), agent.clone(), Arc::clone(here));
        Self { name, agent, here, turn }
    }

    fn failed(&self, error: &RunError) -> ModelError {
        let cause = error.downcast_ref::<AgentFailed>();
        if let Some(error) = cause.and_then(|failed| failed.model_error.clone()) {
            return error;
        }
        let (model, message) = (self.name.clone(), error.to_string());
        ModelError::Failed { model, message, retryable: false }
    }
}

impl ChatModel for AgentModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> crate::model::Capabilities {
        crate::model::Capabilities::default().images(true).documents(true).audio(true)
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        async move {
            // The last message is the task, and those before it are the conversation.
            let mut messages = request.messages;
            let task = match messages.pop() {
                Some(last) => Task::new(last).after(Conversation::new(messages)),
                None => Task::default(),
            };
            let key = format!("agent_{}", self.turn + 1);
            let run = self.agent.run(args!(task)).inside(&self.here.run, key.as_str());
            let outcome: AgentOutcome = match run.outcome().await {
                Ok(outcome) if outcome.is_paused() => {
                    let model = self.name.clone();
                    let message =
                        "the agent asks a person, and there is nobody to answer".to_owned();
                    return Err(ModelError::Failed { model, message, retryable: false });
                }
                Ok(outcome) => outcome.into_output().map_err(|error| self.failed(&error))?,
                Err(error) => return Err(self.failed(&error)),
            };
            let finish = match &outcome.end {
                AgentEnd::Finished { finish, .. } => finish.clone(),
                _ => FinishReason::Stop,
            };
            Ok(ChatReply::text(outcome.text()).usage(outcome.usage).finish(finish))
        }
        .boxed()
    }
}

impl fmt::Debug for AgentModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentModel({:?})", self.name)
    }
}
