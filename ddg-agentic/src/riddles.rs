//! Riddles that many agents solve together.
//!
//! A riddle is a question with documents. *Extractors* turn documents into text, *solvers* propose
//! solutions, *gatekeepers* accept or reject them; a [`Management`] routes the messages, merges
//! what the agents find, and asks again. The agents do not know each other; they are in this
//! process or elsewhere, and answer late, twice, or never.
//!
//! Each riddle is one run of one automa, stored under its id: agents and data items are workers
//! that come and go. The rules are in `docs/riddles.md`. Tests cite them by their numbers.

mod agent;
pub mod agents;
mod board;
mod delivery;
mod error;
mod folder;
mod held;
mod host;
mod link;
mod log;
mod management;
mod message;
mod outcome;
mod platform;
mod run;
mod settings;
mod stage;
mod store;
mod sub_riddle;

pub use agent::{AgentContext, Decision, RiddleAgent};
pub use error::RiddleError;
pub use folder::SharedFolder;
pub use held::{HeldResponse, Receipt};
pub use host::{AgentHost, Handled};
pub use link::{AgentLink, Envelope};
pub use log::{LoggedMessage, MessageFilter};
pub use management::{Management, ManagementBuilder, RiddleEvents, RiddleHandle};
pub use message::{
    AgentMessage, DataType, Riddle, RiddleData, RiddleSolution, RiddleStatus, StageStatus,
};
pub use outcome::{RiddleOutcome, RiddleState};
pub use settings::{RiddleSettings, SolutionCounting};
pub use stage::{Capability, Stage};
pub use store::RiddleStore;
pub use sub_riddle::{NoPlatform, RiddlePlatform, SubRiddle};
