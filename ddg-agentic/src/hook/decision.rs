//! The decisions of hooks, one type for each place.

use serde_json::Value as Json;

use super::HookStop;
use crate::message::{Message, ToolMessage};
use crate::model::{ChatReply, ChatRequest};
use crate::tool::ToolOutput;

/// A decision about a message of a person.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OnInput {
    /// The message passes.
    Go,
    /// This message takes its place.
    Change(Message),
    /// The run ends.
    Stop(HookStop),
}

/// A decision about a request to the model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BeforeModel {
    /// The request passes.
    Go,
    /// This request takes its place.
    Change(Box<ChatRequest>),
    /// The model is not asked; this is the reply. The hooks after this one are not called.
    Reply(Box<ChatReply>),
    /// The run ends.
    Stop(HookStop),
}

/// A decision about a reply of the model.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AfterModel {
    /// The reply passes.
    Go,
    /// This reply takes its place. The usage is that of the model in any case.
    Change(Box<ChatReply>),
    /// The model is told why, and asked again. It counts as one of the
    /// [tries](crate::react::Limits::tries).
    Refuse(String),
    /// The run ends.
    Stop(HookStop),
}

/// A decision about a tool call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BeforeTool {
    /// The call passes.
    Go,
    /// Arguments that take the place of the model's. They are checked.
    Change(Json),
    /// The tool is not called, and the model is told why.
    Refuse(String),
    /// A person is asked, with an [`Approval`](crate::tool::Approval), after all hooks have
    /// decided.
    Ask {
        /// Why, for the person.
        reason: String,
        /// What "always" of the person covers: all calls for which hooks ask under this name. By
        /// default all calls of the same tool of the same agent.
        category: Option<String>,
    },
    /// The tool is not called; this is the result. The hooks after this one are not called.
    Give(Box<ToolOutput>),
    /// The run ends.
    Stop(HookStop),
}

/// A decision about the result of a tool call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AfterTool {
    /// The result passes.
    Go,
    /// This result replaces the text, the images and the kind of the tool's result.
    Change(Box<ToolMessage>),
    /// The model gets no result, and is told why.
    Refuse(String),
    /// The run ends.
    Stop(HookStop),
}

/// A decision about the text with which a run ends.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OnAnswer {
    /// The text passes.
    Go,
    /// This text takes its place.
    Change(String),
    /// The model is told why, and asked again. It counts as one of the
    /// [tries](crate::react::Limits::tries). A run that cannot ask again ends with
    /// [`AgentEnd::NoAnswer`](crate::react::AgentEnd::NoAnswer).
    Refuse(String),
    /// The run ends.
    Stop(HookStop),
}

impl OnInput {
    /// Ends the run for the reason `name`.
    pub fn stop(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Stop(HookStop::new(name, message))
    }
}

impl BeforeModel {
    /// Replaces the request.
    pub fn change(request: ChatRequest) -> Self {
        Self::Change(Box::new(request))
    }

    /// Replies in place of the model.
    pub fn reply(reply: ChatReply) -> Self {
        Self::Reply(Box::new(reply))
    }

    /// Ends the run for the reason `name`.
    pub fn stop(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Stop(HookStop::new(name, message))
    }
}

impl AfterModel {
    /// Replaces the reply.
    pub fn change(reply: ChatReply) -> Self {
        Self::Change(Box::new(reply))
    }

    /// Tells the model why its reply is not accepted.
    pub fn refuse(why: impl Into<String>) -> Self {
        Self::Refuse(why.into())
    }

    /// Ends the run for the reason `name`.
    pub fn stop(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Stop(HookStop::new(name, message))
    }
}

impl BeforeTool {
    /// Tells the model why the tool is not called.
    pub fn refuse(why: impl Into<String>) -> Self {
        Self::Refuse(why.into())
    }

    /// Asks a person.
    pub fn ask(reason: impl Into<String>) -> Self {
        Self::Ask { reason: reason.into(), category: None }
    }

    /// Gives a result in place of the tool.
    pub fn give(output: impl Into<ToolOutput>) -> Self {
        Self::Give(Box::new(output.into()))
    }

    /// Ends the run for the reason `name`.
    pub fn stop(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Stop(HookStop::new(name, message))
    }
}

impl AfterTool {
    /// Replaces the result.
    pub fn change(result: ToolMessage) -> Self {
        Self::Change(Box::new(result))
    }

    /// Tells the model why it gets no result.
    pub fn refuse(why: impl Into<String>) -> Self {
        Self::Refuse(why.into())
    }

    /// Ends the run for the reason `name`.
    pub fn stop(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Stop(HookStop::new(name, message))
    }
}

impl OnAnswer {
    /// Tells the model why its answer is not accepted.
    pub fn refuse(why: impl Into<String>) -> Self {
        Self::Refuse(why.into())
    }

    /// Ends the run for the reason `name`.
    pub fn stop(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Stop(HookStop::new(name, message))
    }
}
