//! Purposes of files.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The purpose of a file, which providers of remote files ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum FilePurpose {
    /// For agents and their tools to read: `assistants`.
    #[default]
    Assistants,
    /// Created by an agent or a tool: `assistants_output`.
    AssistantsOutput,
    /// Another purpose, which the remote side [knows](crate::files::RemoteFiles::purposes).
    Other(String),
}

impl FilePurpose {
    /// The purpose in the form of providers.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Assistants => "assistants",
            Self::AssistantsOutput => "assistants_output",
            Self::Other(purpose) => purpose,
        }
    }
}

impl fmt::Display for FilePurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for FilePurpose {
    fn from(purpose: &str) -> Self {
        match purpose {
            "assistants" => Self::Assistants,
            "assistants_output" => Self::AssistantsOutput,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<String> for FilePurpose {
    fn from(purpose: String) -> Self {
        Self::from(purpose.as_str())
    }
}

impl From<FilePurpose> for String {
    fn from(purpose: FilePurpose) -> Self {
        purpose.as_str().to_owned()
    }
}

impl FromStr for FilePurpose {
    type Err = Infallible;

    fn from_str(purpose: &str) -> Result<Self, Infallible> {
        Ok(Self::from(purpose))
    }
}
