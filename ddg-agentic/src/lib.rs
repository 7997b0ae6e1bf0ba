//! Agents on [`ddg_core`]: models, tools, and a ReAct loop that is a dynamic graph.
//!
//! Read in this order: a [`Message`] is part of a conversation; a [`ChatModel`] replies to
//! messages, and [`ChatModelExt`](model::ChatModelExt) has the methods that every model has; a
//! model calls [`Tool`](tool::Tool)s; [`Memory`](memory::Memory) decides which part of a
//! conversation the model sees, and a [`ConversationStore`](memory::ConversationStore) keeps
//! conversations; a [`ReActAutoma`] is an agent made of all of these, and an [`Agent`] serves many
//! conversations; [`files`] are passed by id, and parts of a task are delegated to child agents
//! ([`subturn`]).
//!
//! Features: `prompts`, on by default, for prompt templates. Off by default: `providers` for models
//! over HTTP (`OpenAi` and compatible servers, `Anthropic`, `Gemini`, `Ollama`); `mcp` for tools of
//! MCP servers (`McpEndpoint`) and for tools as an MCP server (`McpService`); `skills` for folders
//! with instructions that a model reads when it needs them; `sqlite` for
//! conversations in a file, and `postgres` for conversations in a database; `assistants` for
//! assistants, threads and runs in a database; `riddles` for riddles that many agents solve
//! together; `tiktoken` for counting tokens as OpenAI's models do; `json-schema` for
//! checking arguments and answers by all of JSON Schema, instead of the keywords that schemas of
//! Rust types use. `mcp` turns it on.
//!
//! Public dependencies, whose types and traits are in the API: `ddg-core`, `schemars` 1
//! (re-exported as [`schemars`]), `serde` 1, `serde_json` 1, `futures` 0.3 (`BoxFuture` and
//! `Stream`), `bytes` 1 (files), and with `mcp` `axum` 0.8 (`McpService::router`).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod agent;
#[cfg(feature = "assistants")]
pub mod assistants;
pub mod compose;
pub mod files;
pub mod gen_ai;
pub mod hook;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod memory;
pub mod message;
pub mod model;
pub mod observe;
#[cfg(feature = "prompts")]
pub mod prompt;
#[cfg(feature = "providers")]
pub mod provider;
pub mod react;
#[cfg(feature = "riddles")]
pub mod riddles;
mod schema;
mod scope;
#[cfg(feature = "skills")]
pub mod skill;
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

/// The items that nearly every agent needs, with the [prelude of the engine](ddg_core::prelude).
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

/// Items for the code that `#[tool]` generates. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use {schemars, serde};

    pub use crate::subturn::turn;
    pub use crate::tool::{FuncTool, Given, blocking, output, result};
}

/// Functions with `#[tool]` that the compiler refuses, with messages of the compiler around those
/// of this crate. Messages of the macro itself are among its own tests.
///
/// A parameter without a schema:
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
/// An output that a model cannot read:
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
/// A function without a description:
///
/// ```compile_fail
/// #[ddg_agentic::tool]
/// async fn weather() {}
/// ```
#[cfg(doctest)]
struct Refused;

/// The programs of pages that need a feature, compiled and run. The others are in the crate
/// `pages`.
#[cfg(doctest)]
mod pages {
    #[cfg(feature = "assistants")]
    #[doc = include_str!("../../docs/assistants.md")]
    struct Assistants;
    #[cfg(feature = "riddles")]
    #[doc = include_str!("../../docs/riddles.md")]
    struct Riddles;
}
