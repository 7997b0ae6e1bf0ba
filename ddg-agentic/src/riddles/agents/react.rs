//! Agents with models as agents of the platform: a `ReActAutoma`, or an `Agent`.

use std::fmt;

use ddg_core::graph::BuildError;
use ddg_core::prelude::*;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::agent::{AgentContext, Decision, RiddleAgent};
use super::super::message::{AgentMessage, DataType, RiddleSolution};
use super::super::stage::{Capability, Stage};
use crate::agent::Agent;
use crate::model::{ChatReply, Wanted};
use crate::react::{AgentOutcome, ReActAutoma};

/// A solution, as the model is asked for it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Proposed {
    /// Whether the riddle can be solved with what is known.
    can_be_solved: bool,
    /// The solution alone, without a sentence around it.
    solution: String,
    /// Why it is the solution.
    explanation: String,
}

/// A review, as the model is asked for it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Reviews {
    /// One review for each proposed solution, in their order.
    reviews: Vec<Review>,
}

/// What the model says of one solution.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Review {
    /// Whether the solution is right.
    accepted: bool,
    /// Why it is right or wrong.
    review: String,
}

/// An agent with a model and tools, for one stage of riddles.
///
/// ```
/// use ddg_agentic::model::ScriptedModel;
/// use ddg_agentic::riddles::agents::ReActAgent;
/// use ddg_agentic::ReActAutoma;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let model = ScriptedModel::new()
///     .text(r#"{ "can_be_solved": true, "solution": "42", "explanation": "6 * 7 = 42" }"#);
/// let solver = ReActAgent::solver(ReActAutoma::new(model))?;
/// # let _ = solver;
/// # Ok(())
/// # }
/// ```
pub struct ReActAgent {
    capability: Capability,
    agent: Asked,
}

/// The agent behind it.
enum Asked {
    /// One whose answers have a type.
    Typed(Box<TypedAutoma<AgentOutcome>>),
    /// One whose conversations are kept; its answers are text.
    Conversations(Box<Agent>),
}

impl ReActAgent {
    /// An agent that proposes solutions. It gets the context, the question, the extracted texts and
    /// earlier solutions with their reviews, and stops if it says that it cannot solve the riddle.
    ///
    /// # Errors
    /// If the agent cannot be built.
    pub fn solver(agent: ReActAutoma) -> Result<Self, BuildError> {
        let agent = agent.answer::<Proposed>().build()?;
        Ok(Self::typed(Capability::Solve, agent))
    }

    /// An agent that accepts or rejects solutions.
    ///
    /// # Errors
    /// If the agent cannot be built.
    pub fn gatekeeper(agent: ReActAutoma) -> Result<Self, BuildError> {
        let agent = agent.answer::<Reviews>().build()?;
        Ok(Self::typed(Capability::Gatekeeper, agent))
    }

    /// An agent that extracts text from data of these types. It gets the path of the document in
    /// the shared folder, its prompt, and of a text its content; its answer is the extraction.
    ///
    /// # Errors
    /// If the agent cannot be built.
    pub fn extractor(
        kinds: impl IntoIterator<Item = DataType>,
        agent: ReActAutoma,
    ) -> Result<Self, BuildError> {
        Ok(Self::typed(Capability::extract(kinds), agent.build()?))
    }

    /// An agent whose conversations are kept, one for each message: `riddle ID, message N`. It is
    /// told the JSON Schema of what it is to answer; an answer of another form is an abstention.
    pub fn conversing(capability: Capability, agent: Agent) -> Self {
        Self { capability, agent: Asked::Conversations(Box::new(agent)) }
    }

    fn typed(capability: Capability, agent: TypedAutoma<AgentOutcome>) -> Self {
        Self { capability, agent: Asked::Typed(Box::new(agent)) }
    }

    async fn text(&self, task: String, cx: &AgentContext) -> Result<String, WorkerError> {
        Ok(match &self.agent {
            Asked::Typed(agent) => agent.run(args!(task)).await?.text(),
            Asked::Conversations(agent) => {
                let conversation = format!("riddle {}, message {}", cx.riddle, cx.number);
                agent.run(conversation, task).await?.text()
            }
        })
    }

    async fn answer<T>(&self, task: String, cx: &AgentContext) -> Result<T, WorkerError>
    where
        T: DeserializeOwned + JsonSchema,
    {
        if let Asked::Typed(agent) = &self.agent {
            return Ok(agent.run(args!(task)).await?.answer()?);
        }
        let wanted = Wanted::new::<T>().map_err(WorkerError::msg)?;
        let text = self.text(format!("{task}Reply with {}\n", wanted.in_words()), cx).await?;
        let read = wanted.read(&ChatReply::text(text)).map_err(|faults| {
            WorkerError::msg(format!("its answer is not what was asked for: {}", faults.join("; ")))
        })?;
        Ok(serde_json::from_value(read)?)
    }
}

impl RiddleAgent for ReActAgent {
    fn capabilities(&self) -> Vec<Capability> {
        vec![self.capability.clone()]
    }

    async fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Result<(), WorkerError> {
        match self.capability.stage() {
            Stage::Extract => {
                let item = cx.item().unwrap_or(0);
                let text = self.text(document(message, item, cx)?, cx).await?;
                if let Some(data) = response.data.get_mut(item) {
                    data.file_extracted = Some(cx.write_extraction(&text)?);
                }
            }
            Stage::Solve => {
                let proposed: Proposed = self.answer(in_words(message, cx)?, cx).await?;
                if proposed.can_be_solved {
                    let solution = RiddleSolution::new(proposed.solution, proposed.explanation);
                    response.solution.push(solution);
                }
            }
            Stage::Gatekeeper => {
                let Reviews { reviews } = self.answer(in_words(message, cx)?, cx).await?;
                if reviews.len() != response.solution.len() {
                    let (n, wanted) = (reviews.len(), response.solution.len());
                    return Err(WorkerError::msg(format!("{n} reviews for {wanted} solutions")));
                }
                for (solution, review) in response.solution.iter_mut().zip(reviews) {
                    solution.accepted = review.accepted;
                    solution.review = Some(review.review);
                }
            }
        }
        Ok(())
    }

    async fn before_response(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        _: &AgentContext,
    ) -> Decision {
        let has_none = self.capability == Capability::Solve
            && response.solution.len() == message.solution.len();
        if has_none { Decision::Stop } else { Decision::Send }
    }
}

/// The document that is to be extracted, in words.
fn document(message: &AgentMessage, item: usize, cx: &AgentContext) -> Result<String, WorkerError> {
    let data =
        message.data.get(item).ok_or_else(|| WorkerError::msg("the data item is missing"))?;
    let mut text = format!("Extract the {} `{}`.\n", data.kind, data.file_plain);
    if let Some(prompt) = &data.prompt {
        text += &format!("What is wanted: {prompt}\n");
    }
    if data.kind == DataType::Text {
        text += &format!("Its content:\n{}\n", cx.shared().read_text(&data.file_plain)?);
    }
    Ok(text)
}

/// All that is known of a riddle, in words.
fn in_words(message: &AgentMessage, cx: &AgentContext) -> Result<String, WorkerError> {
    let mut text = String::new();
    if !message.riddle.context.is_empty() {
        text += &format!("Context: {}\n", message.riddle.context);
    }
    text += &format!("Question: {}\n", message.riddle.question);
    for data in &message.data {
        if let Some(path) = &data.file_extracted {
            let extracted = cx.shared().read_text(path)?;
            text += &format!("From the {} `{}`: {extracted}\n", data.kind, data.file_plain);
        }
    }
    for before in &message.riddle.solutions_before {
        let review = before.review.as_deref().unwrap_or("it was not reviewed");
        text += &format!("Rejected before: {} ({review})\n", before.solution);
    }
    for (n, solution) in message.solution.iter().enumerate() {
        let (n, explanation) = (n + 1, &solution.explanation);
        text += &format!("Proposed solution {n}: {} (because: {explanation})\n", solution.solution);
    }
    Ok(text)
}

impl fmt::Debug for ReActAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReActAgent").field("capability", &self.capability).finish_non_exhaustive()
    }
}
