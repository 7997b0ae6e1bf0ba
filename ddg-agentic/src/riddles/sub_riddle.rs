//! Riddles that agents pose for a riddle.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::error::RiddleError;
use super::message::{Riddle, RiddleData};
use super::outcome::RiddleOutcome;

/// A management, here or elsewhere, as its agents need it: it poses their sub-riddles, and tells
/// how they end.
pub trait RiddlePlatform: Send + Sync {
    /// Poses a riddle for `parent`. `cause` is the same for the same call of the same message; a
    /// riddle has one sub-riddle for each cause.
    ///
    /// # Errors
    /// If a limit is reached, `parent` has ended, or the management fails.
    fn pose_sub_riddle<'a>(
        &'a self,
        parent: &'a str,
        cause: &'a str,
        riddle: Riddle,
        data: Option<Vec<RiddleData>>,
    ) -> BoxFuture<'a, Result<String, RiddleError>>;

    /// Waits until a riddle has ended.
    ///
    /// # Errors
    /// If there is no such riddle, or the management fails.
    fn ended<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>>;
}

/// No management: an agent that is tried alone poses no sub-riddles.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPlatform;

impl RiddlePlatform for NoPlatform {
    fn pose_sub_riddle<'a>(
        &'a self,
        parent: &'a str,
        _: &'a str,
        _: Riddle,
        _: Option<Vec<RiddleData>>,
    ) -> BoxFuture<'a, Result<String, RiddleError>> {
        let message = "the agent is tried alone, without a management".to_owned();
        let error = RiddleError::NoSubRiddle { parent: parent.to_owned(), message };
        Box::pin(std::future::ready(Err(error)))
    }

    fn ended<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>> {
        let error = RiddleError::UnknownRiddle { id: id.to_owned() };
        Box::pin(std::future::ready(Err(error)))
    }
}

/// A riddle that an agent has posed for its riddle.
#[derive(Clone)]
pub struct SubRiddle {
    id: String,
    platform: Arc<dyn RiddlePlatform>,
}

impl SubRiddle {
    pub(super) fn new(id: String, platform: Arc<dyn RiddlePlatform>) -> Self {
        Self { id, platform }
    }

    /// Its id: that of the riddle, and a number.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Waits until it is solved or given up.
    ///
    /// # Errors
    /// If the platform cannot be asked.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing for the riddle.
    pub async fn outcome(&self) -> Result<RiddleOutcome, RiddleError> {
        self.platform.ended(&self.id).await
    }
}

impl fmt::Debug for SubRiddle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubRiddle").field("id", &self.id).finish_non_exhaustive()
    }
}
