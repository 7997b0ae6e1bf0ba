//! Requests that create or update an assistant.

use serde_json::{Map, Value as Json};

use super::settings::{
    MAX_TEMPERATURE, extra_body, no_tool_resources, reasoning_effort, response_format, tools,
};
use crate::assistants::AssistantsError;
use crate::assistants::fields::Fields;
use crate::assistants::object::{AssistantTool, Metadata};
use crate::assistants::rule::MemoryRule;

/// A request that creates an assistant, or updates one.
///
/// In an update, a field that is `None` is left as it is, and `Some(None)` resets it.
///
/// ```
/// use ddg_agentic::assistants::AssistantParams;
/// use serde_json::json;
///
/// let params = AssistantParams::try_from(json!({ "model": "small", "temperature": 0 }))?;
/// assert_eq!(params.temperature, Some(Some(0.0)));
///
/// let error = AssistantParams::try_from(json!({ "model": "small", "top_p": 3 })).unwrap_err();
/// assert_eq!(error.param(), Some("top_p"));
/// # Ok::<(), ddg_agentic::assistants::AssistantsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct AssistantParams {
    /// The model. Required to create an assistant.
    pub model: Option<String>,
    /// The name.
    pub name: Option<Option<String>>,
    /// The description.
    pub description: Option<Option<String>>,
    /// The instructions for the model.
    pub instructions: Option<Option<String>>,
    /// The tools.
    pub tools: Option<Vec<AssistantTool>>,
    /// Pairs of the client.
    pub metadata: Option<Metadata>,
    /// The temperature.
    pub temperature: Option<Option<f64>>,
    /// The probability mass of the tokens from which the model samples.
    pub top_p: Option<Option<f64>>,
    /// The form of answers.
    pub response_format: Option<Json>,
    /// The effort of reasoning.
    pub reasoning_effort: Option<Option<String>>,
    /// Fields for the body of requests to the model's provider.
    pub extra_body: Option<Map<String, Json>>,
}

impl AssistantParams {
    /// Creates a request for an assistant with this model.
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: Some(model.into()), ..Self::default() }
    }

    /// Sets the instructions.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(Some(instructions.into()));
        self
    }

    /// Adds a tool.
    #[must_use]
    pub fn tool(mut self, tool: AssistantTool) -> Self {
        self.tools.get_or_insert_default().push(tool);
        self
    }
}

impl TryFrom<Json> for AssistantParams {
    type Error = AssistantsError;

    fn try_from(body: Json) -> Result<Self, AssistantsError> {
        let mut fields = Fields::of(body)?;
        no_tool_resources(&mut fields)?;
        let format = fields.patch("response_format");
        let effort = fields.text_patch("reasoning_effort")?;
        let params = Self {
            model: fields.text("model")?,
            name: fields.text_patch("name")?,
            description: fields.text_patch("description")?,
            instructions: fields.text_patch("instructions")?,
            tools: tools(&mut fields)?,
            metadata: fields.metadata()?,
            temperature: fields.number_patch("temperature", MAX_TEMPERATURE)?,
            top_p: fields.number_patch("top_p", 1.0)?,
            response_format: format
                .map(|format| response_format("response_format", format.unwrap_or("auto".into())))
                .transpose()?,
            reasoning_effort: effort
                .map(|effort| reasoning_effort("reasoning_effort", effort))
                .transpose()?,
            extra_body: extra_body(&mut fields)?,
        };
        if let Some(metadata) = &params.metadata {
            MemoryRule::of(metadata)?;
        }
        fields.finish()?;
        Ok(params)
    }
}
