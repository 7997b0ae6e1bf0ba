//! Agents on [`ddg_core`]: models, tools, and a ReAct loop that is a dynamic graph.
//!
//! Read in this order: [`Message`] is what is said; [`ChatModel`] says it, and [`ChatModelExt`] is what
//! can be done with any; a [`Tool`] does what a model asks for; [`Memory`] decides what of a
//! conversation the model is shown, and a [`ConversationStore`] keeps it.

mod memory;
mod message;
mod model;
mod prompt;
mod schema;
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
    Capabilities, ChatChunk, ChatModel, ChatModelExt, ChatReply, ChatRequest, ChatStream, Cost,
    ExtractError, Extracted, Extraction, Fallback, FinishReason, ModelCalled, ModelError,
    ModelWorker, NoPrice, OfflineModel, OutputSchema, Price, Retrying, ScriptedModel, ToolChoice,
    ToolSelection, ToolSelector, Usage, UsageMeter,
};
pub use prompt::{PromptError, PromptTemplate, PromptWorker};
pub use tool::{Tool, ToolOutput, ToolSpec};
