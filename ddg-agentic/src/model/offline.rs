//! A model without a network, which follows simple rules.

mod choose;
mod fill;
mod words;

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream;
use serde_json::Value as Json;

use super::{
    Capabilities, ChatChunk, ChatModel, ChatReply, ChatRequest, ChatStream, ModelError, ToolChoice,
    Usage,
};
use crate::message::{Message, ToolCall, ToolMessage};
use crate::tool::ToolSpec;
use fill::fill;
use words::Text;

/// A model without a network, so that examples run without a key. It understands nothing: it
/// compares words.
///
/// It calls each offered tool if the person's last message has a word of the tool's name, or two
/// words of its description; words that several tools share do not count. It takes arguments from
/// the same message: numbers next to the parameter's name (`3 nights`), places after "from", "to"
/// and "in", a value that the schema lists, and quoted text. [`when`](Self::when) sets better rules
/// for one tool. When there are results it lists them, and it says so if it cannot do something. It
/// fills in a JSON schema for its reply in the same way.
///
/// The same request always gets the same reply. It counts words as tokens.
///
/// ```
/// use ddg_agentic::ChatModel;
/// use ddg_agentic::model::{ChatRequest, OfflineModel};
/// use ddg_agentic::tool::ToolSpec;
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ddg_agentic::model::ModelError> {
/// let parameters = json!({
///     "type": "object",
///     "properties": { "from": { "type": "string" }, "to": { "type": "string" } },
///     "required": ["from", "to"],
/// });
/// let flight = ToolSpec::new("flight_price", "The price of a flight.", parameters);
/// let request = ChatRequest::new(["What is a flight from San Francisco to Tokyo?"]).tools([flight]);
///
/// let call = &OfflineModel::new().chat(request).await?.message.tool_calls[0];
/// assert_eq!(call.name, "flight_price");
/// assert_eq!(call.arguments, json!({ "from": "San Francisco", "to": "Tokyo" }).into());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct OfflineModel {
    rules: Vec<Rule>,
}

/// When a tool is called, and with which arguments.
#[derive(Clone)]
struct Rule {
    words: Vec<String>,
    tool: String,
    arguments: Arc<dyn Fn(&str) -> Json + Send + Sync>,
}

/// A decision about a tool.
enum Decision {
    Call(String, Json),
    /// Some arguments are missing in the text.
    Ask(String, Vec<String>),
}

impl OfflineModel {
    /// Creates a model without rules of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `tool`, if it is offered, exactly for messages that have one of `words`. `arguments`
    /// takes the arguments from the message.
    #[must_use]
    pub fn when<W: Into<String>>(
        mut self,
        words: impl IntoIterator<Item = W>,
        tool: impl Into<String>,
        arguments: impl Fn(&str) -> Json + Send + Sync + 'static,
    ) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        self.rules.push(Rule { words, tool: tool.into(), arguments: Arc::new(arguments) });
        self
    }

    fn reply(&self, request: &ChatRequest) -> ChatReply {
        let asked =
            request.messages.iter().rposition(|message| matches!(message, Message::User { .. }));
        let (text, since) = match asked {
            Some(place) => (request.messages[place].text(), request.messages.range(place + 1..)),
            None => (String::new(), request.messages.iter()),
        };
        let results: Vec<_> = since.filter_map(result).collect();
        let has_to = matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));

        let reply = if let Some(wanted) = &request.output_schema {
            let json =
                fill(&wanted.schema, &Text::new(&text)).unwrap_or_else(|missing| missing.rest);
            ChatReply::text(json.to_string())
        } else if request.tool_choice == ToolChoice::None || (!results.is_empty() && !has_to) {
            ChatReply::text(sum_up(&results, &[]))
        } else {
            act(self.decide(&text, request), request)
        };
        let n_read: usize = request.messages.iter().map(|message| n_words(&message.text())).sum();
        let n_written = n_words(&reply.message.text)
            + reply
                .message
                .tool_calls
                .iter()
                .map(|call| n_words(&call.arguments.to_text()))
                .sum::<usize>();
        reply.usage(Usage::new(n_read as u64, n_written as u64))
    }

    /// Decides about the offered tools.
    fn decide(&self, text: &str, request: &ChatRequest) -> Vec<Decision> {
        let words = Text::new(text);
        let mut chosen: Vec<&ToolSpec> = match &request.tool_choice {
            ToolChoice::Named(name) => {
                request.tools.iter().filter(|tool| tool.name == *name).collect()
            }
            _ => request
                .tools
                .iter()
                .filter(|tool| self.fits(&words, tool, &request.tools))
                .collect(),
        };
        if chosen.is_empty() && request.tool_choice == ToolChoice::Required {
            chosen.extend(request.tools.first());
        }
        chosen.into_iter().map(|tool| self.arguments(text, &words, tool)).collect()
    }

    fn fits(&self, words: &Text<'_>, tool: &ToolSpec, tools: &[ToolSpec]) -> bool {
        let mut rules = self.rules.iter().filter(|rule| rule.tool == tool.name).peekable();
        if rules.peek().is_none() {
            return choose::fits(words, tool, tools);
        }
        rules.any(|rule| rule.fits(words))
    }

    fn arguments(&self, text: &str, words: &Text<'_>, tool: &ToolSpec) -> Decision {
        let mut rules = self.rules.iter().filter(|rule| rule.tool == tool.name);
        if let Some(rule) = rules.find(|rule| rule.fits(words)) {
            return Decision::Call(tool.name.clone(), (rule.arguments)(text));
        }
        match fill(&tool.parameters, words) {
            Ok(arguments) => Decision::Call(tool.name.clone(), arguments),
            Err(missing) => Decision::Ask(tool.name.clone(), missing.names),
        }
    }
}

impl Rule {
    fn fits(&self, text: &Text<'_>) -> bool {
        self.words.iter().any(|word| text.has(word))
    }
}

/// The tool calls or, if nothing can be called, a text that says why.
fn act(decisions: Vec<Decision>, request: &ChatRequest) -> ChatReply {
    let n_before: usize = request.messages.iter().map(|message| message.tool_calls().len()).sum();
    let (mut calls, mut questions) = (Vec::new(), Vec::new());
    for decision in decisions {
        match decision {
            Decision::Call(tool, arguments) => {
                let id = format!("call_{}", n_before + calls.len() + 1);
                calls.push(ToolCall::new(id, tool, arguments));
            }
            Decision::Ask(tool, names) => {
                questions.push(format!("To call `{tool}` I need to know: {}.", names.join(", ")));
            }
        }
    }
    if !calls.is_empty() {
        return ChatReply::calls(calls);
    }
    if !questions.is_empty() {
        return ChatReply::text(questions.join("\n"));
    }
    ChatReply::text(sum_up(&[], &request.tools))
}

/// A text with the results of the calls, or that there is nothing to say.
fn sum_up(results: &[&ToolMessage], tools: &[ToolSpec]) -> String {
    if !results.is_empty() {
        let lines = results.iter().map(|result| match result.is_error {
            false => format!("\n- {}: {}", result.name, result.content),
            true => format!("\n- {} failed: {}", result.name, result.content),
        });
        return format!("This is what I found:{}", lines.collect::<String>());
    }
    let names: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let can = match names[..] {
        [] => "I have no tools here".to_owned(),
        _ => format!("none of my tools fits: {}", names.join(", ")),
    };
    format!("I am an offline model and only choose tools by their words; {can}.")
}

fn result(message: &Message) -> Option<&ToolMessage> {
    match message {
        Message::Tool(result) => Some(result),
        _ => None,
    }
}

fn n_words(text: &str) -> usize {
    text.split_whitespace().count()
}

impl ChatModel for OfflineModel {
    fn name(&self) -> &str {
        "offline"
    }

    fn provider(&self) -> &str {
        "offline"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatReply, ModelError>> {
        Box::pin(async move { Ok(self.reply(&request)) })
    }

    /// Streams the reply word by word.
    fn stream(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatStream, ModelError>> {
        Box::pin(async move {
            let reply = self.reply(&request);
            if !reply.message.tool_calls.is_empty() {
                return Ok(ChatStream::of_reply(reply));
            }
            let words = reply.message.text.split_inclusive(char::is_whitespace);
            let words = words.map(|word| ChatChunk::Text(word.to_owned()));
            let end = ChatChunk::End { finish: reply.finish.clone(), usage: reply.usage };
            let chunks: Vec<_> = words.chain([end]).map(Ok).collect();
            Ok(ChatStream::new("offline", stream::iter(chunks)))
        })
    }
}

impl fmt::Debug for OfflineModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OfflineModel({} rules)", self.rules.len())
    }
}
