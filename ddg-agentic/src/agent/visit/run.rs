//! The run of a visit: it begins or continues, and its end is saved.

use ddg_core::args::Args;
use ddg_core::checkpoint::RunId;
use ddg_core::run::RunBuilder;
use ddg_core::snapshot::Snapshot;
use ddg_core::{Outcome, RunError};

use super::{Visit, stopped};
use crate::agent::live::Went;
use crate::agent::run::RunPlace;
use crate::agent::turnstile::OpenMailbox;
use crate::agent::{AgentError, Said};
use crate::memory::{Conversation, ConversationVersion, OpenRun, OpenRunPlace, StoredConversation};
use crate::message::Message;
use crate::react::{AgentFailed, AgentOutcome, Task, Unheard};

impl Visit<'_> {
    /// Begins a run. A stored run is recorded with the conversation first, so that it can be
    /// recovered.
    pub(super) async fn begin_run(
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
    pub(super) async fn go_on(
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
    pub(super) async fn run_to_end(
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
    pub(super) async fn pause(
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

    pub(super) fn task(
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

    pub(super) fn take_run(&mut self) -> RunBuilder<AgentOutcome> {
        std::mem::replace(&mut self.run, self.agent.automa.run(()))
    }
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
            | RunError::Panicked { .. }
    )
}
