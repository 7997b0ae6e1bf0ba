//! A solver with a model, a gatekeeper that rejects twice, and a sub-riddle.
//!
//! The solver poses a sub-riddle for the hard part of its riddle. The sub-riddle is sent to all
//! agents, its author included: there the model proposes, and reads why its earlier solutions were
//! rejected. The model is scripted, so the example needs no network.

use ddg_agentic::ReActAutoma;
use ddg_agentic::model::ScriptedModel;
use ddg_agentic::riddles::agents::{ReActAgent, agent_fn};
use ddg_agentic::riddles::{
    AgentContext, AgentMessage, Capability, Decision, Management, MessageFilter, RiddleAgent,
    RiddleSolution,
};
use ddg_core::WorkerError;

const WHOLE: &str = "What is twice the product of 6 and 7?";
const PART: &str = "What is 6 * 7?";

/// Asks for the product by a sub-riddle, and has the model solve that.
struct Solver {
    model: ReActAgent,
}

impl RiddleAgent for Solver {
    fn capabilities(&self) -> Vec<Capability> {
        vec![Capability::Solve]
    }

    async fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Result<(), WorkerError> {
        if message.riddle.question != WHOLE {
            return self.model.handle(message, response, cx).await;
        }
        let part = cx.sub_riddle(AgentMessage::new(PART).riddle, None).await?;
        let part = part.outcome().await?;
        if let Some(product) = part.answer().and_then(|answer| answer.parse::<u32>().ok()) {
            let why = format!("2 * {product}, as riddle {} says", part.id);
            response.solution.push(RiddleSolution::new((2 * product).to_string(), why));
        }
        Ok(())
    }

    async fn before_response(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Decision {
        self.model.before_response(message, response, cx).await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let proposal = |solution: &str| {
        serde_json::json!({ "can_be_solved": true, "solution": solution, "explanation": "by heart" })
            .to_string()
    };
    let model = ScriptedModel::new().text(proposal("40")).text(proposal("48")).text(proposal("42"));
    let asked = model.clone();
    let gatekeeper = agent_fn([Capability::Gatekeeper], async |mut response: AgentMessage, _| {
        for solution in &mut response.solution {
            solution.accepted = matches!(&*solution.solution, "42" | "84");
            let review = if solution.accepted { "right" } else { "it ends with 2" };
            solution.review = Some(review.to_owned());
        }
        Ok(response.into())
    });
    let shared = tempfile::tempdir()?;
    let management = Management::builder(shared.path())
        .agent("solver", Solver { model: ReActAgent::solver(ReActAutoma::new(model))? })
        .agent("gatekeeper", gatekeeper)
        .build()
        .await?;
    let riddle = management.pose(AgentMessage::new(WHOLE).id("whole")).await?;
    let outcome = riddle.outcome().await?;

    println!("{:<8}  {:<10}  {:<10}  {:<10}  what", "riddle", "from", "to", "stage");
    for message in management.messages(&MessageFilter::default()).await? {
        let what = match message.message.solution.last() {
            Some(RiddleSolution { solution, review: Some(review), .. }) => {
                format!("{solution}: {review}")
            }
            Some(RiddleSolution { solution, .. }) => solution.clone(),
            None => format!("trial {}", message.message.status.trial),
        };
        let (riddle, from, to) = (&message.riddle, &message.from, &message.to);
        println!("{riddle:<8}  {from:<10}  {to:<10}  {:<10}  {what}", message.stage);
    }
    let last = asked.requests().pop().expect("the model was asked");
    println!("\nThe model read at last:\n{}", last.messages.last().expect("a task").text());
    println!("{}", outcome.answer().unwrap_or("no answer"));

    let part = management.riddle("whole-1").await?;
    assert_eq!((part.trial, part.answer()), (2, Some("42")));
    assert_eq!(outcome.answer(), Some("84"));
    Ok(())
}
