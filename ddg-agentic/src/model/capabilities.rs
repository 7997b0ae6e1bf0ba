//! Capabilities of models.

/// The capabilities of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The model calls tools.
    pub tools: bool,
    /// The model gives its reply piece by piece. Otherwise a stream has one piece.
    pub streaming: bool,
    /// The model follows a JSON schema for its reply. Otherwise it is told the schema, and its
    /// reply is checked.
    pub output_schema: bool,
    /// The model follows a JSON schema for its reply even if it may call tools. Otherwise the
    /// schema is described in words, because many models would answer at once or never call a tool.
    pub output_schema_with_tools: bool,
    /// The model sees images.
    pub images: bool,
    /// The model reads documents such as PDFs. Documents of text are read by every model.
    pub documents: bool,
    /// The model hears recordings.
    pub audio: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            tools: true,
            streaming: true,
            output_schema: true,
            output_schema_with_tools: false,
            images: false,
            documents: false,
            audio: false,
        }
    }
}

impl Capabilities {
    /// The capabilities that both have.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self {
            tools: self.tools && other.tools,
            streaming: self.streaming && other.streaming,
            output_schema: self.output_schema && other.output_schema,
            output_schema_with_tools: self.output_schema_with_tools
                && other.output_schema_with_tools,
            images: self.images && other.images,
            documents: self.documents && other.documents,
            audio: self.audio && other.audio,
        }
    }

    /// Sets whether the model calls tools.
    #[must_use]
    pub fn tools(mut self, tools: bool) -> Self {
        self.tools = tools;
        self
    }

    /// Sets whether the model gives its reply piece by piece.
    #[must_use]
    pub fn streaming(mut self, streaming: bool) -> Self {
        self.streaming = streaming;
        self
    }

    /// Sets whether the model follows a JSON schema.
    #[must_use]
    pub fn output_schema(mut self, output_schema: bool) -> Self {
        self.output_schema = output_schema;
        self
    }

    /// Sets whether it follows a JSON schema also where it may call tools.
    #[must_use]
    pub fn output_schema_with_tools(mut self, output_schema_with_tools: bool) -> Self {
        self.output_schema_with_tools = output_schema_with_tools;
        self
    }

    /// Sets whether it sees images.
    #[must_use]
    pub fn images(mut self, images: bool) -> Self {
        self.images = images;
        self
    }

    /// Sets whether it reads documents such as PDFs.
    #[must_use]
    pub fn documents(mut self, documents: bool) -> Self {
        self.documents = documents;
        self
    }

    /// Sets whether it hears recordings.
    #[must_use]
    pub fn audio(mut self, audio: bool) -> Self {
        self.audio = audio;
        self
    }
}
