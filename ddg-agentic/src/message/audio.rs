//! Recordings in messages.

use std::fmt;

use ddg_core::__report::shown;
use serde::{Deserialize, Serialize};

use super::MediaSource;
use super::media::essence;

/// A recording, such as a spoken question.
///
/// Gemini hears recordings, and so do the audio models of OpenAI's chat completions and of servers
/// with this API. Anthropic and OpenAI's Responses API have no place for them. What a model cannot
/// hear is a [`ModelError::Unsupported`](crate::model::ModelError::Unsupported) in a message of a
/// person, and a note in the result of a tool.
///
/// ```
/// use ddg_agentic::message::Audio;
///
/// let spoken = Audio::bytes("audio/wav", b"RIFF....WAVE");
/// assert_eq!(spoken.to_string(), "audio: audio/wav, 12 bytes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Audio {
    /// The media type, such as `audio/wav`.
    pub media_type: String,
    /// The content, or where it is.
    pub source: MediaSource,
}

impl Audio {
    /// Creates a recording with this media type from its content, or from where it is. Only Gemini
    /// fetches recordings.
    pub fn new(media_type: impl AsRef<str>, source: MediaSource) -> Self {
        Self { media_type: essence(media_type.as_ref()), source }
    }

    /// Creates a WAV recording from its bytes in base64.
    pub fn wav(base64: impl Into<String>) -> Self {
        Self::new("audio/wav", MediaSource::Base64(base64.into()))
    }

    /// Creates an MP3 recording from its bytes in base64.
    pub fn mp3(base64: impl Into<String>) -> Self {
        Self::new("audio/mpeg", MediaSource::Base64(base64.into()))
    }

    /// Creates a recording from its bytes.
    pub fn bytes(media_type: impl AsRef<str>, bytes: impl AsRef<[u8]>) -> Self {
        Self::new(media_type, MediaSource::bytes(bytes))
    }
}

impl fmt::Display for Audio {
    /// The recording in words, for models that cannot hear it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "audio: {}, {}", shown(&self.media_type), self.source)
    }
}
