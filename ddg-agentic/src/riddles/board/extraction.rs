//! From data to text: which agent is asked for which item, and how extractions are merged.

use serde::{Deserialize, Serialize};

use super::super::delivery::{Answer, Arrived, Delivery};
use super::super::message::RiddleData;
use super::super::stage::Stage;
use super::{Action, Board, Missing};

/// What one agent extracted from one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Extraction {
    item: usize,
    /// The place of the agent in the roster, so that the order does not depend on time.
    place: usize,
    data: RiddleData,
}

impl Board {
    /// Asks every agent that takes an item for it (rules 7, 8).
    pub(super) fn extract(&mut self) -> Vec<Action> {
        if !self.message.status.extract.required {
            return Vec::new();
        }
        let mut deliveries = Vec::new();
        for (item, data) in self.message.data.iter().enumerate() {
            let is_repeated =
                self.message.data[..item].iter().any(|other| other.is_same_item(data));
            if data.file_extracted.is_some() || is_repeated {
                continue;
            }
            let takers: Vec<_> = self
                .roster
                .extract
                .iter()
                .filter(|(_, kinds)| kinds.contains(&data.kind))
                .collect();
            if takers.is_empty() {
                let text = format!("{}: no agent takes it", self.item_in_words(item));
                let (stage, agent) = (Stage::Extract, String::new());
                self.missing.push(Missing { stage, item: Some(item), agent, trial: 0, text });
            }
            deliveries.extend(takers.into_iter().map(|(agent, _)| {
                let mut message = self.told();
                message.item = Some(item);
                Delivery {
                    key: format!("extract_{item}_{agent}"),
                    stage: Stage::Extract,
                    agent: agent.clone(),
                    item: Some(item),
                    proposals: Vec::new(),
                    message,
                }
            }));
        }
        let joined = self.settings.require_full_extract;
        self.deliver(deliveries, joined)
    }

    /// Extractions have arrived: solvers are asked (rule 9).
    pub(super) fn extracted(&mut self, arrived: &[Arrived]) -> Vec<Action> {
        let before = self.extractions.len();
        for end in arrived {
            let Answer::Message(answer) = &end.answer else { continue };
            let item = end.item.unwrap_or(0);
            let Some(asked) = self.message.data.get(item) else { continue };
            let place = self.roster.extract.iter().position(|(agent, _)| *agent == end.agent);
            let found = answer
                .data
                .iter()
                .filter(|data| data.is_same_item(asked) && data.file_extracted.is_some());
            let found: Vec<_> = found
                .map(|data| Extraction { item, place: place.unwrap_or(0), data: data.clone() })
                .collect();
            if found.is_empty() {
                let item = self.item_in_words(item);
                self.miss(end, format!("{item} by `{}`: it has extracted nothing", end.agent));
            }
            self.extractions.extend(found);
        }
        // By item, and by agent in the order of their declaration.
        self.extractions.sort_by_key(|extraction| (extraction.item, extraction.place));

        let is_last = !self.is_outstanding(Stage::Extract);
        let is_new = self.extractions.len() > before;
        let is_without = is_last && self.extractions.is_empty() && !self.asked_without;
        let waits_for_all =
            self.settings.require_full_extract || !self.message.status.solve.required;
        let asks = if waits_for_all { is_last } else { is_new || is_without };
        if asks {
            self.asked_without |= is_without;
            self.solve()
        } else {
            Vec::new()
        }
    }

    /// The data of the riddle with all extractions: one entry for each (rule 8).
    pub(super) fn merged_data(&self) -> Vec<RiddleData> {
        let mut merged = Vec::with_capacity(self.message.data.len());
        for (item, data) in self.message.data.iter().enumerate() {
            let of_item = self.extractions.iter().filter(|extraction| extraction.item == item);
            let n = merged.len();
            merged.extend(of_item.map(|extraction| extraction.data.clone()));
            if merged.len() == n {
                merged.push(data.clone());
            }
        }
        merged
    }

    pub(super) fn item_in_words(&self, item: usize) -> String {
        match self.message.data.get(item) {
            Some(data) => {
                format!("extraction of item {item} ({} `{}`)", data.kind, data.file_plain)
            }
            None => format!("extraction of item {item}"),
        }
    }
}
