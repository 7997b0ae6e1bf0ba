//! An agent of the riddle platform. The part to change is [`Mine`].

use ddg_agentic::riddles::{
    AgentContext, AgentMessage, Capability, Decision, RiddleAgent, RiddleSolution,
};
use ddg_core::WorkerError;

/// Solves questions such as `x * y =`, with lines such as `x = 6` in the extracted texts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mine;

impl RiddleAgent for Mine {
    fn capabilities(&self) -> Vec<Capability> {
        vec![Capability::Solve]
    }

    async fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Result<(), WorkerError> {
        let texts = cx.extractions(message)?;
        if let Some((result, why)) = solve(&message.riddle.question, &texts) {
            response.solution.push(RiddleSolution::new(result, why));
        }
        Ok(())
    }

    /// Gives up on this message if nothing was found: perhaps there are more extractions later.
    async fn before_response(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        _: &AgentContext,
    ) -> Decision {
        if response.solution.len() > message.solution.len() {
            Decision::Send
        } else {
            Decision::Stop
        }
    }
}

/// The solution and why it is one.
fn solve(question: &str, texts: &[String]) -> Option<(String, String)> {
    let question = question.trim().trim_end_matches('=');
    let sign = question.find(['+', '-', '*'])?;
    let value = |name: &str| {
        let name = name.trim();
        let lines = texts.iter().flat_map(|text| text.lines());
        let given = lines.filter_map(|line| line.split_once('='));
        let given = given.map(|(known, value)| (known.trim(), value.trim()));
        let known = given.filter(|(known, _)| *known == name).map(|(_, value)| value).next_back();
        known.unwrap_or(name).parse::<i64>().ok()
    };
    let (left, right) = (value(&question[..sign])?, value(&question[sign + 1..])?);
    let sign = &question[sign..=sign];
    let result = match sign {
        "+" => left.checked_add(right)?,
        "-" => left.checked_sub(right)?,
        _ => left.checked_mul(right)?,
    };
    Some((result.to_string(), format!("{left} {sign} {right} = {result}")))
}
