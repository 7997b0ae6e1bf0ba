//! One agent for many conversations, each of which has one run at a time.

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

/// How many interrupted runs are gone on with at a time.
const N_AT_A_TIME: usize = 8;

/// One agent for many conversations, to be shared by as many tasks as you like.
///
/// A conversation has one run at a time. What is said while one goes on is refused, waits for its
/// turn, or is told to the run that goes on, see [`WhenBusy`]. However a run ends, with an answer, an
/// error, a panic, or because its future is dropped, the conversation is free again. Of several
/// processes with one store, one at a time has the right to run a conversation: a lease, which it
/// renews while the run goes on, and which another takes over when it ends or the process does. So an
/// agent needs a tokio runtime with time.
///
/// [`say`](Self::say) and its like give an [`AgentRun`], which is awaited like any run, and takes what
/// any run takes: events, a deadline, a store, inputs.
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
/// A run that asks a person pauses, and is kept with its conversation, in one transaction. An
/// [`answer`](Self::answer) is applied once, however often it is given and in whatever process; the run goes on
/// with it. Until then the conversation waits: what is said is refused, or kept and told to the run
/// when it goes on, as [`WhenBusy`] says, before anything acts.
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
    /// Where runs are kept while they go on.
    runs: Option<Arc<dyn CheckpointStore>>,
    when_busy: WhenBusy,
    claim: Claim,
    turnstile: Arc<Turnstile>,
    mailboxes: Arc<Mailboxes>,
    live: Arc<LiveTurns>,
}

impl Agent {
    /// An agent whose conversations are kept in memory.
    ///
    /// # Errors
    /// The agent cannot be built.
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

    /// Sets where conversations are kept; an `Arc` of a store is a store, too.
    #[must_use]
    pub fn conversations(mut self, store: impl ConversationStore) -> Self {
        self.conversations = Arc::new(store);
        self
    }

    /// Keeps every run in `store` while it goes on, under an id of its own, so that it survives its
    /// process in the middle: [`recover`](Self::recover) goes on with it.
    #[must_use]
    pub fn stored_in(mut self, store: &(impl CheckpointStore + Clone + 'static)) -> Self {
        self.runs = Some(Arc::new(store.clone()));
        self
    }

    /// Sets what happens to what is said while a run goes on.
    #[must_use]
    pub fn when_busy(mut self, when_busy: WhenBusy) -> Self {
        self.when_busy = when_busy;
        self
    }

    /// Sets who claims conversations, and for how long at a time: this agent, for 30 seconds, unless this
    /// is set. A claim is renewed while a run goes on; agents with one owner do not exclude each other.
    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claim = claim;
        self
    }

    /// The agent's automa: to add callbacks, handlers and limits, or to look at its graph.
    pub fn automa(&mut self) -> &mut TypedAutoma<AgentOutcome> {
        Arc::make_mut(&mut self.automa)
    }

    /// Says something in a conversation, which begins with it if there is none, and gives what came of
    /// it.
    ///
    /// # Errors
    /// The conversation is busy or waits for an answer, it cannot be read or written, or the run fails.
    /// Nothing that was said before is lost.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run, and leaves the conversation as it was before.
    pub fn say(&self, conversation: impl AsRef<str>, message: impl Into<Message>) -> AgentRun {
        AgentRun::new(self, conversation.as_ref(), Errand::Say(message.into()))
    }

    /// Says something as [`say`](Self::say) does, and gives the outcome of the run.
    ///
    /// # Errors
    /// As [`say`](Self::say); and the run asks a person, or the message was told to another run.
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

    /// Answers a [question](ddg_core::run::Question) of the run that has paused in a conversation, and goes
    /// on with the run. If others are still open it pauses again. While a run of the conversation goes
    /// on, the answer waits for it.
    ///
    /// # Errors
    /// As [`say`](Self::say); and [`NotAsked`](AgentError::NotAsked) if the conversation does not ask this, because it
    /// has been answered, say. Nothing has been done then.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run. If the answer had been written, it stays, and
    /// [`recover`](Self::recover) goes on with the run.
    pub fn answer(
        &self,
        conversation: impl AsRef<str>,
        question: impl AsRef<str>,
        answer: impl Data,
    ) -> AgentRun {
        let (question, answer) = (question.as_ref().to_owned(), Value::new(answer));
        AgentRun::new(self, conversation.as_ref(), Errand::Answer { question, answer })
    }

    /// Goes on with the run that has paused in a conversation from `snapshot`: that of its pause, with
    /// some of its questions answered. To answer one question, [`answer`](Self::answer) is simpler.
    ///
    /// # Errors
    /// As [`say`](Self::say); and [`NotPaused`](AgentError::NotPaused) if the conversation does not wait at this
    /// very place: it has gone on since, or the snapshot is of another conversation. Nothing has been
    /// done then.
    ///
    /// # Cancel safety
    /// As [`answer`](Self::answer).
    pub fn resume(&self, conversation: impl AsRef<str>, snapshot: Snapshot) -> AgentRun {
        AgentRun::new(self, conversation.as_ref(), Errand::Resume(Box::new(snapshot)))
    }

    /// Goes on with the run of a conversation that was interrupted: its process has ended, it failed, or
    /// its future was dropped after a question had been answered. Of a run that is
    /// [stored](Self::stored_in), only what was under way happens again; of others, what happened since
    /// it paused. A run that waits for an answer gives its questions again.
    ///
    /// # Errors
    /// As [`say`](Self::say); and [`NotPaused`](AgentError::NotPaused) if no run of the conversation is open.
    ///
    /// # Cancel safety
    /// Dropping the future stops the run, which can be recovered again.
    pub fn recover(&self, conversation: impl AsRef<str>) -> AgentRun {
        AgentRun::new(self, conversation.as_ref(), Errand::Recover)
    }

    /// Goes on with all runs that were interrupted and that no process works on, some at a time: for a
    /// process that begins. Says what became of each conversation.
    ///
    /// # Errors
    /// The conversations cannot be listed.
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

    /// Gives the run up that a conversation waits for, with its questions and with what has been said
    /// since it paused. The conversation is as it was before that run. Says whether there was one.
    ///
    /// # Errors
    /// The conversation cannot be read or written.
    pub async fn give_up(&self, conversation: impl AsRef<str>) -> Result<bool, AgentError> {
        Visit::of(self, conversation.as_ref()).await?.give_up().await
    }

    /// The questions that a conversation waits for, in kickoff order.
    ///
    /// # Errors
    /// The conversation, or its run in the store, cannot be read.
    pub async fn questions(
        &self,
        conversation: impl AsRef<str>,
    ) -> Result<Vec<Question>, AgentError> {
        visit::questions(self, conversation.as_ref()).await
    }
}
