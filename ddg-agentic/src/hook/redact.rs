//! Redaction of texts.

use std::fmt;

use ddg_core::WorkerError;
use serde_json::Value as Json;

use super::{AfterModel, AfterTool, BeforeTool, Hook, HookRun, OnAnswer, OnInput, ToolUse};
use crate::message::{
    Attachment, ContentPart, Document, MediaSource, Message, ToolArguments, ToolMessage,
};
use crate::model::ChatReply;

/// A hook that replaces texts everywhere: in messages of people, in replies and reasoning of the
/// model, in arguments and results of tools, in the answer; also in documents of text. What it has
/// replaced is not in the conversation either. Images, recordings and other documents, such as
/// PDFs, pass as they are.
///
/// ```
/// use ddg_agentic::hook::Redact;
/// use ddg_agentic::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ScriptedModel::new()
///     .text("The password hunter2 is weak.")
///     .expects_last("Is *** a good password?");
/// let redact = Redact::new("passwords", |text| text.replace("hunter2", "***"));
/// let agent = ReActAutoma::new(model).hook(redact).build()?;
/// let outcome = agent.run(args!("Is hunter2 a good password?")).await?;
/// assert_eq!(outcome.text(), "The password *** is weak.");
/// # Ok(())
/// # }
/// ```
pub struct Redact {
    name: String,
    replace: Box<dyn Fn(&str) -> String + Send + Sync>,
}

impl Redact {
    /// Creates the hook `name`, which replaces each text by what `replace` returns.
    pub fn new(
        name: impl Into<String>,
        replace: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), replace: Box::new(replace) }
    }

    /// Replaces in a text; returns whether it has changed.
    fn text(&self, text: &mut String) -> bool {
        let replaced = (self.replace)(text);
        let changed = replaced != *text;
        *text = replaced;
        changed
    }

    /// Replaces in the name of a document and, if it is one of text, in its content.
    fn document(&self, document: &mut Document) -> bool {
        let mut changed = document.name.as_mut().is_some_and(|name| self.text(name));
        if let Some(mut text) = document.text()
            && self.text(&mut text)
        {
            document.source = MediaSource::bytes(text);
            changed = true;
        }
        changed
    }

    /// Replaces in each text of a value, also in names of fields.
    fn json(&self, json: &mut Json) -> bool {
        match json {
            Json::String(text) => self.text(text),
            Json::Array(items) => items.iter_mut().fold(false, |any, item| self.json(item) | any),
            Json::Object(fields) => {
                let mut any = false;
                let replaced = std::mem::take(fields).into_iter().map(|(mut name, mut value)| {
                    any |= self.text(&mut name) | self.json(&mut value);
                    (name, value)
                });
                *fields = replaced.collect();
                any
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
    }

    fn arguments(&self, arguments: &mut ToolArguments) -> bool {
        match arguments {
            ToolArguments::Json(json) => self.json(json),
            ToolArguments::Malformed(text) => self.text(text),
        }
    }
}

impl Hook for Redact {
    fn name(&self) -> &str {
        &self.name
    }

    async fn on_input(&self, message: &Message, _: &HookRun) -> Result<OnInput, WorkerError> {
        let mut message = message.clone();
        let mut changed = false;
        if let Message::User { content } = &mut message {
            for part in content {
                changed |= match part {
                    ContentPart::Text { text } => self.text(text),
                    ContentPart::Document { document } => self.document(document),
                    ContentPart::Image { .. } | ContentPart::Audio { .. } => false,
                };
            }
        }
        Ok(if changed { OnInput::Change(message) } else { OnInput::Go })
    }

    async fn after_model(&self, reply: &ChatReply, _: &HookRun) -> Result<AfterModel, WorkerError> {
        let mut reply = reply.clone();
        let mut changed = self.text(&mut reply.message.text);
        reply.message.reasoning.retain_mut(|reasoning| {
            let replaced = self.text(&mut reasoning.text);
            changed |= replaced;
            // Providers refuse a signature with another text than theirs.
            !replaced || reasoning.opaque.is_none()
        });
        for call in &mut reply.message.tool_calls {
            changed |= self.arguments(&mut call.arguments);
        }
        Ok(if changed { AfterModel::change(reply) } else { AfterModel::Go })
    }

    async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        let mut arguments = call.arguments.clone();
        let changed = self.json(&mut arguments);
        Ok(if changed { BeforeTool::Change(arguments) } else { BeforeTool::Go })
    }

    async fn after_tool(
        &self,
        _: &ToolUse,
        result: &ToolMessage,
        _: &HookRun,
    ) -> Result<AfterTool, WorkerError> {
        let mut result = result.clone();
        let mut changed = self.text(&mut result.content);
        for attachment in &mut result.attachments {
            if let Attachment::Document(document) = attachment {
                changed |= self.document(document);
            }
        }
        Ok(if changed { AfterTool::change(result) } else { AfterTool::Go })
    }

    async fn on_answer(&self, answer: &str, _: &HookRun) -> Result<OnAnswer, WorkerError> {
        let mut answer = answer.to_owned();
        let changed = self.text(&mut answer);
        Ok(if changed { OnAnswer::Change(answer) } else { OnAnswer::Go })
    }
}

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redact({})", self.name)
    }
}
