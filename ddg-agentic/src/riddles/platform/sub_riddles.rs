//! Riddles that agents of this platform pose for their riddles.

use futures::future::BoxFuture;

use super::super::error::RiddleError;
use super::super::log::{Parent, Posed};
use super::super::message::{AgentMessage, Riddle, RiddleData};
use super::super::outcome::RiddleOutcome;
use super::super::sub_riddle::RiddlePlatform;
use super::Platform;

impl RiddlePlatform for Platform {
    fn pose_sub_riddle<'a>(
        &'a self,
        parent: &'a str,
        cause: &'a str,
        riddle: Riddle,
        data: Option<Vec<RiddleData>>,
    ) -> BoxFuture<'a, Result<String, RiddleError>> {
        Box::pin(async move {
            let above = self.log.posed(parent).await?;
            let mut message = AgentMessage { riddle, ..AgentMessage::default() };
            message.data = data.unwrap_or_else(|| unextracted(above.data));
            message.contacts = above.contacts.saturating_add(1);
            let parent = Parent {
                id: parent,
                cause,
                max_depth: self.settings.max_depth,
                max_number: self.settings.max_sub_riddles,
            };
            let (id, posed) = self.log.pose_below(parent, &message).await?;
            if posed == Posed::New {
                self.wrote();
                self.start(&id);
            }
            Ok(id)
        })
    }

    fn ended<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>> {
        Box::pin(Platform::ended(self, id))
    }
}

/// The documents alone.
fn unextracted(mut data: Vec<RiddleData>) -> Vec<RiddleData> {
    for item in &mut data {
        item.file_extracted = None;
    }
    data
}
