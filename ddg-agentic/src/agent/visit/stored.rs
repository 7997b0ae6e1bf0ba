//! What is stored of a conversation: its messages, its open run and the questions of that run.

use std::sync::Arc;

use ddg_core::checkpoint::{CheckpointStore, StoredRuns};
use ddg_core::run::Question;

use super::Visit;
use crate::agent::{Agent, AgentError};
use crate::memory::{
    ConversationError, ConversationId, ConversationVersion, OpenRun, OpenRunPlace,
    StoredConversation,
};

impl Visit<'_> {
    pub(super) async fn load(&self) -> Result<StoredConversation, AgentError> {
        load(self.agent, &self.id).await
    }

    /// Saves `open` with the conversation. Returns `None` if another writer has changed the
    /// conversation.
    pub(super) async fn keep(
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

    pub(super) async fn put(
        &self,
        open: Option<&OpenRun>,
        version: ConversationVersion,
    ) -> Result<ConversationVersion, ConversationError> {
        self.agent.conversations.keep_run(&self.id, open, version).await
    }

    /// The store of the run `id`.
    pub(super) fn runs(&self, id: &str) -> Result<Arc<dyn CheckpointStore>, AgentError> {
        let place = self.place.as_ref().map(|place| Arc::clone(&place.store));
        run_store(place.as_ref(), &self.id, id)
    }

    pub(super) async fn questions_of(&self, open: &OpenRun) -> Result<Vec<Question>, AgentError> {
        let place = self.place.as_ref().map(|place| &place.store);
        questions_of(open, place, &self.id).await
    }
}

/// The questions that a conversation waits for.
pub(in crate::agent) async fn questions(
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
