//! Riddles that agents pose for a riddle.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use super::error::RiddleError;
use super::message::{Riddle, RiddleData};
use super::outcome::RiddleOutcome;

/// What can pose sub-riddles and tells how they end: a management, here or elsewhere.
pub(super) trait PoseSubRiddle: Send + Sync {
    /// Poses a riddle for `parent`. `cause` is the same for the same call of the same message.
    fn pose_sub_riddle<'a>(
        &'a self,
        parent: &'a str,
        cause: &'a str,
        riddle: Riddle,
        data: Option<Vec<RiddleData>>,
    ) -> BoxFuture<'a, Result<String, RiddleError>>;

    /// Waits until a riddle has ended.
    fn ended<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>>;
}

/// A riddle that an agent has posed for its riddle.
#[derive(Clone)]
pub struct SubRiddle {
    id: String,
    platform: Arc<dyn PoseSubRiddle>,
}

impl SubRiddle {
    pub(super) fn new(id: String, platform: Arc<dyn PoseSubRiddle>) -> Self {
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
