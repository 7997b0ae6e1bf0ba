//! A run that a conversation waits for.

use ddg_core::args::Args;
use ddg_core::run::Question;
use ddg_core::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

use crate::message::Message;

/// A run of a conversation that is not at its end: it waits for people's answers, or its process
/// has ended before it. Kept beside the conversation, and gone on with by an
/// [`Agent`](crate::Agent).
///
/// It is serde data; a store keeps it as a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpenRun {
    /// Where it goes on.
    pub at: OpenRunPlace,
    /// What has been said since, to be heard before the model is asked again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steered: Vec<Message>,
    /// What has been said since, to be heard after the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queued: Vec<Message>,
}

/// Where an [`OpenRun`] goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OpenRunPlace {
    /// At this snapshot.
    Snapshot(Box<Snapshot>),
    /// Where a store of runs has it.
    Stored {
        /// The run's id there.
        run: String,
        /// What was said, for the case that the run has not been written yet.
        said: Vec<Message>,
        /// The inputs of the run by name, for the same case.
        inputs: Args,
    },
}

impl OpenRun {
    /// A run that goes on at `snapshot`.
    pub fn at(snapshot: Snapshot) -> Self {
        Self::new(OpenRunPlace::Snapshot(Box::new(snapshot)))
    }

    pub(crate) fn new(at: OpenRunPlace) -> Self {
        Self { at, steered: Vec::new(), queued: Vec::new() }
    }

    /// The questions that wait for an answer, in kickoff order; of a run that a store of runs has,
    /// none are known here.
    pub fn questions(&self) -> Vec<Question> {
        match &self.at {
            OpenRunPlace::Snapshot(snapshot) => snapshot.questions(),
            OpenRunPlace::Stored { .. } => Vec::new(),
        }
    }
}

impl PartialEq for OpenRun {
    /// Whether both are written as the same.
    fn eq(&self, other: &Self) -> bool {
        match (serde_json::to_value(self), serde_json::to_value(other)) {
            (Ok(this), Ok(other)) => this == other,
            _ => false,
        }
    }
}
