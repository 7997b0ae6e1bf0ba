//! A turn of a run as data, and what follows from a reply.

use serde::{Deserialize, Serialize};

use crate::assistants::object::{LastError, Usage};
use crate::assistants::params::ToolOutputParams;
use crate::assistants::rule::{Reply, ReplyCall, RunSettings};
use crate::model::FinishReason;

/// A turn: what the model is asked after the tool steps so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    /// The number of replies before.
    pub(super) number: u32,
    /// The instructions.
    pub(super) system: String,
    /// The tool steps of the run.
    pub(super) steps: Vec<ToolStep>,
}

/// A completed tool step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ToolStep {
    /// The calls with their outputs, in order.
    pub(super) calls: Vec<(ReplyCall, String)>,
}

/// A turn with its reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Replied {
    pub(super) turn: Turn,
    pub(super) said: Said,
}

/// What came of a request to the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Said {
    Reply(Reply),
    Failed(LastError),
    /// A limit was reached before the request.
    Limit(String),
}

/// The output of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) output: ToolOutputParams,
    /// The usage of agents that were called on the way.
    pub(super) usage: Usage,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::assistants) enum RunEnd {
    /// Ended well.
    Completed,
    /// Ended at a limit.
    Incomplete(String),
    /// Failed.
    Failed(LastError),
}

/// What follows from a reply.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    End(RunEnd),
    /// Calls of tools of the server, and of tools that do not exist.
    Call(Vec<ReplyCall>),
    /// All calls are the client's.
    Wait,
}

impl Answered {
    pub(super) fn of(output: ToolOutputParams) -> Self {
        Self { output, usage: Usage::default() }
    }
}

impl Replied {
    pub(super) fn calls(&self) -> &[ReplyCall] {
        match &self.said {
            Said::Reply(reply) => &reply.calls,
            Said::Failed(_) | Said::Limit(_) => &[],
        }
    }

    /// The next turn, with the outputs of all calls.
    pub(super) fn with(self, results: &[Answered]) -> Turn {
        let output = |call: &ReplyCall| {
            let found = results.iter().find(|result| result.output.tool_call_id == call.id);
            found.map(|result| result.output.output.clone()).unwrap_or_default()
        };
        let calls = self.calls().iter().map(|call| (call.clone(), output(call))).collect();
        let mut turn = self.turn;
        turn.number += 1;
        turn.steps.push(ToolStep { calls });
        turn
    }
}

/// What follows from a reply, when the run has used this.
pub(super) fn next(settings: &RunSettings, used: Usage, replied: &Replied) -> Next {
    let reply = match &replied.said {
        Said::Reply(reply) => reply,
        Said::Failed(error) => return Next::End(RunEnd::Failed(error.clone())),
        Said::Limit(reason) => return Next::End(RunEnd::Incomplete(reason.clone())),
    };
    let incomplete = |reason: &str| Next::End(RunEnd::Incomplete(reason.to_owned()));
    if reply.finish == FinishReason::Length {
        return incomplete("max_completion_tokens");
    }
    if settings.max_prompt_tokens.is_some_and(|most| used.prompt_tokens > most) {
        return incomplete("max_prompt_tokens");
    }
    if reply.has_dropped_calls && reply.text.is_empty() {
        return incomplete("max_completion_tokens");
    }
    if reply.calls.is_empty() {
        return Next::End(RunEnd::Completed);
    }
    let internal = reply.calls.iter().filter(|call| !settings.is_external(&call.name));
    let internal: Vec<_> = internal.cloned().collect();
    if internal.is_empty() { Next::Wait } else { Next::Call(internal) }
}
