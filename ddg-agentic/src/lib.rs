//! Agents on [`ddg_core`]: models, tools, and a ReAct loop that is a dynamic graph.
//!
//! Read in this order: [`Message`] is what is said; [`ChatModel`] says it, and [`ChatModelExt`] is what
//! can be done with any; a [`Tool`] does what a model asks for; [`Memory`] decides what of a
//! conversation the model is shown, and a [`ConversationStore`] keeps it; a [`ReActAutoma`] is an agent
//! of all these, and an [`Agent`] one for many conversations; [`files`] are handed over by id.
//!
//! Features, all off unless asked for: `providers` for models over HTTP (`OpenAi` and all that speak as
//! it does, `Anthropic`, `Gemini`, `Ollama`); `mcp` for tools of MCP servers (`McpServer`) and for tools
//! as an MCP server (`McpService`); `sqlite` for conversations in a file; `tiktoken` for tokens
//! counted as OpenAI's models do.

mod compose;
pub mod files;
#[cfg(feature = "mcp")]
mod mcp;
mod memory;
mod message;
mod model;
mod prompt;
#[cfg(feature = "providers")]
mod provider;
mod react;
mod runs;
mod schema;
#[cfg(any(feature = "mcp", feature = "providers"))]
mod tls;
mod tool;

pub use compose::{ConcurrentAutoma, SequentialAutoma};
pub use ddg_macros::tool;
#[cfg(feature = "mcp")]
pub use mcp::{McpClient, McpError, McpHttp, McpServer, McpService, McpStdio, McpTool};
#[cfg(feature = "sqlite")]
pub use memory::SqliteConversations;
#[cfg(feature = "tiktoken")]
pub use memory::TiktokenTokens;
pub use memory::{
    Conversation, ConversationError, ConversationFuture, ConversationId, ConversationPage,
    ConversationRecord, ConversationStore, ConversationVersion, CountTokens, EstimatedTokens,
    Everything, InvalidConversationId, LastMessages, Memory, MemoryConversations,
    StoredConversation, Summarising, Summary, SummaryError, TokenWindow,
};
pub use message::{Arguments, AssistantMessage, Image, Message, Part, ToolCall, ToolMessage};
pub use model::{
    Capabilities, ChatChunk, ChatModel, ChatModelExt, ChatReply, ChatRequest, ChatStream, Cost,
    ExtractError, Extracted, Extraction, Fallback, FinishReason, ModelCalled, ModelError,
    ModelWorker, NoPrice, OfflineModel, OutputSchema, Price, Retrying, ScriptedModel, ToolChoice,
    ToolSelection, ToolSelector, Usage, UsageMeter,
};
pub use prompt::{PromptError, PromptTemplate, PromptWorker};
#[cfg(feature = "providers")]
pub use provider::{Anthropic, Api, ApiKey, Gemini, HttpModel, Ollama, OpenAi};
pub use react::{
    AgentEnd, AgentOutcome, AnswerPart, Limit, Limits, NoAnswer, ReActAutoma, Task, ToolCalls,
    ToolStep,
};
pub use runs::{Agent, AgentError, Said, WhenBusy};
pub use schemars;
pub use tool::{
    Approval, AutomaTool, CallFiles, IntoToolOutput, MissingState, OnFailure, State, States, Tool,
    ToolCalled, ToolEnded, ToolError, ToolOptions, ToolOutput, ToolResult, ToolSpec, Toolbox,
    ToolboxBuilder, ToolboxError, ToolboxFault, Verdict,
};

/// What nearly every agent needs, with the [prelude of the engine](ddg_core::prelude).
pub mod prelude {
    pub use ddg_core::prelude::*;

    pub use crate::{
        Agent, AgentEnd, AgentOutcome, Approval, ChatModel, ChatModelExt, ChatReply, ChatRequest,
        Conversation, LastMessages, Limits, Message, ModelError, OfflineModel, ReActAutoma, Said,
        ScriptedModel, State, Task, ToolCall, ToolCalls, ToolOptions, Toolbox, UsageMeter, Verdict,
        WhenBusy, tool,
    };
}

/// What a tool has to do with files; not for people.
#[doc(hidden)]
pub use tool::FileUse;

/// What `#[tool]` writes; not for people.
#[doc(hidden)]
pub mod __private {
    pub use {schemars, serde};

    pub use crate::tool::{FuncTool, Given, blocking, output, result};
}

/// What the compiler refuses of a `#[tool]`, with the compiler's own words around the library's:
/// messages of the macro itself are among its tests.
///
/// A parameter that has no schema:
///
/// ```compile_fail,E0277
/// #[derive(serde::Deserialize)]
/// struct Place;
///
/// /// Travels.
/// #[ddg_agentic::tool]
/// async fn travel(to: Place) {}
/// ```
///
/// An output that no model can read:
///
/// ```compile_fail,E0277
/// struct Ticket;
///
/// /// Books.
/// #[ddg_agentic::tool]
/// async fn book() -> Ticket { Ticket }
/// ```
///
/// A state that cannot be shared between threads:
///
/// ```compile_fail,E0277
/// use ddg_agentic::State;
///
/// /// Counts.
/// #[ddg_agentic::tool]
/// async fn count(n: State<std::cell::Cell<u32>>) -> u32 { n.get() }
/// ```
///
/// A function that does not say what it is for:
///
/// ```compile_fail
/// #[ddg_agentic::tool]
/// async fn weather() {}
/// ```
#[cfg(doctest)]
struct Refused;

/// The programs of the README and the guide to agents, compiled and run.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/agents.md")]
    struct Agents;
}
