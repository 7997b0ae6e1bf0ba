//! The providers, and what differs between them before a request is written.

/// An API that models are asked by. There are the four of [`OpenAi`](crate::provider::OpenAi),
/// [`Anthropic`](crate::provider::Anthropic), [`Gemini`](crate::provider::Gemini) and [`Ollama`](crate::provider::Ollama); for
/// others implement [`ChatModel`](crate::ChatModel).
#[expect(private_bounds, reason = "the four are all there are")]
pub trait Api: Named + 'static {}

/// Which one it is.
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

apis! { OpenAi Anthropic Gemini Ollama }

/// A provider, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}

impl Provider {
    /// Where it is, unless set.
    pub(super) fn base_url(self) -> &'static str {
        match self {
            Self::OpenAi => "https://api.openai.com/v1",
            Self::Anthropic => "https://api.anthropic.com",
            Self::Gemini => "https://generativelanguage.googleapis.com",
            Self::Ollama => "http://localhost:11434",
        }
    }

    /// What its environment variables begin with.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::OpenAi => "OPENAI",
            Self::Anthropic => "ANTHROPIC",
            Self::Gemini => "GEMINI",
            Self::Ollama => "OLLAMA",
        }
    }

    /// Whether nobody answers at `base_url` without a key.
    pub(super) fn needs_key(self, base_url: &str) -> bool {
        match self {
            Self::OpenAi | Self::Anthropic | Self::Gemini => base_url == self.base_url(),
            Self::Ollama => false,
        }
    }

    /// The header of its key, and what stands there before the key.
    pub(super) fn key_header(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenAi | Self::Ollama => ("authorization", "Bearer "),
            Self::Anthropic => ("x-api-key", ""),
            Self::Gemini => ("x-goog-api-key", ""),
        }
    }
}
