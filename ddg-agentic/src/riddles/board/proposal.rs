//! A proposed solution, and what gatekeepers say of it.

use serde::{Deserialize, Serialize};

use super::super::delivery::{Answer, Arrived};
use super::super::message::RiddleSolution;

/// A solution of this trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Proposal {
    pub(super) agent: String,
    pub(super) solution: RiddleSolution,
    /// Whether it was accepted, once gatekeepers have answered.
    verdict: Option<bool>,
}

impl Proposal {
    pub(super) fn new(agent: &str, mut solution: RiddleSolution) -> Self {
        // Only gatekeepers accept.
        solution.accepted = false;
        solution.review = None;
        Self { agent: agent.to_owned(), solution, verdict: None }
    }

    pub(super) const fn is_reviewed(&self) -> bool {
        self.verdict.is_some()
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.verdict == Some(true)
    }

    /// Takes the reviews of all gatekeepers that were asked: accepted if one accepts and none that
    /// has answered rejects (rule 10). `place` is the place of the proposal in what they were
    /// asked.
    pub(super) fn take_reviews(&mut self, place: usize, ends: &[Arrived]) {
        let mut reviews: Vec<(&str, &RiddleSolution)> = Vec::new();
        for end in ends {
            let Answer::Message(answer) = &end.answer else { continue };
            let at_place = answer.solution.get(place).filter(|found| found.is_same(&self.solution));
            let found = at_place
                .or_else(|| answer.solution.iter().find(|found| found.is_same(&self.solution)));
            reviews.extend(found.map(|found| (end.agent.as_str(), found)));
        }
        if reviews.is_empty() {
            return;
        }
        let accepted = reviews.iter().all(|(_, review)| review.accepted);
        self.verdict = Some(accepted);
        self.solution.accepted = accepted;
        self.solution.review = match reviews.as_slice() {
            [(_, only)] => only.review.clone(),
            several => {
                let lines: Vec<_> = several
                    .iter()
                    .filter_map(|(agent, review)| {
                        Some(format!("{agent}: {}", review.review.as_ref()?))
                    })
                    .collect();
                (!lines.is_empty()).then(|| lines.join("\n"))
            }
        };
    }
}
