//! What a visit does to a conversation: a message, an answer, a resumption, the end of its run.

use ddg_core::RunError;
use ddg_core::checkpoint::StoredRuns;
use ddg_core::run::{AnswerError, Question};
use ddg_core::snapshot::Snapshot;
use ddg_core::values::Value;

use super::Visit;
use crate::agent::{AgentError, Said, WhenBusy};
use crate::memory::{ConversationError, OpenRunPlace, StoredConversation};
use crate::message::Message;
use crate::react::{Mailbox, Task};

impl Visit<'_> {
    /// Says `message`, to a new run or to the open one.
    pub(in crate::agent) async fn say(self, message: Message) -> Result<Said, AgentError> {
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
    pub(in crate::agent) async fn answer(
        self,
        question: String,
        answer: Value,
    ) -> Result<Said, AgentError> {
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
    pub(in crate::agent) async fn resume(self, snapshot: Snapshot) -> Result<Said, AgentError> {
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
    pub(in crate::agent) async fn recover(self) -> Result<Said, AgentError> {
        let StoredConversation { version, run, .. } = self.load().await?;
        match run {
            Some(open) => self.go_on(open, version).await,
            None => Err(self.not_paused()),
        }
    }

    /// Continues the open run, unless it waits for a person.
    pub(in crate::agent) async fn recover_if_due(self) -> Result<Option<Said>, AgentError> {
        let StoredConversation { run, .. } = self.load().await?;
        match run {
            Some(open) if self.questions_of(&open).await?.is_empty() => {
                self.recover().await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Drops the open run.
    pub(in crate::agent) async fn give_up(&self) -> Result<bool, AgentError> {
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
