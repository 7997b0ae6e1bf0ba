//! Open runs of conversations.

use ddg_core::args::Args;
use ddg_core::run::Question;
use ddg_core::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use crate::message::Message;

/// A run of a conversation that has not ended: it waits for answers of people, or was interrupted.
/// It is kept with the conversation, and an [`Agent`](crate::Agent) continues it.
///
/// It is serde data, which a store keeps as text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenRun {
    /// The state from which it continues.
    pub at: OpenRunPlace,
    /// Messages since then, to be delivered before the model's next request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steered: Vec<Message>,
    /// Messages since then, to be delivered after the run's answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queued: Vec<Message>,
}

/// The state from which an [`OpenRun`] continues.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OpenRunPlace {
    /// A snapshot.
    Snapshot(Box<Snapshot>),
    /// A run in a store of runs.
    Stored {
        /// The run's id in the store.
        run: String,
        /// The messages that it began with, in case the run has not been written yet.
        said: Vec<Message>,
        /// Its inputs by name, for the same case.
        inputs: Args,
    },
}

impl OpenRun {
    /// Creates a run that continues from `snapshot`.
    pub fn at(snapshot: Snapshot) -> Self {
        Self::new(OpenRunPlace::Snapshot(Box::new(snapshot)))
    }

    pub(crate) fn new(at: OpenRunPlace) -> Self {
        Self { at, steered: Vec::new(), queued: Vec::new() }
    }

    /// The unanswered questions, in kickoff order. Those of a run in a store of runs are not
    /// included.
    pub fn questions(&self) -> Vec<Question> {
        match &self.at {
            OpenRunPlace::Snapshot(snapshot) => snapshot.questions(),
            OpenRunPlace::Stored { .. } => Vec::new(),
        }
    }
}

impl PartialEq for OpenRun {
    /// Whether both have the same serialised form.
    fn eq(&self, other: &Self) -> bool {
        match (serde_json::to_value(self), serde_json::to_value(other)) {
            (Ok(this), Ok(other)) => this == other,
            _ => false,
        }
    }
}
