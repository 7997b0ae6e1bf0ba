//! Agents on [`ddg_core`]: models, tools, and a ReAct loop that is a dynamic graph.
//!
//! Read in this order: [`Message`] is what is said; [`ChatModel`] says it, and [`ChatModelExt`](model::ChatModelExt) is what
//! can be done with any; a [`Tool`](tool::Tool) does what a model asks for; [`Memory`](memory::Memory) decides what of a
//! conversation the model is shown, and a [`ConversationStore`](memory::ConversationStore) keeps it; a [`ReActAutoma`] is an agent
//! of all these, and an [`Agent`] one for many conversations; [`files`] are handed over by id, and parts of a
//! task to child agents ([`subturn`]).
//!
//! Features: `prompts`, on unless it is turned off, for prompt templates. Off unless asked for: `providers` for models over HTTP (`OpenAi` and all that speak as
//! it does, `Anthropic`, `Gemini`, `Ollama`); `mcp` for tools of MCP servers (`McpEndpoint`) and for tools
//! as an MCP server (`McpService`); `sqlite` for conversations in a file; `tiktoken` for tokens
//! counted as OpenAI's models do; `json-schema` for arguments and answers checked by all of JSON Schema, in place
//! of the keywords that schemas of Rust types use. `mcp` turns it on.

mod agent;
pub mod compose;
pub mod files;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod memory;
pub mod message;
pub mod model;
#[cfg(feature = "prompts")]
pub mod prompt;
#[cfg(feature = "providers")]
pub mod provider;
pub mod react;
mod schema;
pub mod subturn;
#[cfg(any(feature = "mcp", feature = "providers"))]
mod tls;
pub mod tool;

pub use agent::{
    Agent, AgentError, AgentRun, Closed, ConversationState, FromSaid, Said, Stopped, WhenBusy,
};
pub use ddg_macros::tool;
pub use message::Message;
pub use model::ChatModel;
pub use react::{AgentOutcome, ReActAutoma, Task};
pub use schemars;
pub use tool::Toolbox;

/// What nearly every agent needs, with the [prelude of the engine](ddg_core::prelude).
pub mod prelude {
    pub use ddg_core::prelude::*;
    pub use ddg_macros::tool;

    pub use crate::memory::{Conversation, LastMessages};
    pub use crate::message::ToolCall;
    pub use crate::model::{
        ChatModelExt, ChatReply, ChatRequest, ModelError, OfflineModel, ScriptedModel, UsageMeter,
    };
    pub use crate::react::{AgentEnd, AgentFailed, Limits, ToolCallMode};
    pub use crate::tool::{Approval, State, ToolOptions, Verdict};
    pub use crate::{
        Agent, AgentOutcome, ChatModel, Message, ReActAutoma, Said, Task, Toolbox, WhenBusy,
    };
}

/// What `#[tool]` writes; not for people.
#[doc(hidden)]
pub mod __private {
    pub use {schemars, serde};

    pub use crate::subturn::turn;
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
/// use ddg_agentic::tool::State;
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
