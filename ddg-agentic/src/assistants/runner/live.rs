//! Writes a model's reply while it comes.

use std::sync::Arc;

use crate::assistants::builder::Inner;
use crate::assistants::id::UniqueIds;
use crate::assistants::object::RunStatus;
use crate::assistants::rule::{Changes, Moment, Partial, Reply, ReplyPiece, RunSettings, RunState};
use crate::assistants::store::{RunRow, Written};
use crate::assistants::{AssistantsError, drive};

/// A run whose reply is being written.
pub(super) struct Live<'a> {
    inner: &'a Arc<Inner>,
    pub(super) row: RunRow,
}

impl<'a> Live<'a> {
    pub(super) fn new(inner: &'a Arc<Inner>, row: RunRow) -> Self {
        Self { inner, row }
    }

    /// Writes pieces and, at the end, the whole reply, in one transition.
    ///
    /// # Errors
    /// If the run is no longer at work, or the store fails.
    pub(super) async fn write(
        &mut self,
        pieces: &[ReplyPiece],
        reply: Option<&Reply>,
    ) -> Result<(), AssistantsError> {
        // What a broken reply has shown has to be known before it is ended.
        let mut rest = pieces;
        while let Some(at) = rest.iter().position(|piece| matches!(piece, ReplyPiece::Restart)) {
            self.apply(|state, settings, moment, changes| {
                for piece in &rest[..at] {
                    state.piece(settings, piece, moment, changes);
                }
            })
            .await?;
            self.abandon().await?;
            rest = &rest[at + 1..];
        }
        self.apply(|state, settings, moment, changes| {
            for piece in rest {
                state.piece(settings, piece, moment, changes);
            }
            if let Some(reply) = reply {
                state.replied(settings, reply, moment, changes);
            }
        })
        .await
    }

    /// Ends what is open of a reply that never became whole.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(super) async fn abandon(&mut self) -> Result<(), AssistantsError> {
        if self.row.state.is_closed() {
            return Ok(());
        }
        let partial: Partial =
            self.inner.store.partial(&self.row.state.id, self.row.state.open.since).await?;
        self.apply(|state, settings, moment, changes| {
            state.abandon(settings, &partial, moment, changes);
        })
        .await
    }

    async fn apply(
        &mut self,
        change: impl FnOnce(&mut RunState, &RunSettings, &mut Moment<'_>, &mut Changes),
    ) -> Result<(), AssistantsError> {
        let now = self.inner.now();
        let mut changes = Changes::default();
        let mut ids = UniqueIds;
        let mut moment = Moment { now, ids: &mut ids };
        let before = self.row.state.clone();
        change(&mut self.row.state, &self.row.settings, &mut moment, &mut changes);
        if self.row.state == before {
            return Ok(());
        }
        loop {
            match self.inner.store.write_run(&self.row, &changes, now).await? {
                Written::Yes => {
                    self.row.version += 1;
                    self.inner.hub.changed(&self.row.state.id);
                    return Ok(());
                }
                Written::Outdated => {
                    let id = &self.row.state.id;
                    let found = self.inner.store.run(id).await?;
                    let found = found.ok_or_else(|| AssistantsError::not_found("run", id))?;
                    if found.state.status != RunStatus::InProgress {
                        return Err(drive::no_longer(id, found.state.status));
                    }
                    // Only its metadata have changed, or this very change has been written.
                    if found.state.next_event == self.row.state.next_event {
                        self.row = found;
                        return Ok(());
                    }
                    (self.row.settings, self.row.version) = (found.settings, found.version);
                }
            }
        }
    }
}

/// Writes a reply that the journal has and the rows have not. Gives the run as it is then.
///
/// # Errors
/// If the run is no longer at work, or the store fails.
pub(super) async fn catch_up(
    inner: &Arc<Inner>,
    row: RunRow,
    turn: u32,
    reply: &Reply,
) -> Result<RunRow, AssistantsError> {
    if row.state.turn > turn {
        return Ok(row);
    }
    let mut live = Live::new(inner, row);
    live.abandon().await?;
    live.write(&reply.pieces(), Some(reply)).await?;
    Ok(live.row)
}
