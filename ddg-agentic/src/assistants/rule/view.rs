//! A run as clients see it.

use super::response_events;
use super::settings::RunSettings;
use super::state::RunState;
use crate::assistants::object::{RequiredAction, Response, ResponseStatus, Run, RunStatus};

impl RunState {
    /// The run as the client sees it.
    pub(in crate::assistants) fn run(&self, settings: &RunSettings) -> Run {
        let ended = |status: RunStatus| self.ended_at.filter(|_| self.status == status);
        let required_action =
            (self.status == RunStatus::RequiresAction).then(|| RequiredAction::new(self.waiting()));
        Run {
            id: self.id.clone(),
            object: "thread.run".to_owned(),
            created_at: self.created_at,
            thread_id: self.thread.clone(),
            assistant_id: settings.assistant_id.clone(),
            status: self.status,
            required_action,
            last_error: self.last_error.clone(),
            expires_at: (!self.status.is_terminal()).then_some(self.expires_at),
            started_at: self.started_at,
            cancelled_at: ended(RunStatus::Cancelled),
            failed_at: ended(RunStatus::Failed),
            completed_at: ended(RunStatus::Completed),
            incomplete_details: self.incomplete.clone(),
            model: settings.model.clone(),
            instructions: settings.instructions.clone(),
            tools: settings.tools.clone(),
            metadata: settings.metadata.clone(),
            usage: self.status.is_terminal().then_some(self.usage),
            temperature: settings.temperature,
            top_p: settings.top_p,
            max_prompt_tokens: settings.max_prompt_tokens,
            max_completion_tokens: settings.max_completion_tokens,
            truncation_strategy: settings.truncation.clone(),
            response_format: settings.response_format.clone(),
            tool_choice: settings.tool_choice.clone(),
            parallel_tool_calls: settings.parallel_tool_calls,
            reasoning_effort: settings.reasoning_effort.clone(),
            extra_body: settings.extra_body.clone(),
            stream_options: settings.stream_options.clone(),
        }
    }

    /// The run as a response.
    pub(in crate::assistants) fn response(&self, settings: &RunSettings) -> Response {
        response_events::response(self, settings, self.response_status(settings))
    }

    fn response_status(&self, settings: &RunSettings) -> ResponseStatus {
        let background = settings.response.as_ref().is_some_and(|response| response.background);
        match self.status {
            RunStatus::Queued if background => ResponseStatus::Queued,
            RunStatus::Queued
            | RunStatus::InProgress
            | RunStatus::RequiresAction
            | RunStatus::Cancelling => ResponseStatus::InProgress,
            RunStatus::Cancelled => ResponseStatus::Cancelled,
            RunStatus::Failed | RunStatus::Expired => ResponseStatus::Failed,
            RunStatus::Completed => ResponseStatus::Completed,
            RunStatus::Incomplete => ResponseStatus::Incomplete,
        }
    }
}
