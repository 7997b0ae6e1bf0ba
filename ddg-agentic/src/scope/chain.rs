//! The hooks of a run, asked one after the other.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use ddg_core::run::RunScope;
use ddg_core::{Context, WorkerError};
use futures::FutureExt;
use serde_json::Value as Json;

use super::{Gate, Link, Scope};
use crate::hook::{
    AfterModel, AfterTool, BeforeModel, BeforeTool, Decides, Decision, HookEvent, HookStop,
    OnAnswer, OnInput, ToolUse,
};
use crate::message::{Message, ToolMessage};
use crate::model::{ChatReply, ChatRequest};
use crate::tool::ToolOutput;

/// A request that has passed.
#[derive(Debug)]
pub(crate) enum Asked {
    Model(Box<ChatRequest>),
    /// A hook has replied.
    Replied(Box<ChatReply>),
}

/// A tool call that has passed.
#[derive(Debug)]
pub(crate) enum Called {
    Tool {
        arguments: Json,
        /// Why a person is to be asked, and what "always" covers.
        asks: Vec<(String, Option<String>)>,
    },
    /// A hook has given the result.
    Given(Box<ToolOutput>),
}

impl Scope {
    /// Decides about a message of a person.
    pub(crate) async fn on_input(
        &self,
        mut message: Message,
        cx: &Context,
    ) -> Result<Message, HookStop> {
        for link in &self.links {
            let run = self.seen_by(link, cx);
            match self
                .decided(link, "on_input", None, cx, || link.hook.on_input(&message, &run))
                .await?
            {
                OnInput::Go => {}
                OnInput::Change(changed) => {
                    self.tell_decision(link, "on_input", None, Decision::Changed, cx);
                    message = changed;
                }
                OnInput::Stop(stop) => return Err(self.stops(link, "on_input", None, stop, cx)),
            }
        }
        Ok(message)
    }

    /// Decides about a request to the model.
    pub(crate) async fn before_model(
        &self,
        mut request: Box<ChatRequest>,
        cx: &Context,
    ) -> Result<Asked, HookStop> {
        const AT: &str = "before_model";
        for link in &self.links {
            let run = self.seen_by(link, cx);
            match self
                .decided(link, AT, None, cx, || link.hook.before_model(&request, &run))
                .await?
            {
                BeforeModel::Go => {}
                BeforeModel::Change(changed) => {
                    self.tell_decision(link, AT, None, Decision::Changed, cx);
                    request = changed;
                }
                BeforeModel::Reply(reply) => {
                    self.tell_decision(link, AT, None, Decision::Gave, cx);
                    return Ok(Asked::Replied(reply));
                }
                BeforeModel::Stop(stop) => return Err(self.stops(link, AT, None, stop, cx)),
            }
        }
        Ok(Asked::Model(request))
    }

    /// Decides about a reply of the model.
    pub(crate) async fn after_model(
        &self,
        mut reply: ChatReply,
        cx: &Context,
    ) -> Result<Gate<ChatReply>, HookStop> {
        const AT: &str = "after_model";
        for link in &self.links {
            let run = self.seen_by(link, cx);
            match self.decided(link, AT, None, cx, || link.hook.after_model(&reply, &run)).await? {
                AfterModel::Go => {}
                AfterModel::Change(changed) => {
                    self.tell_decision(link, AT, None, Decision::Changed, cx);
                    reply = ChatReply { usage: reply.usage, model: reply.model, ..*changed };
                }
                AfterModel::Refuse(why) => return Ok(self.refuses(link, AT, None, why, cx)),
                AfterModel::Stop(stop) => return Err(self.stops(link, AT, None, stop, cx)),
            }
        }
        Ok(Gate::Pass(reply))
    }

    /// Decides about a tool call. `check` says what is wrong with arguments.
    pub(crate) async fn before_tool(
        &self,
        call: &mut ToolUse,
        check: impl Fn(&Json) -> Result<(), Vec<String>>,
        cx: &Context,
    ) -> Result<Gate<Called>, HookStop> {
        const AT: &str = "before_tool";
        let tool = call.tool.clone();
        let tool = Some(tool.as_str());
        let mut asks = Vec::new();
        for link in &self.links {
            let run = self.seen_by(link, cx);
            match self.decided(link, AT, tool, cx, || link.hook.before_tool(call, &run)).await? {
                BeforeTool::Go => {}
                BeforeTool::Change(arguments) => {
                    if let Err(faults) = check(&arguments) {
                        let faults = faults.join("; ");
                        let why = format!("the arguments that it gave are wrong: {faults}");
                        let stop = HookStop::new(HookStop::FAILED, why);
                        return Err(self.stops(link, AT, tool, stop, cx));
                    }
                    self.tell_decision(link, AT, tool, Decision::Changed, cx);
                    call.arguments = arguments;
                }
                BeforeTool::Refuse(why) => return Ok(self.refuses(link, AT, tool, why, cx)),
                BeforeTool::Ask { reason, category } => {
                    let decision = Decision::Asked { reason: reason.clone() };
                    self.tell_decision(link, AT, tool, decision, cx);
                    asks.push((reason, category));
                }
                BeforeTool::Give(output) => {
                    self.tell_decision(link, AT, tool, Decision::Gave, cx);
                    return Ok(Gate::Pass(Called::Given(output)));
                }
                BeforeTool::Stop(stop) => return Err(self.stops(link, AT, tool, stop, cx)),
            }
        }
        Ok(Gate::Pass(Called::Tool { arguments: call.arguments.clone(), asks }))
    }

    /// Decides about the result of a tool call.
    pub(crate) async fn after_tool(
        &self,
        call: &ToolUse,
        mut result: ToolMessage,
        cx: &Context,
    ) -> Result<Gate<ToolMessage>, HookStop> {
        const AT: &str = "after_tool";
        let tool = Some(call.tool.as_str());
        for link in &self.links {
            let run = self.seen_by(link, cx);
            let decided = || link.hook.after_tool(call, &result, &run);
            match self.decided(link, AT, tool, cx, decided).await? {
                AfterTool::Go => {}
                AfterTool::Change(changed) => {
                    self.tell_decision(link, AT, tool, Decision::Changed, cx);
                    let ToolMessage { content, images, is_error, .. } = *changed;
                    result = ToolMessage { content, images, is_error, ..result };
                }
                AfterTool::Refuse(why) => return Ok(self.refuses(link, AT, tool, why, cx)),
                AfterTool::Stop(stop) => return Err(self.stops(link, AT, tool, stop, cx)),
            }
        }
        Ok(Gate::Pass(result))
    }

    /// Decides about the text with which the run ends.
    pub(crate) async fn on_answer(
        &self,
        mut answer: String,
        cx: &Context,
    ) -> Result<Gate<String>, HookStop> {
        const AT: &str = "on_answer";
        for link in &self.links {
            let run = self.seen_by(link, cx);
            match self.decided(link, AT, None, cx, || link.hook.on_answer(&answer, &run)).await? {
                OnAnswer::Go => {}
                OnAnswer::Change(changed) => {
                    self.tell_decision(link, AT, None, Decision::Changed, cx);
                    answer = changed;
                }
                OnAnswer::Refuse(why) => return Ok(self.refuses(link, AT, None, why, cx)),
                OnAnswer::Stop(stop) => return Err(self.stops(link, AT, None, stop, cx)),
            }
        }
        Ok(Gate::Pass(answer))
    }

    /// What a hook decides. A hook that fails or panics stops its run.
    async fn decided<'a, T>(
        &self,
        link: &Link,
        at: &str,
        tool: Option<&str>,
        cx: &Context,
        decide: impl FnOnce() -> Decides<'a, T>,
    ) -> Result<T, HookStop> {
        // A run that a hook begins is not inside: its hooks would ask the hook about itself.
        let decided = RunScope::new().enter(async { decide().await });
        let decided = AssertUnwindSafe(decided).catch_unwind().await;
        let error = match decided {
            Ok(Ok(decided)) => return Ok(decided),
            Ok(Err(error)) => error,
            Err(panic) => WorkerError::msg(format!("it panicked: {}", message(&*panic))),
        };
        let stop = HookStop::new(HookStop::FAILED, error.to_string());
        Err(self.stops(link, at, tool, stop, cx))
    }

    fn refuses<T>(
        &self,
        link: &Link,
        at: &str,
        tool: Option<&str>,
        why: String,
        cx: &Context,
    ) -> Gate<T> {
        self.tell_decision(link, at, tool, Decision::Refused { why: why.clone() }, cx);
        Gate::Refused { hook: link.hook.name().to_owned(), why }
    }

    fn stops(
        &self,
        link: &Link,
        at: &str,
        tool: Option<&str>,
        stop: HookStop,
        cx: &Context,
    ) -> HookStop {
        let stop = self.stop(link, stop.by(link.hook.name()));
        self.tell_decision(link, at, tool, Decision::Stopped { stop: stop.clone() }, cx);
        stop
    }

    fn tell_decision(
        &self,
        link: &Link,
        at: &str,
        tool: Option<&str>,
        decision: Decision,
        cx: &Context,
    ) {
        let hook = link.hook.name().to_owned();
        self.event(hook, at, tool, decision).tell(cx);
    }

    fn event(&self, hook: String, at: &str, tool: Option<&str>, decision: Decision) -> HookEvent {
        HookEvent {
            hook,
            agent: self.path(),
            at: at.to_owned(),
            tool: tool.map(str::to_owned),
            decision,
        }
    }

    /// Publishes that a person is not asked about a call of `tool`, because they always allow it.
    pub(crate) fn tell_allowed(&self, tool: &str, cx: &Context) {
        let event = self.event(String::new(), "before_tool", Some(tool), Decision::AllowedBefore);
        event.tell(cx);
    }
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is no text".to_owned())
}
