//! Agents that solve arithmetic in letters, and check it.

use ddg_core::WorkerError;

use super::super::agent::{AgentContext, Decision, RiddleAgent};
use super::super::message::{AgentMessage, RiddleSolution};
use super::super::stage::Capability;
use super::arithmetic::{NoResult, compute, in_words, values};

/// Computes the question of a message with its extractions.
fn computed(
    message: &AgentMessage,
    cx: &AgentContext,
) -> Result<Result<f64, NoResult>, WorkerError> {
    let texts = cx.extractions(message)?;
    Ok(compute(&message.riddle.question, &values(texts.iter().map(String::as_str))))
}

/// Solves questions such as `x * y =` with lines such as `x = 6` in the extractions. It stops when
/// a value is missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calculator;

impl RiddleAgent for Calculator {
    fn capabilities(&self) -> Vec<Capability> {
        vec![Capability::Solve]
    }

    async fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Result<(), WorkerError> {
        if let Ok(result) = computed(message, cx)? {
            let result = in_words(result);
            let question = message.riddle.question.trim().trim_end_matches('=').trim();
            let mut solution = RiddleSolution::new(&*result, format!("{question} = {result}"));
            let used = message.data.iter().filter(|data| data.file_extracted.is_some());
            solution.used_data = used.map(|data| data.file_plain.as_str().into()).collect();
            response.solution.push(solution);
        }
        Ok(())
    }

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

/// A gatekeeper that computes again what [`Calculator`] solves. It stops if it cannot.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checker;

impl RiddleAgent for Checker {
    fn capabilities(&self) -> Vec<Capability> {
        vec![Capability::Gatekeeper]
    }

    async fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Result<(), WorkerError> {
        let Ok(result) = computed(message, cx)? else {
            response.solution.clear();
            return Ok(());
        };
        let result = in_words(result);
        for solution in &mut response.solution {
            solution.accepted = solution.solution.trim() == result;
            solution.review = Some(if solution.accepted {
                "computed again: right".to_owned()
            } else {
                format!("computed again: it is {result}")
            });
        }
        Ok(())
    }

    async fn before_response(
        &self,
        _: &AgentMessage,
        response: &mut AgentMessage,
        _: &AgentContext,
    ) -> Decision {
        if response.solution.is_empty() { Decision::Stop } else { Decision::Send }
    }
}
