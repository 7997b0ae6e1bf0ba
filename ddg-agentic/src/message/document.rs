//! Documents in messages.

use std::fmt;

use ddg_core::__report::shown;
use serde::{Deserialize, Serialize};

use super::MediaSource;
use super::media::essence;

/// A document: a PDF, a text, a file of an office program.
///
/// A document of text (any `text/…`, JSON, XML and such, in UTF-8) can be read by every model: it
/// is sent as text where its provider has no place for documents. PDFs are read by the models of
/// OpenAI, Anthropic and Gemini, other files by OpenAI's Responses API. What a model cannot read is
/// a [`ModelError::Unsupported`](crate::model::ModelError::Unsupported) in a message of a person,
/// and a note in the result of a tool.
///
/// ```
/// use ddg_agentic::Message;
/// use ddg_agentic::message::{ContentPart, Document};
///
/// let report = Document::bytes("application/pdf", b"%PDF-1.7 ...").name("report.pdf");
/// assert_eq!(report.to_string(), "document report.pdf: application/pdf, 12 bytes");
/// let question = Message::user_with_document("What does it say?", report);
/// assert!(!format!("{question:?}").contains("JVBERi"));
///
/// let notes = Document::bytes("text/markdown", "# Notes");
/// assert_eq!(notes.text().as_deref(), Some("# Notes"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Document {
    /// The media type, such as `application/pdf`.
    pub media_type: String,
    /// The content, or where it is.
    pub source: MediaSource,
    /// The name of the file, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Document {
    /// Creates a document with this media type from its content, or from where it is.
    pub fn new(media_type: impl AsRef<str>, source: MediaSource) -> Self {
        Self { media_type: essence(media_type.as_ref()), source, name: None }
    }

    /// Creates a PDF from its bytes in base64.
    pub fn pdf(base64: impl Into<String>) -> Self {
        Self::new("application/pdf", MediaSource::Base64(base64.into()))
    }

    /// Creates a document from its bytes.
    pub fn bytes(media_type: impl AsRef<str>, bytes: impl AsRef<[u8]>) -> Self {
        Self::new(media_type, MediaSource::bytes(bytes))
    }

    /// Creates a document that the model's provider fetches. OpenAI's chat completions fetch
    /// nothing.
    pub fn url(media_type: impl AsRef<str>, url: impl Into<String>) -> Self {
        Self::new(media_type, MediaSource::Url(url.into()))
    }

    /// Creates a document that was uploaded to the model's provider, by the id that it has there.
    /// For Gemini, give the URI of the file to [`url`](Self::url) instead.
    pub fn file_id(media_type: impl AsRef<str>, id: impl Into<String>) -> Self {
        Self::new(media_type, MediaSource::FileId(id.into()))
    }

    /// Sets the name of the file, such as `report.pdf`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The text of a document of text: its media type is `text/…`, or one of the formats that are
    /// text (JSON, XML, YAML, TOML, JavaScript, SQL), and its content is here, in UTF-8.
    pub fn text(&self) -> Option<String> {
        let is_text = match self.media_type.split_once('/') {
            Some(("text", _)) => true,
            Some(("application", format)) => {
                let format = format.strip_prefix("x-").unwrap_or(format);
                matches!(
                    format,
                    "json" | "jsonl" | "ndjson" | "xml" | "yaml" | "toml" | "javascript" | "sql"
                ) || format.ends_with("+json")
                    || format.ends_with("+xml")
            }
            _ => false,
        };
        let bytes = is_text.then(|| self.source.to_bytes()).flatten()?;
        String::from_utf8(bytes).ok()
    }

    #[cfg(feature = "providers")]
    pub(crate) fn is_pdf(&self) -> bool {
        self.media_type == "application/pdf"
    }

    /// What the model is told before the text of the document.
    pub(crate) fn heading(&self) -> String {
        match &self.name {
            Some(name) => format!("[document {}: {}]", shown(name), shown(&self.media_type)),
            None => format!("[document: {}]", shown(&self.media_type)),
        }
    }
}

impl fmt::Display for Document {
    /// The document in words, for models that cannot read it: its name, type and size, or where it
    /// is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { media_type, source, name } = self;
        f.write_str("document")?;
        if let Some(name) = name {
            write!(f, " {}", shown(name))?;
        }
        write!(f, ": {}, {source}", shown(media_type))
    }
}
