//! Agents on [`ddg_core`]: models, tools, and a ReAct loop that is a dynamic graph.
//!
//! Read in this order: [`Message`] is what is said; [`ChatModel`] says it; a [`Tool`] does what a
//! model asks for; [`Memory`] decides what of a conversation the model is shown, and a
//! [`ConversationStore`] keeps it.
//!
//! Features, all off unless asked for: `providers` for models over HTTP (`OpenAi` and all that speak as
//! it does, `Anthropic`, `Gemini`, `Ollama`); `sqlite` for conversations in a file; `tiktoken` for tokens
//! counted as OpenAI's models do.

mod memory;
mod message;
mod model;
#[cfg(feature = "providers")]
mod provider;
mod tool;

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
    Capabilities, ChatChunk, ChatModel, ChatReply, ChatRequest, ChatStream, FinishReason,
    ModelError, OutputSchema, ToolChoice, Usage,
};
#[cfg(feature = "providers")]
pub use provider::{Anthropic, Api, ApiKey, Gemini, HttpModel, Ollama, OpenAi};
pub use tool::{Tool, ToolOutput, ToolSpec};
