//! A run of an agent before it begins, with its settings.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use ddg_core::args::Args;
use ddg_core::checkpoint::{CheckpointPolicy, CheckpointStore, Claim};
use ddg_core::event::{EventFilter, EventStream};
use ddg_core::feedback::{Posted, ReplyTo, Request};
use ddg_core::graph::WorkerPath;
use ddg_core::run::{Pace, RunBuilder};
use ddg_core::snapshot::Snapshot;
use ddg_core::values::{Data, Value};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::visit::Visit;
use super::{Agent, AgentError, Said};
use crate::message::Message;
use crate::react::AgentOutcome;

/// A run of an [`Agent`] that has not begun, with the settings of this run. `.await` does the work,
/// and returns a `T`: [`Said`], or the outcome alone.
///
/// It has the same settings as any [run](RunBuilder). A message may be refused, or passed to a run
/// that is active. Then no run begins: the settings have no effect, and the streams of events end.
///
/// ```
/// use std::time::Duration;
///
/// use ddg_agentic::prelude::*;
/// use ddg_core::event::EventFilter;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let agent = Agent::new(ReActAutoma::new(ScriptedModel::new().text("It rains.")))?;
/// let run = agent.say("visitor-7", "Weather?").deadline(Duration::from_secs(60));
/// let mut events = run.events(EventFilter::messages());
/// let said = tokio::spawn(run.into_future());
/// while let Some(event) = events.next().await {
///     println!("{}", event?);                                 // a piece of the reply, say
/// }
/// assert!(matches!(said.await??, Said::Ended(_)));
/// # Ok(())
/// # }
/// ```
#[must_use = "a run does not begin by itself: `.await` it"]
pub struct AgentRun<T = Said> {
    agent: Agent,
    conversation: String,
    errand: Errand,
    pub(super) run: RunBuilder<AgentOutcome>,
    pub(super) inputs: Args,
    pub(super) place: Option<RunPlace>,
    gives: PhantomData<fn() -> T>,
}

/// The work of an [`AgentRun`].
pub(super) enum Errand {
    Say(Message),
    Answer { question: String, answer: Value },
    Resume(Box<Snapshot>),
    Recover,
}

/// The store for an active run.
#[derive(Clone)]
pub(super) struct RunPlace {
    pub(super) store: Arc<dyn CheckpointStore>,
    /// The id of the run; a random one if `None`.
    pub(super) id: Option<String>,
}

/// Types that an [`AgentRun`] can return.
pub trait FromSaid: Sized + Send + 'static {
    /// Converts what became of a message or an answer in `conversation`.
    ///
    /// # Errors
    /// If `said` is something else.
    fn from_said(said: Said, conversation: &str) -> Result<Self, AgentError>;
}

impl<T> AgentRun<T> {
    pub(super) fn new(agent: &Agent, conversation: &str, errand: Errand) -> Self {
        let place = agent.runs.clone().map(|store| RunPlace { store, id: None });
        Self {
            agent: agent.clone(),
            conversation: conversation.to_owned(),
            errand,
            run: agent.automa.run(()),
            inputs: Args::new(),
            place,
            gives: PhantomData,
        }
    }

    fn set(
        mut self,
        set: impl FnOnce(RunBuilder<AgentOutcome>) -> RunBuilder<AgentOutcome>,
    ) -> Self {
        self.run = set(self.run);
        self
    }

    /// Passes an input by name to the run, for example the user who is speaking. Tools read it as a
    /// parameter that is marked `#[input]`, or with [`Context::input`](ddg_core::Context::input);
    /// the agent has to [declare](crate::ReActAutoma::declare_input) it for the latter. A resumed
    /// run keeps the inputs that it began with.
    pub fn input(mut self, name: impl Into<String>, value: impl Data) -> Self {
        self.inputs = self.inputs.with_named(name.into(), value);
        self
    }

    /// As [`RunBuilder::stored_in`]: stores the active run in `store` under `id`, so that it can
    /// survive the end of its process. The conversation refers to the run from the beginning. A
    /// caller that [answers](Agent::answer) or [recovers](Agent::recover) the run sets the same
    /// store again, or sets the store of the [agent](Agent::stored_in).
    pub fn stored_in(
        mut self,
        store: &(impl CheckpointStore + Clone + 'static),
        id: impl AsRef<str>,
    ) -> Self {
        let id = Some(id.as_ref().to_owned());
        self.place = Some(RunPlace { store: Arc::new(store.clone()), id });
        self
    }

    /// As [`RunBuilder::events`].
    pub fn events(&self, filter: EventFilter) -> EventStream {
        self.run.events(filter)
    }

    /// As [`RunBuilder::pace`].
    pub fn pace(self, pace: Pace) -> Self {
        self.set(|run| run.pace(pace))
    }

    /// As [`RunBuilder::deadline`]. The time that the run waits for its turn does not count.
    pub fn deadline(self, after: Duration) -> Self {
        self.set(|run| run.deadline(after))
    }

    /// As [`RunBuilder::checkpoints`].
    pub fn checkpoints(self, checkpoints: CheckpointPolicy) -> Self {
        self.set(|run| run.checkpoints(checkpoints))
    }

    /// As [`RunBuilder::claim`].
    pub fn claim(self, claim: Claim) -> Self {
        self.set(|run| run.claim(claim))
    }

    /// As [`RunBuilder::on_post`].
    pub fn on_post<E: Data>(self, handle: impl Fn(E, &WorkerPath) + Send + Sync + 'static) -> Self {
        self.set(|run| run.on_post(handle))
    }

    /// As [`RunBuilder::on_request`].
    pub fn on_request<E: Request>(
        self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) -> Self {
        self.set(|run| run.on_request(handle))
    }

    /// As [`RunBuilder::on_any_post`].
    pub fn on_any_post(self, handle: impl Fn(Posted) + Send + Sync + 'static) -> Self {
        self.set(|run| run.on_any_post(handle))
    }

    /// Does the work of the run.
    async fn said(self) -> Result<T, AgentError>
    where
        T: FromSaid,
    {
        let Self { agent, conversation, errand, run, inputs, place, .. } = self;
        let visit = match &errand {
            Errand::Say(message) => match Visit::begin(&agent, &conversation, message).await? {
                Ok(visit) => visit,
                Err(said) => return T::from_said(said, &conversation),
            },
            _ => Visit::of(&agent, &conversation).await?,
        };
        let lease = visit.lease();
        let visit = visit.with(run, inputs, place);
        let said = match errand {
            Errand::Say(message) => visit.say(message).await,
            Errand::Answer { question, answer } => visit.answer(question, answer).await,
            Errand::Resume(snapshot) => visit.resume(*snapshot).await,
            Errand::Recover => visit.recover().await,
        };
        if let Some(lease) = Arc::into_inner(lease) {
            lease.release().await;
        }
        T::from_said(said?, &conversation)
    }
}

impl<T: FromSaid> IntoFuture for AgentRun<T> {
    type Output = Result<T, AgentError>;
    type IntoFuture = BoxFuture<'static, Result<T, AgentError>>;

    fn into_future(self) -> Self::IntoFuture {
        self.said().boxed()
    }
}

impl FromSaid for Said {
    fn from_said(said: Said, _conversation: &str) -> Result<Self, AgentError> {
        Ok(said)
    }
}

impl FromSaid for AgentOutcome {
    fn from_said(said: Said, conversation: &str) -> Result<Self, AgentError> {
        let conversation = conversation.parse()?;
        match said {
            Said::Ended(outcome) => Ok(outcome),
            Said::Paused { outcome } => {
                Err(AgentError::Paused { conversation, outcome: Box::new(outcome) })
            }
            Said::Steered | Said::Queued => Err(AgentError::Steered { conversation }),
        }
    }
}

impl<T> fmt::Debug for AgentRun<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentRun({:?})", self.conversation)
    }
}
