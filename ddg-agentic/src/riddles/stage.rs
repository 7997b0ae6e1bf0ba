//! The stages that a riddle goes through, and who takes part in them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::message::DataType;

/// A stage of a riddle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Data to text.
    Extract,
    /// Text to solutions.
    Solve,
    /// Solutions to reviews.
    Gatekeeper,
}

impl Stage {
    /// The word for it on the wire and in settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Solve => "solve",
            Self::Gatekeeper => "gatekeeper",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What an agent can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Capability {
    /// Extracts text from data of these types.
    Extract(BTreeSet<DataType>),
    /// Proposes solutions.
    Solve,
    /// Accepts or rejects solutions.
    Gatekeeper,
}

impl Capability {
    /// Extracts text from data of all types.
    pub fn extract_all() -> Self {
        Self::extract(DataType::ALL)
    }

    /// Extracts text from data of these types.
    pub fn extract(kinds: impl IntoIterator<Item = DataType>) -> Self {
        Self::Extract(kinds.into_iter().collect())
    }

    /// The stage in which it is asked for.
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Extract(_) => Stage::Extract,
            Self::Solve => Stage::Solve,
            Self::Gatekeeper => Stage::Gatekeeper,
        }
    }
}

/// The agents of a platform by stage, each in the order of their declaration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Roster {
    pub(super) extract: Vec<(String, BTreeSet<DataType>)>,
    pub(super) solve: Vec<String>,
    pub(super) gatekeeper: Vec<String>,
}

impl Roster {
    pub(super) fn add(&mut self, name: &str, capability: &Capability) {
        match capability {
            Capability::Extract(kinds) => self.extract.push((name.to_owned(), kinds.clone())),
            Capability::Solve => self.solve.push(name.to_owned()),
            Capability::Gatekeeper => self.gatekeeper.push(name.to_owned()),
        }
    }

    pub(super) fn has(&self, name: &str, stage: Stage) -> bool {
        match stage {
            Stage::Extract => self.extract.iter().any(|(known, _)| known == name),
            Stage::Solve => self.solve.iter().any(|known| known == name),
            Stage::Gatekeeper => self.gatekeeper.iter().any(|known| known == name),
        }
    }
}
