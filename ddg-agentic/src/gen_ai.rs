//! The `tracing` spans of agents, as the semantic conventions of OpenTelemetry for generative AI
//! have them.
//!
//! | span | kind | parent |
//! | --- | --- | --- |
//! | `invoke_agent {agent}` | internal | the run; of an agent inside another, its tool call |
//! | `chat {model}` | client | the agent that asks; else the caller's span |
//! | `execute_tool {tool}` | internal | the agent that calls; else the caller's span |
//!
//! Spans are of the level `info`, and of the target [`TARGET`]. The fields `otel.name`, `otel.kind`
//! and `otel.status_code` are for `tracing-opentelemetry`; all others are attributes with the names
//! of the [conventions](names). A list, such as the reasons why a reply ended, is its JSON text,
//! because fields of `tracing` are no lists. What people, models and tools say is in no span,
//! unless an agent [records content](crate::ReActAutoma::record_content).
//!
//! Revision of the conventions: 1.41.0.

pub mod names;
mod span;

pub(crate) use span::{AgentSpan, ModelSpan, ToolSpan};

/// The target of the spans, for filters.
pub const TARGET: &str = "ddg_agentic::gen_ai";
