//! One run of a conversation: its admission, begin, continuation, and what is saved.
//!
//! **Invariant.** A decision is written before anything acts on it. An answer is written, and
//! applied once, before the run resumes with it. A message for an open run is accepted or refused
//! before the run resumes. A writer that loses the race for the conversation's version loads the
//! conversation again.

use std::sync::Arc;

use ddg_core::args::Args;
use ddg_core::checkpoint::{CheckpointStore, RunId, StoredRuns};
use ddg_core::run::{AnswerError, Question, RunBuilder};
use ddg_core::snapshot::Snapshot;
use ddg_core::values::Value;
use ddg_core::{Outcome, RunError};

use super::lease::HeldLease;
use super::live::{LiveTurn, Went};
use super::run::RunPlace;
use super::turnstile::{Admitted, OpenMailbox, Turn};
use super::{Agent, AgentError, Said, WhenBusy};
use crate::memory::{
    Conversation, ConversationError, ConversationId, ConversationVersion, OpenRun, OpenRunPlace,
    StoredConversation,
};
use crate::message::Message;
use crate::react::{AgentFailed, AgentOutcome, Mailbox, Task, Unheard};

/// The right to run a conversation, with the run.
pub(super) struct Visit<'a> {
    agent: &'a Agent,
    id: ConversationId,
    turn: Turn,
    /// After `turn`, so fields drop in this order: a caller notified of the end finds the
    /// conversation free.
    live: LiveTurn<'a>,
    lease: Arc<HeldLease>,
    run: RunBuilder<AgentOutcome>,
    inputs: Args,
    place: Option<RunPlace>,
}

impl<'a> Visit<'a> {
    /// Waits until the conversation is free, in this process and in others.
    pub(super) async fn of(agent: &'a Agent, conversation: &str) -> Result<Self, AgentError> {
        let id = ConversationId::new(conversation)?;
        match agent.turnstile.wait(&id).await {
            Some(turn) => Self::enter(agent, id, turn, true).await,
            None => Err(stopped(id, Vec::new())),
        }
    }

    /// Enters a conversation if it is free now.
    pub(super) async fn if_free(agent: &'a Agent, id: ConversationId) -> Result<Self, AgentError> {
        match agent.turnstile.try_enter(&id) {
            Some(turn) => Self::enter(agent, id, turn, false).await,
            None => Err(AgentError::Busy { conversation: id }),
        }
    }

    /// Admits `message` according to the agent's [`WhenBusy`], or returns what else became of it.
    pub(super) async fn begin(
        agent: &'a Agent,
        conversation: &str,
        message: &Message,
    ) -> Result<Result<Self, Said>, AgentError> {
        let id = ConversationId::new(conversation)?;
        if agent.live.is_closed() {
            return Err(AgentError::Closed);
        }
        match agent.turnstile.admit(&id, agent.when_busy, message).await {
            Admitted::In(turn) => {
                let waits = agent.when_busy != WhenBusy::Refuse;
                match Self::enter(agent, id, turn, waits).await {
                    Ok(visit) => Ok(Ok(visit)),
                    Err(AgentError::Stopped { conversation, .. }) => {
                        Err(stopped(conversation, vec![message.clone()]))
                    }
                    Err(error) => Err(error),
                }
            }
            Admitted::Steered => Ok(Err(Said::Steered)),
            Admitted::Refused => Err(AgentError::Busy { conversation: id }),
            Admitted::Full => Err(AgentError::SteeringFull { conversation: id }),
            Admitted::Cleared => Err(stopped(id, vec![message.clone()])),
        }
    }

    /// Acquires the lease of a conversation that this process has the turn of.
    async fn enter(
        agent: &'a Agent,
        id: ConversationId,
        turn: Turn,
        waits: bool,
    ) -> Result<Self, AgentError> {
        let live = agent.live.begin(&id).ok_or(AgentError::Closed)?;
        let (store, claim) = (&agent.conversations, &agent.claim);
        let lease = async {
            match waits {
                true => HeldLease::wait(store, &id, claim).await,
                false => HeldLease::take(store, &id, claim).await,
            }
        };
        let lease = match live.until_stopped(lease).await {
            Some(Ok(lease)) => Arc::new(lease),
            Some(Err(ConversationError::Held { .. })) => {
                return Err(AgentError::Busy { conversation: id });
            }
            Some(Err(source)) => return Err(AgentError::Unread { conversation: id, source }),
            None => {
                live.stopped();
                drop(turn);
                return Err(stopped(id, Vec::new()));
            }
        };
        let (run, inputs) = (agent.automa.run(()), Args::new());
        let place = agent.runs.clone().map(|store| RunPlace { store, id: None });
        Ok(Self { agent, id, turn, live, lease, run, inputs, place })
    }

    /// The lease, which is released after the visit.
    pub(super) fn lease(&self) -> Arc<HeldLease> {
        Arc::clone(&self.lease)
    }

    /// Sets the run, with its inputs and its store.
    pub(super) fn with(
        mut self,
        run: RunBuilder<AgentOutcome>,
        inputs: Args,
        place: Option<RunPlace>,
    ) -> Self {
        (self.run, self.inputs, self.place) = (run, inputs, place);
        self
    }

    /// Says `message`, to a new run or to the open one.
    pub(super) async fn say(self, message: Message) -> Result<Said, AgentError> {
        loop {
            let StoredConversation { conversation, version, run } = self.load().await?;
            let Some(mut open) = run else {
                return self.begin_run(conversation, version, message).await;
            };
            let questions = self.questions_of(&open).await?;
            self.live.waits(!questions.is_empty());
            let said = match self.agent.when_busy {
                WhenBusy::Refuse => return Err(self.refused(questions)),
                WhenBusy::Steer if open.steered.len() >= Mailbox::MOST => {
                    return Err(AgentError::SteeringFull { conversation: self.id });
                }
                WhenBusy::Steer => {
                    open.steered.push(message.clone());
                    Said::Steered
                }
                WhenBusy::Queue => {
                    open.queued.push(message.clone());
                    Said::Queued
                }
            };
            let Some(version) = self.keep(&open, version).await? else { continue };
            if questions.is_empty() {
                return self.go_on(open, version).await;
            }
            return Ok(said);
        }
    }

    /// Answers a question, and resumes the run.
    pub(super) async fn answer(self, question: String, answer: Value) -> Result<Said, AgentError> {
        loop {
            let StoredConversation { version, run, .. } = self.load().await?;
            let Some(mut open) = run else {
                let source = AnswerError::NotPaused { id: question };
                return Err(AgentError::NotAsked { conversation: self.id, source });
            };
            match &mut open.at {
                OpenRunPlace::Snapshot(snapshot) => {
                    if let Err(source) = snapshot.answer(&question, answer.clone()) {
                        return Err(AgentError::NotAsked { conversation: self.id, source });
                    }
                    let Some(version) = self.keep(&open, version).await? else { continue };
                    return self.go_on(open, version).await;
                }
                OpenRunPlace::Stored { run, .. } => {
                    let runs = StoredRuns::new(&self.runs(run)?);
                    return match runs.answer(run.as_str(), &question, answer).await {
                        Ok(()) => self.go_on(open, version).await,
                        Err(RunError::Answer(source)) => {
                            Err(AgentError::NotAsked { conversation: self.id, source })
                        }
                        Err(error) => Err(self.failed(error, Vec::new())),
                    };
                }
            }
        }
    }

    /// Resumes the open run from a snapshot.
    pub(super) async fn resume(self, snapshot: Snapshot) -> Result<Said, AgentError> {
        let StoredConversation { version, run, .. } = self.load().await?;
        let Some(mut open) = run else { return Err(self.not_paused()) };
        let OpenRunPlace::Snapshot(kept) = &mut open.at else { return Err(self.not_paused()) };
        if !is_of(&snapshot, kept) {
            return Err(self.not_paused());
        }
        **kept = snapshot;
        match self.keep(&open, version).await? {
            Some(version) => self.go_on(open, version).await,
            None => Err(self.not_paused()),
        }
    }

    /// Continues the open run.
    pub(super) async fn recover(self) -> Result<Said, AgentError> {
        let StoredConversation { version, run, .. } = self.load().await?;
        match run {
            Some(open) => self.go_on(open, version).await,
            None => Err(self.not_paused()),
        }
    }

    /// Continues the open run, unless it waits for a person.
    pub(super) async fn recover_if_due(self) -> Result<Option<Said>, AgentError> {
        let StoredConversation { run, .. } = self.load().await?;
        match run {
            Some(open) if self.questions_of(&open).await?.is_empty() => {
                self.recover().await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Drops the open run.
    pub(super) async fn give_up(&self) -> Result<bool, AgentError> {
        loop {
            let StoredConversation { version, run, .. } = self.load().await?;
            if run.is_none() {
                return Ok(false);
            }
            match self.put(None, version).await {
                Ok(_) => {
                    self.live.waits(false);
                    return Ok(true);
                }
                Err(ConversationError::Changed { .. }) => {}
                Err(source) => return Err(self.unkept(source)),
            }
        }
    }

    /// Begins a run. A stored run is recorded with the conversation first, so that it can be
    /// recovered.
    async fn begin_run(
        mut self,
        conversation: Conversation,
        version: ConversationVersion,
        message: Message,
    ) -> Result<Said, AgentError> {
        let (said, nth) = (vec![message], version.number());
        let mut run = self.take_run();
        let inputs = std::mem::take(&mut self.inputs);
        let Some(RunPlace { store, id }) = self.place.take() else {
            let run = run.args(self.task(said, conversation, nth, &inputs));
            return self.run_to_end(run, None, version, Unheard::default()).await;
        };
        let id = id.unwrap_or_else(|| RunId::random().to_string());
        run = run.stored_in(&store, &id);
        let at = OpenRunPlace::Stored { run: id, said: said.clone(), inputs: inputs.clone() };
        let Some(version) = self.keep(&OpenRun::new(at.clone()), version).await? else {
            return Err(AgentError::Busy { conversation: self.id });
        };
        let run = run.args(self.task(said, conversation, nth, &inputs));
        self.run_to_end(run, Some(at), version, Unheard::default()).await
    }

    /// Continues the open run.
    async fn go_on(
        mut self,
        open: OpenRun,
        version: ConversationVersion,
    ) -> Result<Said, AgentError> {
        let OpenRun { at, steered, queued } = open;
        let run = self.take_run();
        let run = match &at {
            OpenRunPlace::Snapshot(snapshot) => run.snapshot(Snapshot::clone(snapshot)),
            OpenRunPlace::Stored { run: id, said, inputs } => {
                let store = self.runs(id)?;
                let StoredConversation { conversation, .. } = self.load().await?;
                // Used only if the run has never been written to the store.
                let task = self.task(said.clone(), conversation, version.number(), inputs);
                run.stored_in(&store, id).args(task)
            }
        };
        self.run_to_end(run, Some(at), version, Unheard { steered, queued }).await
    }

    /// Runs to the end, and saves the result. `open` is the place where the run is saved already.
    async fn run_to_end(
        self,
        run: RunBuilder<AgentOutcome>,
        open: Option<OpenRunPlace>,
        version: ConversationVersion,
        unheard: Unheard,
    ) -> Result<Said, AgentError> {
        let mailbox = self.turn.open(&self.id, &self.agent.mailboxes, unheard);
        let ended = match self.lease.during(self.live.run(run)).await {
            Ok(Went::Ended(ended)) => ended,
            Ok(Went::Stopped) => {
                let unheard = mailbox.told();
                if open.is_some() {
                    self.give_up().await?;
                }
                return Err(stopped(self.id.clone(), unheard));
            }
            Err(source) => {
                return Err(AgentError::TakenOver {
                    conversation: self.id.clone(),
                    source: Box::new(source),
                    unheard: mailbox.told(),
                });
            }
        };
        let ended = match ended {
            Ok(outcome) if outcome.is_paused() => {
                return self.pause(outcome, open, version, &mailbox).await;
            }
            Ok(outcome) => outcome.into_output::<AgentOutcome>(),
            Err(error) => Err(error),
        };
        let left = match &ended {
            Ok(outcome) => Some(outcome),
            Err(error) => error.downcast_ref().map(|AgentFailed { outcome, .. }| &**outcome),
        };
        if let Some(outcome) = left {
            let store = &self.agent.conversations;
            if let Err(source) = store.save(&self.id, &outcome.conversation, version).await {
                return Err(AgentError::Unwritten {
                    conversation: self.id.clone(),
                    source,
                    outcome: Box::new(outcome.clone()),
                });
            }
        }
        let is_written = left.is_some();
        match ended {
            Ok(outcome) => Ok(Said::Ended(outcome)),
            Err(error) => {
                if !is_written && open.is_some() && is_final(&error) {
                    // The first error matters more than a failure to write.
                    let _ = self.put(None, version).await;
                }
                Err(self.failed(error, mailbox.told()))
            }
        }
    }

    /// Saves a run that asks a person with its conversation.
    async fn pause(
        &self,
        outcome: Outcome,
        open: Option<OpenRunPlace>,
        version: ConversationVersion,
        mailbox: &OpenMailbox<'_>,
    ) -> Result<Said, AgentError> {
        let at = match open {
            Some(at @ OpenRunPlace::Stored { .. }) => at,
            _ => match outcome.snapshot() {
                Ok(snapshot) => OpenRunPlace::Snapshot(Box::new(snapshot)),
                Err(error) => return Err(self.failed(error.into(), mailbox.told())),
            },
        };
        let Unheard { steered, queued } = mailbox.close();
        match self.put(Some(&OpenRun { at, steered, queued }), version).await {
            Ok(_) => {
                self.live.waits(true);
                Ok(Said::Paused { outcome })
            }
            Err(source) => Err(self.unkept(source)),
        }
    }

    fn task(
        &self,
        said: Vec<Message>,
        conversation: Conversation,
        nth: u64,
        inputs: &Args,
    ) -> Args {
        let task = Task::saying(said).after(conversation).heard_from(self.id.as_str()).nth(nth);
        let named = inputs.by_name().map(|(name, value)| (name.to_owned(), value.clone()));
        named.fold(Args::new().with(task), |args, (name, value)| args.with_named(name, value))
    }

    fn take_run(&mut self) -> RunBuilder<AgentOutcome> {
        std::mem::replace(&mut self.run, self.agent.automa.run(()))
    }

    async fn load(&self) -> Result<StoredConversation, AgentError> {
        load(self.agent, &self.id).await
    }

    /// Saves `open` with the conversation. Returns `None` if another writer has changed the
    /// conversation.
    async fn keep(
        &self,
        open: &OpenRun,
        version: ConversationVersion,
    ) -> Result<Option<ConversationVersion>, AgentError> {
        match self.put(Some(open), version).await {
            Ok(version) => Ok(Some(version)),
            Err(ConversationError::Changed { .. }) => Ok(None),
            Err(source) => Err(self.unkept(source)),
        }
    }

    async fn put(
        &self,
        open: Option<&OpenRun>,
        version: ConversationVersion,
    ) -> Result<ConversationVersion, ConversationError> {
        self.agent.conversations.keep_run(&self.id, open, version).await
    }

    /// The store of the run `id`.
    fn runs(&self, id: &str) -> Result<Arc<dyn CheckpointStore>, AgentError> {
        let place = self.place.as_ref().map(|place| Arc::clone(&place.store));
        run_store(place.as_ref(), &self.id, id)
    }

    async fn questions_of(&self, open: &OpenRun) -> Result<Vec<Question>, AgentError> {
        let place = self.place.as_ref().map(|place| &place.store);
        questions_of(open, place, &self.id).await
    }

    fn refused(self, questions: Vec<Question>) -> AgentError {
        let conversation = self.id;
        match questions[..] {
            [] => AgentError::Interrupted { conversation },
            _ => AgentError::Waiting {
                conversation,
                questions: questions.into_iter().map(|question| question.id).collect(),
            },
        }
    }

    fn not_paused(self) -> AgentError {
        AgentError::NotPaused { conversation: self.id }
    }

    fn unkept(&self, source: ConversationError) -> AgentError {
        AgentError::Unkept { conversation: self.id.clone(), source }
    }

    fn failed(&self, error: RunError, unheard: Vec<Message>) -> AgentError {
        AgentError::Run { conversation: self.id.clone(), source: Box::new(error), unheard }
    }
}

/// The error of a turn, or of a message waiting for one, that was stopped.
fn stopped(conversation: ConversationId, unheard: Vec<Message>) -> AgentError {
    AgentError::Stopped { conversation, unheard }
}

/// The questions that a conversation waits for.
pub(super) async fn questions(
    agent: &Agent,
    conversation: &str,
) -> Result<Vec<Question>, AgentError> {
    let id = ConversationId::new(conversation)?;
    match load(agent, &id).await?.run {
        Some(open) => questions_of(&open, agent.runs.as_ref(), &id).await,
        None => Ok(Vec::new()),
    }
}

async fn load(agent: &Agent, id: &ConversationId) -> Result<StoredConversation, AgentError> {
    let stored = agent.conversations.load(id).await;
    stored.map_err(|source| AgentError::Unread { conversation: id.clone(), source })
}

async fn questions_of(
    open: &OpenRun,
    runs: Option<&Arc<dyn CheckpointStore>>,
    conversation: &ConversationId,
) -> Result<Vec<Question>, AgentError> {
    let OpenRunPlace::Stored { run, .. } = &open.at else { return Ok(open.questions()) };
    let questions = StoredRuns::new(&run_store(runs, conversation, run)?).questions(run).await;
    questions.map_err(|error| AgentError::Run {
        conversation: conversation.clone(),
        source: Box::new(error),
        unheard: Vec::new(),
    })
}

fn run_store(
    runs: Option<&Arc<dyn CheckpointStore>>,
    conversation: &ConversationId,
    run: &str,
) -> Result<Arc<dyn CheckpointStore>, AgentError> {
    runs.cloned().ok_or_else(|| AgentError::NoRunStore {
        conversation: conversation.clone(),
        run: run.to_owned(),
    })
}

/// Whether a run that failed with this error fails again each time it is continued.
fn is_final(error: &RunError) -> bool {
    matches!(
        error,
        RunError::Step(_)
            | RunError::Output { .. }
            | RunError::NoOutput { .. }
            | RunError::StepLimit { .. }
            | RunError::TooDeep { .. }
    )
}

/// Whether a snapshot belongs to the saved pause: same run, same step and same questions, answered
/// or not.
fn is_of(snapshot: &Snapshot, kept: &Snapshot) -> bool {
    let run = |snapshot| Task::of_run(snapshot).map(|task| (task.mailbox, task.nth));
    let asks = |question: &Question| snapshot.clone().withdraw_answer(&question.id).is_ok();
    snapshot.step() == kept.step()
        && run(snapshot) == run(kept)
        && kept.questions().iter().all(asks)
}
