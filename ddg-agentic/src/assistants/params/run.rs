//! Requests that create a run, and that submit outputs to one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::message::MessageParams;
use super::settings::{
    MAX_TEMPERATURE, extra_body, no_tool_resources, reasoning_effort, response_format, tool_choice,
    tools, truncation,
};
use super::thread::ThreadParams;
use crate::assistants::AssistantsError;
use crate::assistants::fields::{Fields, read};
use crate::assistants::object::{AssistantTool, Metadata, TruncationStrategy};

/// A request that creates a run. What it leaves out is taken from the assistant.
///
/// ```
/// use ddg_agentic::assistants::RunParams;
/// use serde_json::json;
///
/// let params = RunParams::try_from(json!({ "assistant_id": "asst_1", "stream": true }))?;
/// assert!(params.stream);
/// let error = RunParams::try_from(json!({ "assistant_id": "asst_1", "n": 2 })).unwrap_err();
/// assert_eq!(error.to_string(), "Unknown parameter: 'n'.");
/// # Ok::<(), ddg_agentic::assistants::AssistantsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RunParams {
    /// The assistant.
    pub assistant_id: String,
    /// The thread to create, for a request that creates thread and run.
    pub thread: Option<ThreadParams>,
    /// The model in place of the assistant's.
    pub model: Option<String>,
    /// Instructions in place of the assistant's.
    pub instructions: Option<String>,
    /// Instructions after the others.
    pub additional_instructions: Option<String>,
    /// Messages that are added to the thread with the run.
    pub additional_messages: Vec<MessageParams>,
    /// Tools in place of the assistant's.
    pub tools: Option<Vec<AssistantTool>>,
    /// Pairs of the client.
    pub metadata: Metadata,
    /// The temperature in place of the assistant's.
    pub temperature: Option<f64>,
    /// The probability mass in place of the assistant's.
    pub top_p: Option<f64>,
    /// Maximum number of tokens that the model reads in the run.
    pub max_prompt_tokens: Option<u64>,
    /// Maximum number of tokens that the model writes in the run.
    pub max_completion_tokens: Option<u64>,
    /// What the model sees of a long thread.
    pub truncation_strategy: Option<TruncationStrategy>,
    /// Whether the model calls tools.
    pub tool_choice: Option<Json>,
    /// Whether the model may call several tools at once.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer in place of the assistant's.
    pub response_format: Option<Json>,
    /// The effort of reasoning in place of the assistant's.
    pub reasoning_effort: Option<String>,
    /// Options of the stream. Usage is asked for whatever they say.
    pub stream_options: Option<Json>,
    /// Fields for the body of requests to the model's provider, over the assistant's.
    pub extra_body: Map<String, Json>,
    /// Whether the client reads events.
    pub stream: bool,
}

impl RunParams {
    /// Creates a request for a run of an assistant.
    pub fn new(assistant_id: impl Into<String>) -> Self {
        Self { assistant_id: assistant_id.into(), ..Self::default() }
    }

    fn settings(mut fields: Fields) -> Result<Self, AssistantsError> {
        no_tool_resources(&mut fields)?;
        let format = fields.take("response_format");
        let choice = fields.take("tool_choice");
        let effort = fields.text("reasoning_effort")?;
        let params = Self {
            assistant_id: fields.required_text("assistant_id")?,
            thread: None,
            model: fields.text("model")?,
            instructions: fields.text("instructions")?,
            additional_instructions: None,
            additional_messages: Vec::new(),
            tools: tools(&mut fields)?,
            metadata: fields.metadata()?.unwrap_or_default(),
            temperature: fields.number_patch("temperature", MAX_TEMPERATURE)?.flatten(),
            top_p: fields.number_patch("top_p", 1.0)?.flatten(),
            max_prompt_tokens: fields.count("max_prompt_tokens", 1)?,
            max_completion_tokens: fields.count("max_completion_tokens", 1)?,
            truncation_strategy: truncation(&mut fields)?,
            tool_choice: choice.map(|json| tool_choice("tool_choice", json)).transpose()?,
            parallel_tool_calls: fields.flag("parallel_tool_calls")?,
            response_format: format
                .map(|json| response_format("response_format", json))
                .transpose()?,
            reasoning_effort: reasoning_effort("reasoning_effort", effort)?,
            stream_options: fields.object("stream_options")?.map(Json::Object),
            extra_body: extra_body(&mut fields)?.unwrap_or_default(),
            stream: fields.flag("stream")?.unwrap_or(false),
        };
        fields.finish()?;
        Ok(params)
    }

    /// Reads a request that creates thread and run.
    ///
    /// # Errors
    /// If a parameter is wrong.
    pub fn with_thread(body: Json) -> Result<Self, AssistantsError> {
        let mut fields = Fields::of(body)?;
        let thread = match fields.take("thread") {
            Some(thread) => ThreadParams::read(Fields::at("thread", thread)?)?,
            None => ThreadParams::default(),
        };
        Ok(Self { thread: Some(thread), ..Self::settings(fields)? })
    }
}

impl TryFrom<Json> for RunParams {
    type Error = AssistantsError;

    fn try_from(body: Json) -> Result<Self, AssistantsError> {
        let mut fields = Fields::of(body)?;
        let additional_instructions = fields.text("additional_instructions")?;
        let messages = fields.list("additional_messages")?.unwrap_or_default();
        let additional_messages = MessageParams::read_all("additional_messages", messages)?;
        let settings = Self::settings(fields)?;
        Ok(Self { additional_instructions, additional_messages, ..settings })
    }
}

/// The output of a call of a client's function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolOutputParams {
    /// The id of the call.
    pub tool_call_id: String,
    /// The output.
    #[serde(default)]
    pub output: String,
}

impl ToolOutputParams {
    /// Creates the output of a call.
    pub fn new(tool_call_id: impl Into<String>, output: impl Into<String>) -> Self {
        Self { tool_call_id: tool_call_id.into(), output: output.into() }
    }

    /// Reads a request that submits outputs: the outputs, and whether the client reads events.
    ///
    /// # Errors
    /// If a parameter is wrong.
    pub fn read(body: Json) -> Result<(Vec<Self>, bool), AssistantsError> {
        let mut fields = Fields::of(body)?;
        let list = fields.list("tool_outputs")?;
        let list = list.ok_or_else(|| crate::assistants::fields::missing("tool_outputs"))?;
        let stream = fields.flag("stream")?.unwrap_or(false);
        fields.finish()?;
        let output = |(n, json): (usize, Json)| read(&format!("tool_outputs[{n}]"), json);
        Ok((list.into_iter().enumerate().map(output).collect::<Result<_, _>>()?, stream))
    }
}
