//! Names of attributes and operations of the semantic conventions, revision 1.41.0.

/// The name of the operation: [`CHAT`], [`EXECUTE_TOOL`] or [`INVOKE_AGENT`].
pub const OPERATION_NAME: &str = "gen_ai.operation.name";
/// The provider of the model.
pub const PROVIDER_NAME: &str = "gen_ai.provider.name";
/// The id of the conversation.
pub const CONVERSATION_ID: &str = "gen_ai.conversation.id";
/// The name of the agent.
pub const AGENT_NAME: &str = "gen_ai.agent.name";
/// The kind of content that was asked for: `json` or `text`.
pub const OUTPUT_TYPE: &str = "gen_ai.output.type";
/// The name of the model that is asked.
pub const REQUEST_MODEL: &str = "gen_ai.request.model";
/// The seed of the sampling.
pub const REQUEST_SEED: &str = "gen_ai.request.seed";
/// Whether the reply is streamed.
pub const REQUEST_STREAM: &str = "gen_ai.request.stream";
/// Maximum number of tokens of the reply.
pub const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
/// Texts that end the reply, as JSON.
pub const REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";
/// The temperature.
pub const REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";
/// The probability mass of the tokens from which the model samples.
pub const REQUEST_TOP_P: &str = "gen_ai.request.top_p";
/// Why the reply ended, as JSON.
pub const RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// The name of the model that replied.
pub const RESPONSE_MODEL: &str = "gen_ai.response.model";
/// Number of tokens of the request.
pub const USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
/// Number of tokens of the reply.
pub const USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
/// Number of tokens of the request that came from the provider's cache.
pub const USAGE_CACHE_READ: &str = "gen_ai.usage.cache_read.input_tokens";
/// The name of the tool.
pub const TOOL_NAME: &str = "gen_ai.tool.name";
/// The description of the tool.
pub const TOOL_DESCRIPTION: &str = "gen_ai.tool.description";
/// The kind of the tool: `function`.
pub const TOOL_TYPE: &str = "gen_ai.tool.type";
/// The id of the tool call.
pub const TOOL_CALL_ID: &str = "gen_ai.tool.call.id";
/// The arguments of the tool call. Content.
pub const TOOL_CALL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";
/// The result of the tool call. Content.
pub const TOOL_CALL_RESULT: &str = "gen_ai.tool.call.result";
/// The messages of the request, as JSON. Content.
pub const INPUT_MESSAGES: &str = "gen_ai.input.messages";
/// The message of the reply, as JSON. Content.
pub const OUTPUT_MESSAGES: &str = "gen_ai.output.messages";
/// The system prompt, as JSON. Content.
pub const SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";
/// The kind of an error.
pub const ERROR_TYPE: &str = "error.type";

/// The operation of asking a model.
pub const CHAT: &str = "chat";
/// The operation of calling a tool.
pub const EXECUTE_TOOL: &str = "execute_tool";
/// The operation of running an agent.
pub const INVOKE_AGENT: &str = "invoke_agent";
