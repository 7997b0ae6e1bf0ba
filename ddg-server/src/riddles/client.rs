//! The management as agents in other processes see it.

use std::time::Duration;

use ddg_agentic::riddles::{
    AgentMessage, Envelope, HeldResponse, LoggedMessage, MessageFilter, Receipt, Riddle,
    RiddleData, RiddleError, RiddleOutcome, RiddlePlatform, RiddleState,
};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::sleep;

use super::outbox::{NotTaken, Outbox};
use super::secret::Secret;

/// How often the end of a riddle is asked for.
const POLL: Duration = Duration::from_millis(500);

/// A client of a management.
///
/// ```no_run
/// use ddg_agentic::riddles::AgentMessage;
/// use ddg_server::riddles::ManagementClient;
///
/// # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
/// let management = ManagementClient::new("http://127.0.0.1:8090", None)?;
/// let id = management.pose(&AgentMessage::new("6 * 7 =")).await?;
/// assert_eq!(management.outcome(&id).await?.answer(), Some("42"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ManagementClient {
    outbox: Outbox,
}

#[derive(Deserialize)]
struct Posed {
    id: String,
}

#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Answered {
    receipt: Receipt,
}

impl ManagementClient {
    /// The management at this URL.
    ///
    /// # Errors
    /// In words, if it is no URL.
    pub fn new(url: &str, secret: Option<Secret>) -> Result<Self, String> {
        Ok(Self { outbox: Outbox::new(url, secret)? })
    }

    /// Poses a riddle, and returns its id.
    ///
    /// # Errors
    /// If the management cannot be reached, or refuses.
    pub async fn pose(&self, message: &AgentMessage) -> Result<String, RiddleError> {
        let reply = self.outbox.post_until_taken("riddles", message).await;
        read::<Posed>(reply).map(|posed| posed.id)
    }

    /// A riddle as it is now.
    ///
    /// # Errors
    /// If there is none with this id, or the management cannot be reached.
    pub async fn riddle(&self, id: &str) -> Result<RiddleOutcome, RiddleError> {
        read(self.outbox.get(&format!("riddles/{id}"), &[]).await)
    }

    /// Waits until a riddle has ended.
    ///
    /// # Errors
    /// As [`riddle`](Self::riddle).
    pub async fn outcome(&self, id: &str) -> Result<RiddleOutcome, RiddleError> {
        loop {
            let riddle = self.riddle(id).await?;
            if riddle.state != RiddleState::Running {
                return Ok(riddle);
            }
            sleep(POLL).await;
        }
    }

    /// A page of messages.
    ///
    /// # Errors
    /// If the management cannot be reached, or refuses.
    pub async fn messages(
        &self,
        filter: &MessageFilter,
    ) -> Result<Vec<LoggedMessage>, RiddleError> {
        let mut query = vec![("after", filter.after.to_string())];
        query.extend(filter.riddle.clone().map(|riddle| ("riddle", riddle)));
        query.extend(filter.limit.map(|limit| ("limit", limit.to_string())));
        read::<Page<_>>(self.outbox.get("messages", &query).await).map(|page| page.data)
    }

    /// The message with this number.
    ///
    /// # Errors
    /// If there is none, or the management cannot be reached.
    pub async fn message(&self, number: i64) -> Result<LoggedMessage, RiddleError> {
        read(self.outbox.get(&format!("messages/{number}"), &[]).await)
    }

    /// Answers a message; sent again until the management takes it.
    ///
    /// # Errors
    /// If the management refuses.
    pub async fn answer(&self, envelope: &Envelope) -> Result<Receipt, RiddleError> {
        let reply = self.outbox.post_until_taken("message", envelope).await;
        read::<Answered>(reply).map(|answered| answered.receipt)
    }

    /// Sends a response that an agent has held.
    ///
    /// # Errors
    /// If it was sent before, or the management refuses.
    pub async fn send_held(&self, held: HeldResponse) -> Result<Receipt, RiddleError> {
        let (agent, number, response) = held.into_parts();
        match self.answer(&Envelope::new(number, agent, response)).await? {
            Receipt::Repeated => Err(RiddleError::AlreadyAnswered { number }),
            receipt => Ok(receipt),
        }
    }
}

impl RiddlePlatform for ManagementClient {
    fn pose_sub_riddle<'a>(
        &'a self,
        parent: &'a str,
        cause: &'a str,
        riddle: Riddle,
        data: Option<Vec<RiddleData>>,
    ) -> BoxFuture<'a, Result<String, RiddleError>> {
        Box::pin(async move {
            let data = data.unwrap_or_default();
            let body = json!({ "riddle": riddle, "data": data, "parent": parent, "cause": cause });
            read::<Posed>(self.outbox.post_until_taken("riddles", &body).await)
                .map(|posed| posed.id)
        })
    }

    fn ended<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<RiddleOutcome, RiddleError>> {
        Box::pin(self.outcome(id))
    }
}

fn read<T: DeserializeOwned>(reply: Result<String, NotTaken>) -> Result<T, RiddleError> {
    let failed = |message: String| RiddleError::Remote { message };
    let text = reply.map_err(|refused| failed(format!("the management: {}", refused.message)))?;
    serde_json::from_str(&text)
        .map_err(|error| failed(format!("the management replied something else: {error}")))
}
