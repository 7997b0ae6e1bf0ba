//! From text to an accepted solution: rounds of solvers, reviews, and trials.

use super::super::delivery::{Answer, Arrived, Delivery};
use super::super::message::RiddleSolution;
use super::super::settings::SolutionCounting;
use super::super::stage::Stage;
use super::{Action, Board, Proposal};

impl Board {
    /// Asks all solvers with what is known (rules 7, 9).
    pub(super) fn solve(&mut self) -> Vec<Action> {
        self.message.status.extract.finished = !self.is_outstanding(Stage::Extract);
        if !self.message.status.solve.required {
            return self.review_what_was_given();
        }
        self.round += 1;
        let message = self.told();
        let (trial, round) = (message.status.trial, self.round);
        let deliveries = self.roster.solve.iter().map(|agent| Delivery {
            key: format!("solve_{agent}_{trial}_{round}"),
            stage: Stage::Solve,
            agent: agent.clone(),
            item: None,
            proposals: Vec::new(),
            message: message.clone(),
        });
        let deliveries = deliveries.collect();
        let joined = self.settings.require_full_solve;
        self.deliver(deliveries, joined)
    }

    /// The stage of solving is left out: the solutions that came with the riddle are reviewed.
    fn review_what_was_given(&mut self) -> Vec<Action> {
        let given = std::mem::take(&mut self.message.solution);
        let first = self.proposals.len();
        self.proposals.extend(given.into_iter().map(|solution| Proposal::new("", solution)));
        if self.proposals.is_empty() && !self.message.status.validate.required {
            return self.end(None, None);
        }
        let new: Vec<usize> = (first..self.proposals.len()).collect();
        self.review(&new)
    }

    /// Solutions have arrived: gatekeepers are asked (rule 10).
    pub(super) fn solved(&mut self, arrived: &[Arrived]) -> Vec<Action> {
        if let [Arrived { answer: Answer::Waited, proposals, .. }] = arrived {
            return self.review(proposals);
        }
        let first = self.proposals.len();
        for end in arrived {
            let Answer::Message(answer) = &end.answer else { continue };
            if answer.solution.is_empty() {
                let trial = self.message.status.trial;
                self.miss(
                    end,
                    format!("solution of trial {trial} by `{}`: it has none", end.agent),
                );
            }
            let solutions = answer.solution.iter().cloned();
            self.proposals.extend(solutions.map(|solution| Proposal::new(&end.agent, solution)));
        }
        let new: Vec<usize> = (first..self.proposals.len()).collect();
        self.message.status.solve.finished |= !new.is_empty();
        if new.is_empty() {
            return Vec::new();
        }
        let count = self.settings.counting;
        if self.settings.require_full_solve
            && count == SolutionCounting::Distinct
            && self.n_distinct(&new) + n_abstentions(arrived) < arrived.len()
        {
            return self.wait_for_more(new);
        }
        if self.settings.require_full_solve {
            self.review(&new)
        } else {
            // Each as it comes.
            new.into_iter().flat_map(|proposal| self.review(&[proposal])).collect()
        }
    }

    fn n_distinct(&self, proposals: &[usize]) -> usize {
        let mut distinct: Vec<&RiddleSolution> = Vec::new();
        for &proposal in proposals {
            let solution = &self.proposals[proposal].solution;
            if !distinct.iter().any(|other| other.is_same(solution)) {
                distinct.push(solution);
            }
        }
        distinct.len()
    }

    /// Equal solutions leave the count short: the stage ends with its deadline.
    fn wait_for_more(&mut self, proposals: Vec<usize>) -> Vec<Action> {
        let key = format!("solve_{}_{}", self.message.status.trial, self.round);
        self.outstanding.insert((Stage::Solve, key.clone()));
        let (agent, answer) = (String::new(), Answer::Waited);
        vec![Action::Wait(Arrived {
            key,
            stage: Stage::Solve,
            agent,
            item: None,
            proposals,
            answer,
        })]
    }

    /// Asks all gatekeepers about these proposals. Without the stage, the first one solves.
    fn review(&mut self, proposals: &[usize]) -> Vec<Action> {
        let (Some(&first), false) = (proposals.first(), self.has_ended) else { return Vec::new() };
        if !self.message.status.validate.required {
            let proposal = self.proposals[first].clone();
            return self.end(Some(&proposal), None);
        }
        let mut message = self.told();
        let solutions = proposals.iter().map(|&place| self.proposals[place].solution.clone());
        message.solution = solutions.collect();
        let trial = message.status.trial;
        let deliveries = self.roster.gatekeeper.iter().map(|agent| Delivery {
            key: format!("gatekeeper_{agent}_{trial}_{first}"),
            stage: Stage::Gatekeeper,
            agent: agent.clone(),
            item: None,
            proposals: proposals.to_vec(),
            message: message.clone(),
        });
        let deliveries = deliveries.collect();
        // A rejection of any gatekeeper counts, so all are waited for.
        self.deliver(deliveries, true)
    }

    /// All reviews of a bundle have arrived: its first accepted solution solves the riddle (rule
    /// 10).
    pub(super) fn reviewed(&mut self, arrived: &[Arrived]) -> Vec<Action> {
        let Some(end) = arrived.first() else { return Vec::new() };
        let bundle = end.proposals.clone();
        for (place, &proposal) in bundle.iter().enumerate() {
            self.proposals[proposal].take_reviews(place, arrived);
        }
        let mut accepted = bundle.iter().map(|&proposal| &self.proposals[proposal]);
        match accepted.find(|proposal| proposal.is_accepted()).cloned() {
            Some(accepted) => self.end(Some(&accepted), None),
            None => Vec::new(),
        }
    }

    /// Nothing is outstanding: the riddle is posed again, or ends (rules 7, 10).
    pub(super) fn end_trial(&mut self) -> Vec<Action> {
        if self.proposals.is_empty() {
            let late = if self.is_solver_late { ": a solver was past its deadline" } else { "" };
            return self.end(None, Some(format!("no solution{late}")));
        }
        if !self.proposals.iter().any(Proposal::is_reviewed) {
            return self.end(None, Some("unreviewed: no gatekeeper has answered".to_owned()));
        }
        let trial = self.message.status.trial + 1;
        if trial >= self.settings.max_trials || !self.message.status.solve.required {
            let reason = format!("the limit of trials is reached: {trial} were rejected");
            return self.end(None, Some(reason));
        }
        self.message.status.trial = trial;
        self.message.status.solve.finished = false;
        self.is_solver_late = false;
        let before = self.proposals.drain(..).map(|proposal| proposal.solution);
        self.message.riddle.solutions_before.extend(before);
        self.solve()
    }
}

fn n_abstentions(arrived: &[Arrived]) -> usize {
    let is_abstention = |end: &&Arrived| match &end.answer {
        Answer::Message(answer) => answer.solution.is_empty(),
        Answer::Stopped | Answer::Failed(_) | Answer::Deadline | Answer::RiddleEnded => true,
        Answer::Waited => false,
    };
    arrived.iter().filter(is_abstention).count()
}
