//! The messages of a riddle as they are written.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use super::super::error::RiddleError;
use super::super::log::{LoggedMessage, MessageFilter};
use super::super::outcome::RiddleState;
use super::super::platform::Platform;

/// The messages of a riddle, in order and without gaps: those that were written, then those that
/// are. It reads the log, so a slow reader slows nobody and misses nothing.
#[derive(Debug)]
pub struct RiddleEvents {
    platform: Arc<Platform>,
    changed: watch::Receiver<u64>,
    riddle: String,
    after: i64,
    read: VecDeque<LoggedMessage>,
}

impl RiddleEvents {
    pub(super) fn new(platform: Arc<Platform>, riddle: &str, after: i64) -> Self {
        let changed = platform.changes();
        let riddle = riddle.to_owned();
        Self { platform, changed, riddle, after, read: VecDeque::new() }
    }

    /// The next message. `None` when the riddle has ended and all messages were read.
    ///
    /// # Errors
    /// If there is no such riddle, or the log fails.
    ///
    /// # Cancel safety
    /// No message is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Option<LoggedMessage>, RiddleError> {
        loop {
            if let Some(message) = self.read.pop_front() {
                self.after = message.number;
                return Ok(Some(message));
            }
            // In this order: what is written between the two reads is read next time.
            let has_ended =
                self.platform.log.riddle(&self.riddle).await?.state != RiddleState::Running;
            let filter = MessageFilter::default().riddle(&*self.riddle).after(self.after);
            self.read = self.platform.log.messages(&filter).await?.into();
            if self.read.is_empty() {
                if has_ended {
                    return Ok(None);
                }
                self.changed.changed().await.expect("the platform, which sends, is held");
            }
        }
    }
}
