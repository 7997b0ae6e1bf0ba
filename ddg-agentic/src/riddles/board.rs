//! The rules of the platform, as a pure state machine: which messages a riddle sends next, and how
//! it ends. It has no agents, no time and no storage.
//!
//! [`Board::begin`] and [`Board::take`] return what is to be done. The board takes the ends of
//! *joined* deliveries all at once, and those of others one by one. The numbers in the comments are
//! those of `docs/riddles.md`.

mod extraction;
mod proposal;
mod solving;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::delivery::{Answer, Arrived, Delivery};
use super::message::AgentMessage;
use super::outcome::{RiddleOutcome, RiddleState};
use super::settings::RiddleSettings;
use super::stage::{Roster, Stage};
use extraction::Extraction;
use proposal::Proposal;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Action {
    /// Send these. If they are joined, tell the board when all have ended; else of each.
    Deliver { deliveries: Vec<Delivery>, joined: bool },
    /// Tell the board when the deadline of the stage has passed, with this end of a delivery.
    Wait(Arrived),
    /// The riddle has ended.
    End(Box<RiddleOutcome>),
}

/// The state of one riddle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Board {
    /// The riddle as it was posed, with what answers have added to it except extractions and
    /// solutions.
    message: AgentMessage,
    roster: Roster,
    settings: RiddleSettings,
    /// The keys of deliveries that have not ended, with their stages.
    outstanding: BTreeSet<(Stage, String)>,
    extractions: Vec<Extraction>,
    /// Whether solvers were asked without any extraction, because none came.
    asked_without: bool,
    /// How often solvers were asked.
    round: u32,
    /// The proposals of this trial, in the order in which they came.
    proposals: Vec<Proposal>,
    /// Answers that did not come.
    missing: Vec<Missing>,
    /// Whether a solver has not answered in time in this trial.
    is_solver_late: bool,
    has_ended: bool,
}

/// An answer that did not come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Missing {
    stage: Stage,
    item: Option<usize>,
    agent: String,
    trial: u32,
    /// What is missing, and why.
    text: String,
}

impl Missing {
    /// Whether this answer is what was missing: the agent was asked again, with more.
    fn is_of(&self, end: &Arrived, trial: u32) -> bool {
        (self.stage, self.item, &*self.agent, self.trial)
            == (end.stage, end.item, &*end.agent, trial)
    }
}

impl Board {
    /// A riddle begins.
    pub(super) fn begin(
        message: AgentMessage,
        roster: Roster,
        settings: RiddleSettings,
    ) -> (Self, Vec<Action>) {
        let mut board = Self {
            message,
            roster,
            settings,
            outstanding: BTreeSet::new(),
            extractions: Vec::new(),
            asked_without: false,
            round: 0,
            proposals: Vec::new(),
            missing: Vec::new(),
            is_solver_late: false,
            has_ended: false,
        };
        let mut actions = board.extract();
        if board.outstanding.is_empty() && !board.has_ended {
            actions.extend(board.solve());
        }
        board.go_on(&mut actions);
        (board, actions)
    }

    /// Deliveries have ended, all of one stage: one, or all that were joined. Ends that are already
    /// known change nothing.
    pub(super) fn take(&mut self, mut arrived: Vec<Arrived>) -> Vec<Action> {
        if self.has_ended {
            return Vec::new();
        }
        arrived.retain(|end| self.outstanding.remove(&(end.stage, end.key.clone())));
        let Some(first) = arrived.first() else { return Vec::new() };
        let stage = first.stage;
        for end in &arrived {
            match &end.answer {
                Answer::Message(answer) => {
                    self.note(answer);
                    let trial = self.message.status.trial;
                    self.missing.retain(|missing| !missing.is_of(end, trial));
                }
                Answer::Waited => {}
                abstention => self.note_missing(end, abstention),
            }
        }
        let mut actions = match stage {
            Stage::Extract => self.extracted(&arrived),
            Stage::Solve => self.solved(&arrived),
            Stage::Gatekeeper => self.reviewed(&arrived),
        };
        self.go_on(&mut actions);
        actions
    }

    /// Whether deliveries of this stage have not ended.
    fn is_outstanding(&self, stage: Stage) -> bool {
        self.outstanding.iter().any(|(other, _)| *other == stage)
    }

    /// Takes what an answer has beside its extractions and solutions.
    fn note(&mut self, answer: &AgentMessage) {
        // The way back is a hop as well.
        self.message.contacts = self.message.contacts.max(answer.contacts.saturating_add(1));
        for id in &answer.sub_ids {
            if !self.message.sub_ids.contains(id) {
                self.message.sub_ids.push(id.clone());
            }
        }
        for (name, value) in &answer.extra {
            self.message.extra.insert(name.clone(), value.clone());
        }
    }

    fn note_missing(&mut self, end: &Arrived, abstention: &Answer) {
        let why = match abstention {
            Answer::Stopped => "the agent has stopped",
            Answer::Failed(reason) => reason,
            Answer::Deadline => "its deadline has passed",
            Answer::RiddleEnded => "the riddle has ended",
            Answer::Message(_) | Answer::Waited => return,
        };
        self.is_solver_late |= end.stage == Stage::Solve && *abstention == Answer::Deadline;
        let what = match end.stage {
            Stage::Extract => self.item_in_words(end.item.unwrap_or(0)),
            Stage::Solve => format!("solution of trial {}", self.message.status.trial),
            Stage::Gatekeeper => format!("review of trial {}", self.message.status.trial),
        };
        self.miss(end, format!("{what} by `{}`: {why}", end.agent));
    }

    fn miss(&mut self, end: &Arrived, text: String) {
        let (agent, trial) = (end.agent.clone(), self.message.status.trial);
        self.missing.push(Missing { stage: end.stage, item: end.item, agent, trial, text });
    }

    /// If nothing is outstanding, the trial is over: the next one, or the end.
    fn go_on(&mut self, actions: &mut Vec<Action>) {
        while !self.has_ended && self.outstanding.is_empty() {
            actions.extend(self.end_trial());
        }
    }

    /// Sends a message to agents, unless the limit of hops is reached.
    fn deliver(&mut self, deliveries: Vec<Delivery>, joined: bool) -> Vec<Action> {
        if deliveries.is_empty() {
            return Vec::new();
        }
        if self.message.contacts >= self.settings.max_contacts {
            let reason = format!(
                "the limit of contacts is reached: {} hops led to this message",
                self.message.contacts
            );
            return self.end(None, Some(reason));
        }
        let keys = deliveries.iter().map(|delivery| (delivery.stage, delivery.key.clone()));
        self.outstanding.extend(keys);
        vec![Action::Deliver { deliveries, joined }]
    }

    /// The whole riddle as the next message about it, one hop further.
    fn told(&self) -> AgentMessage {
        let mut message = self.message.clone();
        message.data = self.merged_data();
        message.solution.clear();
        message.contacts = message.contacts.saturating_add(1);
        message
    }

    /// The riddle ends: solved without a reason, unsolved with one.
    fn end(&mut self, solution: Option<&Proposal>, reason: Option<String>) -> Vec<Action> {
        self.has_ended = true;
        let state = if reason.is_none() { RiddleState::Solved } else { RiddleState::Unsolved };
        let solution = solution.map(|proposal| proposal.solution.clone());
        let mut message = self.told();
        message.contacts = self.message.contacts;
        message.status.solved = reason.is_none();
        message.status.validate.finished = self.proposals.iter().any(Proposal::is_reviewed);
        message.solution =
            self.proposals.iter().map(|proposal| proposal.solution.clone()).collect();
        vec![Action::End(Box::new(RiddleOutcome {
            id: message.id.clone(),
            state,
            reason,
            trial: message.status.trial,
            solution,
            missing: self.missing.iter().map(|missing| missing.text.clone()).collect(),
            message,
        }))]
    }
}
