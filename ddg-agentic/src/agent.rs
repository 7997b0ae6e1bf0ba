//! One agent for many conversations, with one run at a time in each conversation.

mod error;
mod lease;
mod live;
mod run;
mod said;
mod stop;
mod turnstile;
mod visit;

use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, Claim};
use ddg_core::graph::BuildError;
use ddg_core::run::Question;
use ddg_core::snapshot::Snapshot;
use ddg_core::values::{Data, Value};
use ddg_core::{Automa, TypedAutoma};
use futures::future::ready;
use futures::stream::{self, StreamExt};

pub use error::AgentError;
use lease::own_claim;
use live::LiveTurns;
use run::Errand;
pub use run::{AgentRun, FromSaid};
pub use said::{Said, WhenBusy};
pub use stop::{Closed, ConversationState, Stopped};
use turnstile::Turnstile;
use visit::Visit;

use crate::memory::{
    ConversationError, ConversationId, ConversationPage, ConversationRecord, ConversationStore,
    MemoryConversations,
};
use crate::message::Message;
use crate::react::{AgentOutcome, Mailboxes, ReActAutoma};

/// Maximum number of interrupted runs that [`Agent::recover_all`] continues concurrently.
const N_AT_A_TIME: usize = 8;

/// One agent for many conversations. Any number of tasks can share it.
///
/// A conversation has one run at a time. A message that comes while a run is active is refused,
/// waits for its turn, or is passed to the active run, see [`WhenBusy`]. The conversation becomes
/// free again however a run ends: with an answer, an error or a panic, or because its future is
/// dropped.
///
/// If several processes share one store, one process at a time holds the lease of a conversation.
/// The lease is renewed while the run is active. Another process can take it over when the run or
/// its process ends. Renewing needs a tokio runtime with time.
///
/// [`say`](Self::say) and the methods like it return an [`AgentRun`]. It is awaited like any run,
/// and accepts the same settings: events, a deadline, a store, inputs.
///
/// ```
/// use ddg_agentic::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let model = ScriptedModel::new().reply(ChatReply::text("Hello Ada.")).reply(ChatReply::text("Ada."));
/// let agent = Agent::new(ReActAutoma::new(model))?;
/// agent.run("visitor-7", "I am Ada.").await?;
/// let outcome = agent.run("visitor-7", "What is my name?").await?;
/// assert_eq!(outcome.text(), "Ada.");
/// assert_eq!(outcome.conversation.messages.len(), 4);
/// # Ok(())
/// # }
/// ```
///
/// # Questions to people
///
/// A run that asks a person pauses. In one transaction it is saved with its conversation. An
/// [`answer`](Self::answer) is applied once, however often and in whichever process it is given,
/// and the run resumes. Until then the conversation waits: a message is refused, or saved and
/// passed to the run when it resumes and before anything acts, as [`WhenBusy`] says.
///
/// ```
/// use ddg_agentic::prelude::*;
/// use serde_json::json;
///
/// /// Pays a bill.
/// #[tool]
/// async fn pay(to: String) -> String {
///     format!("paid {to}")
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let model = ScriptedModel::new()
/// #     .calls([ToolCall::new("call_1", "pay", json!({ "to": "Ada" }))]).text("Done.");
/// let options = ToolOptions::new().approval();
/// let tools = Toolbox::builder().with_options(pay::tool(), options).build()?;
/// let agent = Agent::new(ReActAutoma::new(model).tools(tools))?;
/// let Said::Paused { outcome, .. } = agent.say("visitor-7", "Pay Ada.").await? else { panic!() };
///
/// let question = outcome.questions().remove(0);               // shown to a person
/// let said = agent.answer("visitor-7", &question.id, Verdict::Allow).await?;
/// assert!(matches!(said, Said::Ended(outcome) if outcome.text() == "Done."));
/// let twice = agent.answer("visitor-7", &question.id, Verdict::Allow).await.unwrap_err();
/// assert!(matches!(twice, AgentError::NotAsked { .. }));
/// # use ddg_agentic::AgentError;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Agent {
    automa: Arc<TypedAutoma<AgentOutcome>>,
    conversations: Arc<dyn ConversationStore>,
    /// The store for active runs.
    runs: Option<Arc<dyn CheckpointStore>>,
    when_busy: WhenBusy,
    claim: Claim,
    turnstile: Arc<Turnstile>,
    mailboxes: Arc<Mailboxes>,
    live: Arc<LiveTurns>,
}

impl Agent {
    /// Creates an agent that keeps its conversations in memory.
    ///
    /// # Errors
    /// If the agent cannot be built.
    pub fn new(agent: ReActAutoma) -> Result<Self, BuildError> {
        let (agent, mailboxes) = agent.with_mailboxes();
        Ok(Self {
            automa: Arc::new(agent.build()?),
            conversations: Arc::new(MemoryConversations::new()),
            runs: None,
            when_busy: WhenBusy::default(),
            claim: own_claim(),
            turnstile: Arc::default(),
            mailboxes,
            live: Arc::default(),
        })
    }

    /// Sets the store of conversations. An `Arc` of a store is a store, too.
    #[must_use]
    pub fn conversations(mut self, store: impl ConversationStore) -> Self {
        self.conversations = Arc::new(store);
        self
    }

    /// Stores every active run in `store` under an id of its own. A run can then survive the end of
    /// its process: [`recover`](Self::recover) continues it.
    ///
    /// ```
    /// use ddg_agentic::prelude::*;
    /// use ddg_core::checkpoint::MemoryStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = MemoryStore::new();                // or a database
    /// let agent = Agent::new(ReActAutoma::new(OfflineModel::new()))?.stored_in(&store);
    /// agent.recover_all().await?;                   // what the last process has left
    /// agent.run("visitor-7", "Hello.").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stored_in(mut self, store: &(impl CheckpointStore + Clone + 'static)) -> Self {
        self.runs = Some(Arc::new(store.clone()));
        self
    }

    /// Sets what happens to a message that comes while a run is active. Defaults to
    /// [`WhenBusy::Refuse`].
    #[must_use]
    pub fn when_busy(mut self, when_busy: WhenBusy) -> Self {
        self.when_busy = when_busy;
        self
    }

    /// Sets the owner of leases of conversations, and how long a lease lasts. Defaults to this
    /// agent and 30 seconds. A lease is renewed while a run is active. Agents with the same owner
    /// do not exclude each other.
    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claim = claim;
        self
    }

    /// The agent's automa, for adding callbacks, handlers and limits, or for inspecting its graph.
    pub fn automa(&mut self) -> &mut TypedAutoma<AgentOutcome> {
        Arc::make_mut(&mut self.automa)
    }

    /// Says something in a conversation, and returns what became of it. A conversation that does
    /// not exist is created.
    ///
    /// # Errors
    /// If the conversation is busy or waits for an answer, if it cannot be read or written, or if
    /// the run fails. Earlier messages are never lost.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run, and leaves the conversation as it was before.
    pub fn say(&self, conversation: impl AsRef<str>, message: impl Into<Message>) -> AgentRun {
        AgentRun::new(self, conversation.as_ref(), Errand::Say(message.into()))
    }

    /// Says something as [`say`](Self::say) does, and returns the outcome of the run.
    ///
    /// # Errors
    /// As [`say`](Self::say). Also if the run asks a person, or if the message was passed to
    /// another run.
    ///
    /// # Cancel safety
    /// As [`say`](Self::say).
    pub fn run(
        &self,
        conversation: impl AsRef<str>,
        message: impl Into<Message>,
    ) -> AgentRun<AgentOutcome> {
        AgentRun::new(self, conversation.as_ref(), Errand::Say(message.into()))
    }

    /// Answers a [question](ddg_core::run::Question) of a conversation's paused run, and resumes
    /// the run. If other questions are still open, the run pauses again. The answer waits for an
    /// active run of the conversation to end.
    ///
    /// # Errors
    /// As [`say`](Self::say). [`NotAsked`](AgentError::NotAsked) if the conversation does not ask
    /// this question, for example because it has been answered. Nothing has changed then.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run. An answer that has already been written stays, and
    /// [`recover`](Self::recover) continues the run.
    pub fn answer(
        &self,
        conversation: impl AsRef<str>,
        question: impl AsRef<str>,
        answer: impl Data,
    ) -> AgentRun {
        let (question, answer) = (question.as_ref().to_owned(), Value::new(answer));
        AgentRun::new(self, conversation.as_ref(), Errand::Answer { question, answer })
    }

    /// Resumes a conversation's paused run from `snapshot`, the snapshot of its pause with some
    /// questions answered. To answer one question, [`answer`](Self::answer) is simpler.
    ///
    /// # Errors
    /// As [`say`](Self::say). [`NotPaused`](AgentError::NotPaused) if the conversation does not
    /// wait at this snapshot: it has continued since, or the snapshot belongs to another
    /// conversation. Nothing has changed then.
    ///
    /// # Cancel safety
    /// As [`answer`](Self::answer).
    pub fn resume(&self, conversation: impl AsRef<str>, snapshot: Snapshot) -> AgentRun {
        AgentRun::new(self, conversation.as_ref(), Errand::Resume(Box::new(snapshot)))
    }

    /// Continues a conversation's interrupted run: its process has ended, the run failed, or its
    /// future was dropped after a question had been answered. A [stored](Self::stored_in) run
    /// repeats only the executions that were active. Any other run repeats everything since its
    /// pause. A run that waits for an answer asks its questions again.
    ///
    /// # Errors
    /// As [`say`](Self::say). [`NotPaused`](AgentError::NotPaused) if the conversation has no open
    /// run.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run. It can be recovered again.
    pub fn recover(&self, conversation: impl AsRef<str>) -> AgentRun {
        AgentRun::new(self, conversation.as_ref(), Errand::Recover)
    }

    /// Continues all interrupted runs that no process works on, a few at a time. Call it when a
    /// process starts. Returns what became of each conversation.
    ///
    /// # Errors
    /// If the conversations cannot be listed.
    ///
    /// # Cancel safety
    /// As [`recover`](Self::recover).
    pub async fn recover_all(
        &self,
    ) -> Result<Vec<(ConversationId, Result<Said, AgentError>)>, ConversationError> {
        let mut page = ConversationPage::default();
        let mut open = Vec::new();
        loop {
            let records = self.conversations.list(&page).await?;
            let last = records.last().filter(|_| records.len() == page.limit);
            let next = last.map(|last| page.next(last));
            open.extend(records.into_iter().filter(|record| record.has_open_run));
            match next {
                Some(next) => page = next,
                None => break,
            }
        }
        let recover = |record: ConversationRecord| async move {
            let said = match Visit::if_free(self, record.id.clone()).await {
                Ok(visit) => visit.recover_if_due().await.transpose(),
                Err(AgentError::Busy { .. }) => None,
                Err(error) => Some(Err(error)),
            };
            said.map(|said| (record.id, said))
        };
        let recovered = stream::iter(open).map(recover).buffered(N_AT_A_TIME);
        Ok(recovered.filter_map(ready).collect().await)
    }

    /// Drops the open run of a conversation with its questions, and with the messages since its
    /// pause. The conversation is then as it was before that run. Returns whether there was an open
    /// run.
    ///
    /// # Errors
    /// If the conversation cannot be read or written.
    pub async fn give_up(&self, conversation: impl AsRef<str>) -> Result<bool, AgentError> {
        Visit::of(self, conversation.as_ref()).await?.give_up().await
    }

    /// The questions that a conversation waits for, in kickoff order.
    ///
    /// # Errors
    /// If the conversation, or its run in the store, cannot be read.
    pub async fn questions(
        &self,
        conversation: impl AsRef<str>,
    ) -> Result<Vec<Question>, AgentError> {
        visit::questions(self, conversation.as_ref()).await
    }
}
