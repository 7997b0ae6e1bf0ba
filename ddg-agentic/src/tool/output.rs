//! Results of tools.

use std::any::{Any, TypeId};

use ddg_core::WorkerError;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::files::{File, collecting, records};
use crate::message::{Attachment, Image, Usage};

/// The result of a tool: text for the model, and the usage of models on the way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolOutput {
    /// The text for the model.
    pub content: String,
    /// The usage of agents that were called on the way.
    pub usage: Usage,
    /// The images for the model. A model that cannot see them gets a note in their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// The documents and recordings for the model. A model that cannot take one gets a note in its
    /// place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The files in the result.
    #[serde(default, serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Whether the content is the JSON of a value that is not text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) structured: bool,
}

/// A return type of a [`#[tool]`](macro@crate::tool) function, also in a `Result`: text, any serde
/// type (the model reads its JSON), nothing (the model reads `done`), or a [`ToolOutput`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a tool gives",
    label = "not something that a model can read",
    note = "a tool returns `T` or `Result<T, E>`, where `T` is a text, a type that implements `Serialize`, or a `ToolOutput`; it owns its data"
)]
pub trait IntoToolOutput {
    /// Converts into the text for the model.
    ///
    /// # Errors
    /// If the value cannot be serialised as JSON.
    fn into_tool_output(self) -> Result<ToolOutput, WorkerError>;
}

impl<T: Serialize + 'static> IntoToolOutput for T {
    fn into_tool_output(self) -> Result<ToolOutput, WorkerError> {
        if TypeId::of::<T>() == TypeId::of::<()>() {
            return Ok(ToolOutput::text("done"));
        }
        let mut this = Some(self);
        if let Some(output) = (&mut this as &mut dyn Any).downcast_mut::<Option<ToolOutput>>() {
            return Ok(output.take().unwrap_or_default());
        }
        let (json, files) = collecting(|| serde_json::to_string(&this));
        let json = json?;
        // The model reads a string without its quotes.
        let structured = !json.starts_with('"');
        let content = if structured { json } else { serde_json::from_str(&json)? };
        Ok(ToolOutput { files, structured, ..ToolOutput::text(content) })
    }
}

impl ToolOutput {
    /// Creates a result that is text.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// Creates a result from JSON: the text of a string, or the JSON itself.
    pub(super) fn of_json(json: Json) -> Self {
        match json {
            Json::String(text) => Self::text(text),
            json => Self { structured: true, ..Self::text(json.to_string()) },
        }
    }

    /// Sets the usage of agents that were called on the way.
    #[must_use]
    pub fn usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// Adds an image for the model to see.
    ///
    /// ```
    /// use ddg_agentic::message::Image;
    /// use ddg_agentic::prelude::*;
    /// use ddg_agentic::tool::ToolOutput;
    ///
    /// /// Takes a picture of the screen.
    /// #[tool]
    /// async fn screenshot() -> ToolOutput {
    ///     let base64 = "iVBORw0KGgo=".to_owned();
    ///     ToolOutput::text("The screen:").image(Image::png(base64))
    /// }
    /// ```
    #[must_use]
    pub fn image(mut self, image: Image) -> Self {
        self.images.push(image);
        self
    }

    /// Adds a document or a recording for the model. A document of text is added to the text, so it
    /// counts for the maximum length of outputs.
    ///
    /// ```
    /// use ddg_agentic::message::Document;
    /// use ddg_agentic::prelude::*;
    /// use ddg_agentic::tool::ToolOutput;
    ///
    /// /// Fetches an invoice.
    /// #[tool]
    /// async fn invoice(number: u32) -> ToolOutput {
    ///     let pdf = Document::bytes("application/pdf", b"%PDF-1.7 ...");
    ///     let name = format!("invoice-{number}.pdf");
    ///     ToolOutput::text("The invoice:").attach(pdf.name(name))
    /// }
    /// ```
    #[must_use]
    pub fn attach(mut self, attachment: impl Into<Attachment>) -> Self {
        match attachment.into() {
            Attachment::Document(document) if let Some(text) = document.text() => {
                let before = if self.content.is_empty() { "" } else { "\n" };
                self.content += &format!("{before}{}\n{text}", document.heading());
            }
            attachment => self.attachments.push(attachment),
        }
        self
    }

    /// Adds files. The text must name their ids and say what they are for.
    #[must_use]
    pub fn files(mut self, files: impl IntoIterator<Item = File>) -> Self {
        self.files.extend(files);
        self
    }
}

impl From<String> for ToolOutput {
    fn from(content: String) -> Self {
        Self::text(content)
    }
}

impl From<&str> for ToolOutput {
    fn from(content: &str) -> Self {
        Self::text(content)
    }
}
