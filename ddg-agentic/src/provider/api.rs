//! The providers, and their differences before a request is written.

/// An API of models: [`OpenAi`](crate::provider::OpenAi),
/// [`OpenAiResponses`](crate::provider::OpenAiResponses),
/// [`Anthropic`](crate::provider::Anthropic), [`Gemini`](crate::provider::Gemini) and
/// [`Ollama`](crate::provider::Ollama). For others, implement [`ChatModel`](crate::ChatModel).
#[expect(private_bounds, reason = "the five are all there are")]
pub trait Api: Named + 'static {}

/// The provider of an API.
pub(super) trait Named {
    const PROVIDER: Provider;
}

macro_rules! apis {
    ($($api:ident)*) => {$(
        #[doc = concat!("The API of [`", stringify!($api), "`](crate::", stringify!($api), ").")]
        #[derive(Debug)]
        pub enum $api {}

        impl Named for $api {
            const PROVIDER: Provider = Provider::$api;
        }

        impl Api for $api {}
    )*};
}

apis! { OpenAi OpenAiResponses Anthropic Gemini Ollama }

/// A provider, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    OpenAi,
    OpenAiResponses,
    Anthropic,
    Gemini,
    Ollama,
}

impl Provider {
    /// The name of the provider in the semantic conventions of OpenTelemetry.
    pub(super) fn convention(self) -> &'static str {
        match self {
            Self::OpenAi | Self::OpenAiResponses => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gcp.gemini",
            Self::Ollama => "ollama",
        }
    }

    /// The default URL.
    pub(super) fn base_url(self) -> &'static str {
        match self {
            Self::OpenAi | Self::OpenAiResponses => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com",
            Self::Gemini => "https://generativelanguage.googleapis.com",
            Self::Ollama => "http://localhost:11434",
        }
    }

    /// The prefix of its environment variables.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::OpenAi | Self::OpenAiResponses => "OPENAI",
            Self::Anthropic => "ANTHROPIC",
            Self::Gemini => "GEMINI",
            Self::Ollama => "OLLAMA",
        }
    }

    /// Maximum number of bytes of images, documents and recordings of a request, before base64 adds
    /// a third to them.
    pub(super) fn max_media_bytes(self) -> usize {
        match self {
            // 50 MB of files in a request.
            Self::OpenAi | Self::OpenAiResponses | Self::Ollama => 50_000_000,
            // A request has 32 MB.
            Self::Anthropic => 24_000_000,
            // A request with data in it has 20 MB.
            Self::Gemini => 15_000_000,
        }
    }

    /// Whether `base_url` requires a key.
    pub(super) fn needs_key(self, base_url: &str) -> bool {
        match self {
            Self::OpenAi | Self::OpenAiResponses | Self::Anthropic | Self::Gemini => {
                base_url == self.base_url()
            }
            Self::Ollama => false,
        }
    }

    /// The header of its key, and the text before the key.
    pub(super) fn key_header(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenAi | Self::OpenAiResponses | Self::Ollama => ("authorization", "Bearer "),
            Self::Anthropic => ("x-api-key", ""),
            Self::Gemini => ("x-goog-api-key", ""),
        }
    }
}
