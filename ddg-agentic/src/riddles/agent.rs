//! Agents: what an author writes, and what an agent knows while it handles a message.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use ddg_core::WorkerError;
use futures::future::BoxFuture;

use super::error::RiddleError;
use super::folder::SharedFolder;
use super::held::HeldResponse;
use super::message::{AgentMessage, Riddle, RiddleData};
use super::stage::{Capability, Stage};
use super::sub_riddle::{RiddlePlatform, SubRiddle};

/// What becomes of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The response is sent.
    Send,
    /// The agent gives up on this message. Others continue, and the agent may be asked again.
    Stop,
    /// The response is sent later, with [`AgentContext::held`].
    Hold,
}

/// An agent of the platform.
///
/// [`handle`](Self::handle) gets a message, and a response that begins as its copy: an extractor
/// sets `file_extracted` of the item (see [`AgentContext::write_extraction`]), a solver adds to
/// `solution`, a gatekeeper sets `accepted` and `review` of each solution. Then
/// [`before_response`](Self::before_response) decides whether the response is sent.
///
/// ```
/// use ddg_agentic::riddles::{AgentContext, AgentMessage, Capability, RiddleAgent, RiddleSolution};
/// use ddg_core::WorkerError;
///
/// /// Knows one answer.
/// struct Oracle;
///
/// impl RiddleAgent for Oracle {
///     fn capabilities(&self) -> Vec<Capability> {
///         vec![Capability::Solve]
///     }
///
///     async fn handle(
///         &self,
///         message: &AgentMessage,
///         response: &mut AgentMessage,
///         _: &AgentContext,
///     ) -> Result<(), WorkerError> {
///         let why = format!("the answer to {:?} is known", message.riddle.question);
///         response.solution.push(RiddleSolution::new("42", why));
///         Ok(())
///     }
/// }
/// ```
pub trait RiddleAgent: Send + Sync + 'static {
    /// What the agent can do.
    fn capabilities(&self) -> Vec<Capability>;

    /// Handles a message: changes `response`.
    ///
    /// # Errors
    /// An error, and a panic, are an abstention: the riddle continues without this agent.
    ///
    /// # Cancel safety
    /// The future is dropped when the deadline of the stage has passed, or the riddle has ended. If
    /// the process is killed, the message is handled again.
    fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send;

    /// Decides what becomes of the response, after `handle`. The default is to send it.
    fn before_response(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> impl Future<Output = Decision> + Send {
        let _ = (message, response, cx);
        std::future::ready(Decision::Send)
    }
}

/// An agent that several places share.
impl<A: RiddleAgent> RiddleAgent for Arc<A> {
    fn capabilities(&self) -> Vec<Capability> {
        (**self).capabilities()
    }

    fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> impl Future<Output = Result<(), WorkerError>> + Send {
        (**self).handle(message, response, cx)
    }

    fn before_response(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> impl Future<Output = Decision> + Send {
        (**self).before_response(message, response, cx)
    }
}

/// Any agent behind one pointer.
pub(super) trait DynAgent: Send + Sync + 'static {
    /// Handles a message, and decides.
    fn answer<'a>(
        &'a self,
        message: &'a AgentMessage,
        response: &'a mut AgentMessage,
        cx: &'a AgentContext,
    ) -> BoxFuture<'a, Result<Decision, WorkerError>>;
}

impl<A: RiddleAgent> DynAgent for A {
    fn answer<'a>(
        &'a self,
        message: &'a AgentMessage,
        response: &'a mut AgentMessage,
        cx: &'a AgentContext,
    ) -> BoxFuture<'a, Result<Decision, WorkerError>> {
        Box::pin(async move {
            self.handle(message, response, cx).await?;
            Ok(self.before_response(message, response, cx).await)
        })
    }
}

/// What an agent knows of the message that it handles.
#[derive(Clone)]
pub struct AgentContext {
    pub(super) agent: Arc<str>,
    pub(super) number: i64,
    pub(super) stage: Stage,
    pub(super) riddle: Arc<str>,
    pub(super) trial: u32,
    pub(super) item: Option<usize>,
    pub(super) shared: SharedFolder,
    pub(super) persist: Option<PathBuf>,
    pub(super) platform: Arc<dyn RiddlePlatform>,
    pub(super) n_sub_riddles: Arc<AtomicU32>,
    /// What a closure has decided.
    pub(super) decision: Arc<OnceLock<Decision>>,
}

impl fmt::Debug for AgentContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentContext")
            .field("agent", &self.agent)
            .field("number", &self.number)
            .field("stage", &self.stage)
            .field("riddle", &self.riddle)
            .finish_non_exhaustive()
    }
}

impl AgentContext {
    /// Keeps the decision of an agent that decides while it handles the message.
    pub(super) fn decide(&self, decision: Decision) {
        // Each message is handled once with its context.
        let _ = self.decision.set(decision);
    }

    pub(super) fn decided(&self) -> Decision {
        self.decision.get().copied().unwrap_or(Decision::Send)
    }

    /// The name of the agent.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The number of the message. A message that is sent again keeps its number.
    pub const fn number(&self) -> i64 {
        self.number
    }

    /// The stage for which the agent is asked.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The index in `data` of the item that is to be extracted.
    pub const fn item(&self) -> Option<usize> {
        self.item
    }

    /// The folder of documents and extractions.
    pub const fn shared(&self) -> &SharedFolder {
        &self.shared
    }

    /// The agent's own folder, which stays across restarts, if there is one.
    pub fn persist(&self) -> Option<&Path> {
        self.persist.as_deref()
    }

    /// Writes an extraction into the shared folder, and returns its path for `file_extracted`. The
    /// file is named after agent, item and trial, in a folder of the riddle, and appears whole.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_extraction(&self, text: &str) -> Result<String, RiddleError> {
        let item = self.item.unwrap_or(0);
        let path = format!("{}/{}-{item}-{}.txt", self.riddle, self.agent, self.trial);
        self.shared.write(&path, text.as_bytes())?;
        Ok(path)
    }

    /// All texts of a message: of each item with an extraction, what was extracted.
    ///
    /// # Errors
    /// If a file is missing, cannot be read, or is not text.
    pub fn extractions(&self, message: &AgentMessage) -> Result<Vec<String>, RiddleError> {
        let paths = message.data.iter().filter_map(|data| data.file_extracted.as_deref());
        paths.map(|path| self.shared.read_text(path)).collect()
    }

    /// A response to send later, from anywhere, also after a restart. Keep it, and return
    /// [`Decision::Hold`].
    pub fn held(&self, response: &AgentMessage) -> HeldResponse {
        HeldResponse::new(&self.agent, self.number, response.clone())
    }

    /// Poses a riddle of its own for this one, to all agents. `data` is a selection, other files or
    /// other prompts; without, it is all data of the riddle, unextracted.
    ///
    /// An agent that handles its message again (after a crash) gets the same sub-riddles again, in
    /// the order of its calls.
    ///
    /// # Errors
    /// If a limit (depth, number, hops) is reached, the riddle has ended, or the platform fails.
    pub async fn sub_riddle(
        &self,
        riddle: Riddle,
        data: Option<Vec<RiddleData>>,
    ) -> Result<SubRiddle, RiddleError> {
        let n = self.n_sub_riddles.fetch_add(1, Ordering::Relaxed);
        let cause = format!("{}/{n}", self.number);
        let id = self.platform.pose_sub_riddle(&self.riddle, &cause, riddle, data).await?;
        Ok(SubRiddle::new(id, Arc::clone(&self.platform)))
    }
}
