//! Closures as agents.

use std::fmt;

use ddg_core::WorkerError;

use super::super::agent::{AgentContext, Decision, RiddleAgent};
use super::super::message::AgentMessage;
use super::super::stage::Capability;

/// What a closure answers.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one is made per message, and taken apart at once")]
pub enum AgentReply {
    /// This response is sent.
    Send(AgentMessage),
    /// The agent gives up on this message.
    Stop,
    /// The response is sent later; it was taken with [`AgentContext::held`].
    Hold,
}

impl From<AgentMessage> for AgentReply {
    fn from(response: AgentMessage) -> Self {
        Self::Send(response)
    }
}

/// A closure as an agent, made by [`agent_fn`].
pub struct AgentFn<F> {
    capabilities: Vec<Capability>,
    function: F,
}

/// Makes an agent of a closure, which gets the response that begins as a copy of the message.
///
/// ```
/// use ddg_agentic::riddles::agents::agent_fn;
/// use ddg_agentic::riddles::{Capability, RiddleSolution};
///
/// let solver = agent_fn([Capability::Solve], async |mut response, _| {
///     response.solution.push(RiddleSolution::new("42", "it always is"));
///     Ok(response.into())
/// });
/// # let _ = solver;
/// ```
pub fn agent_fn<F, Fut>(
    capabilities: impl IntoIterator<Item = Capability>,
    function: F,
) -> AgentFn<F>
where
    F: Fn(AgentMessage, AgentContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AgentReply, WorkerError>> + Send,
{
    AgentFn { capabilities: capabilities.into_iter().collect(), function }
}

impl<F, Fut> RiddleAgent for AgentFn<F>
where
    F: Fn(AgentMessage, AgentContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<AgentReply, WorkerError>> + Send,
{
    fn capabilities(&self) -> Vec<Capability> {
        self.capabilities.clone()
    }

    async fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Result<(), WorkerError> {
        let reply = (self.function)(message.clone(), cx.clone()).await?;
        let decision = match reply {
            AgentReply::Send(sent) => {
                *response = sent;
                Decision::Send
            }
            AgentReply::Stop => Decision::Stop,
            AgentReply::Hold => Decision::Hold,
        };
        cx.decide(decision);
        Ok(())
    }

    async fn before_response(
        &self,
        _: &AgentMessage,
        _: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Decision {
        cx.decided()
    }
}

impl<F> fmt::Debug for AgentFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentFn").field("capabilities", &self.capabilities).finish_non_exhaustive()
    }
}
