//! The management of riddles, as its users see it.

mod builder;
mod events;
mod supervisor;

use std::fmt;
use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, RunId, StoreError};
use tokio::task::AbortHandle;

use super::error::RiddleError;
use super::held::{HeldResponse, Receipt};
use super::link::Envelope;
use super::log::{LoggedMessage, MessageFilter, Posed};
use super::message::{AgentMessage, DataType};
use super::outcome::RiddleOutcome;
use super::platform::Platform;
use super::settings::RiddleSettings;
use super::stage::{Capability, Stage};
pub use builder::ManagementBuilder;
pub use events::RiddleEvents;

/// The management: poses riddles, routes messages between agents, and keeps what was said.
///
/// Clones are the same management. When the last one is dropped, the runs of its riddles are
/// stopped; with a store that outlives the process, the next management continues them.
///
/// ```
/// use ddg_agentic::riddles::{AgentMessage, DataType, Management, agents};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let place = tempfile::tempdir()?;
/// # let folder = place.path();
/// std::fs::write(folder.join("x.txt"), "x = 6")?;
/// std::fs::write(folder.join("y.txt"), "y = 7")?;
/// let management = Management::builder(folder)
///     .agent("text", agents::Text)
///     .agent("calculator", agents::Calculator)
///     .agent("checker", agents::Checker)
///     .build()
///     .await?;
/// let riddle = AgentMessage::new("x * y =").data(DataType::Text, "x.txt").data(DataType::Text,
/// "y.txt"); let outcome = management.pose(riddle).await?.outcome().await?;
/// assert_eq!(outcome.answer(), Some("42"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Management {
    platform: Arc<Platform>,
    /// The runs of riddles.
    runs: Arc<dyn CheckpointStore>,
    /// Stops the runs of riddles when the last management is dropped.
    _supervisor: Arc<StopOnDrop>,
}

struct StopOnDrop(AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Management {
    /// A management whose documents and extractions are in this folder.
    pub fn builder(shared: impl AsRef<std::path::Path>) -> ManagementBuilder {
        ManagementBuilder::new(shared.as_ref())
    }

    /// Poses a riddle. If it has no id, it gets one. A riddle whose id is known is not posed again.
    ///
    /// # Errors
    /// If the id or a path in the message cannot be used, a file is missing, or the log fails.
    pub async fn pose(&self, mut message: AgentMessage) -> Result<RiddleHandle, RiddleError> {
        if message.id.is_empty() {
            message.id = uuid::Uuid::now_v7().to_string();
        }
        check_id(&message.id)?;
        for data in &message.data {
            self.platform.shared.resolve(&data.file_plain)?;
            if let Some(extracted) = &data.file_extracted {
                self.platform.shared.resolve(extracted)?;
            }
        }
        let posed = self.platform.pose(&message).await?;
        Ok(RiddleHandle { id: message.id, is_new: posed == Posed::New, management: self.clone() })
    }

    /// Poses a sub-riddle of a riddle, as an agent elsewhere asks for it. `cause` names the call: a
    /// riddle has one sub-riddle for each cause.
    ///
    /// # Errors
    /// As [`AgentContext::sub_riddle`](super::AgentContext::sub_riddle), and as
    /// [`pose`](Self::pose) for its data.
    pub async fn pose_below(
        &self,
        parent: &str,
        cause: &str,
        message: AgentMessage,
    ) -> Result<RiddleHandle, RiddleError> {
        use super::sub_riddle::RiddlePlatform;
        for data in &message.data {
            self.platform.shared.resolve(&data.file_plain)?;
        }
        let data = (!message.data.is_empty()).then_some(message.data);
        let id = self.platform.pose_sub_riddle(parent, cause, message.riddle, data).await?;
        Ok(RiddleHandle { id, is_new: true, management: self.clone() })
    }

    /// A riddle that was posed.
    ///
    /// # Errors
    /// If there is none with this id, or the log fails.
    pub async fn riddle(&self, id: &str) -> Result<RiddleOutcome, RiddleError> {
        self.platform.log.riddle(id).await
    }

    /// All riddles, the newest first.
    ///
    /// # Errors
    /// If the log fails.
    pub async fn riddles(&self) -> Result<Vec<RiddleOutcome>, RiddleError> {
        self.platform.log.riddles().await
    }

    /// Waits until a riddle has ended.
    ///
    /// # Errors
    /// If there is none with this id, or the log fails.
    pub async fn outcome(&self, id: &str) -> Result<RiddleOutcome, RiddleError> {
        self.platform.ended(id).await
    }

    /// A page of all messages, in the order of their numbers.
    ///
    /// # Errors
    /// If the log fails.
    pub async fn messages(
        &self,
        filter: &MessageFilter,
    ) -> Result<Vec<LoggedMessage>, RiddleError> {
        self.platform.log.messages(filter).await
    }

    /// The message with this number.
    ///
    /// # Errors
    /// If the log fails.
    pub async fn message(&self, number: i64) -> Result<Option<LoggedMessage>, RiddleError> {
        let filter = MessageFilter::default().after(number.saturating_sub(1)).limit(1);
        let found = self.messages(&filter).await?;
        Ok(found.into_iter().find(|message| message.number == number))
    }

    /// Messages of a riddle after this number as they are written, until the riddle has ended.
    pub fn events(&self, riddle: &str, after: i64) -> RiddleEvents {
        RiddleEvents::new(Arc::clone(&self.platform), riddle, after)
    }

    /// An agent elsewhere answers a message.
    ///
    /// # Errors
    /// If no message with this number was sent to this agent, the decision is unknown, or the log
    /// fails.
    pub async fn answer(&self, envelope: Envelope) -> Result<Receipt, RiddleError> {
        self.platform.take_answer(envelope).await
    }

    /// Sends a response that an agent has held.
    ///
    /// # Errors
    /// If the message was answered before, is unknown, or the log fails.
    pub async fn send_held(&self, held: HeldResponse) -> Result<Receipt, RiddleError> {
        let (agent, number, response) = held.into_parts();
        self.platform.take_answer(Envelope::new(number, agent, response)).await?.once(number)
    }

    /// Deletes riddles that have ended longer ago than this. Returns their ids.
    ///
    /// # Errors
    /// If the log fails.
    pub async fn delete_older_than(
        &self,
        age: std::time::Duration,
    ) -> Result<Vec<String>, RiddleError> {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let before = super::log::now().saturating_sub(age);
        let deleted = self.platform.log.delete_ended_before(before).await?;
        for id in &deleted {
            self.delete_run(id).await?;
        }
        Ok(deleted)
    }

    /// Deletes the stored run of a riddle that was deleted.
    async fn delete_run(&self, id: &str) -> Result<(), RiddleError> {
        let Ok(run) = RunId::new(supervisor::run_id(id)) else { return Ok(()) };
        match self.runs.delete(&run).await {
            Ok(()) | Err(StoreError::UnknownRun { .. }) => Ok(()),
            // Its process is just leaving it; the run of a riddle that has ended does no harm.
            Err(StoreError::Held { .. }) => Ok(()),
            Err(error) => Err(RiddleError::Store {
                store: "the store of runs".to_owned(),
                action: "deleted",
                message: error.to_string(),
            }),
        }
    }

    /// The agents, with what they can do.
    pub fn agents(&self) -> Vec<(String, Vec<Capability>)> {
        let roster = &self.platform.roster;
        let of = |name: &String| {
            let mut capabilities: Vec<_> = roster
                .extract
                .iter()
                .filter(|(agent, _)| agent == name)
                .map(|(_, kinds)| {
                    Capability::extract(kinds.iter().copied().collect::<Vec<DataType>>())
                })
                .collect();
            capabilities.extend(roster.has(name, Stage::Solve).then_some(Capability::Solve));
            capabilities
                .extend(roster.has(name, Stage::Gatekeeper).then_some(Capability::Gatekeeper));
            (name.clone(), capabilities)
        };
        self.platform.agents.keys().map(of).collect()
    }

    /// The settings.
    pub fn settings(&self) -> &RiddleSettings {
        &self.platform.settings
    }

    /// The folder of documents and extractions.
    pub fn shared(&self) -> &super::SharedFolder {
        &self.platform.shared
    }
}

impl fmt::Debug for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Management").field("platform", &self.platform).finish_non_exhaustive()
    }
}

/// A riddle that was posed.
#[derive(Clone, Debug)]
pub struct RiddleHandle {
    id: String,
    is_new: bool,
    management: Management,
}

impl RiddleHandle {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it was posed by this call, and not before.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// If the log fails.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing for the riddle.
    pub async fn outcome(&self) -> Result<RiddleOutcome, RiddleError> {
        self.management.outcome(&self.id).await
    }
}

/// Ids are parts of paths and of keys: letters, digits, `-`, `_`, `.`.
fn check_id(id: &str) -> Result<(), RiddleError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.len() <= 128 && id.chars().all(is_plain) && !id.starts_with('.') {
        return Ok(());
    }
    let id = ddg_core::printable::line(id);
    let message = format!(
        "`{id}` is no id of a riddle: write up to 128 letters, digits, `-`, `_` and `.`, not starting \
         with `.`"
    );
    Err(RiddleError::BadMessage { message })
}
