//! Settings of an agent's requests to its model.

use super::ReActAutoma;
use crate::model::settings::request_settings;
use crate::model::{ChatRequest, ToolChoice};

/// Settings of every request of the agent to its model. The provider decides on settings that are
/// not set.
///
/// The [prompt cache](Self::prompt_cache) defaults to some minutes, since each turn reads all of
/// the turn before.
///
/// A [tool choice](Self::tool_choice) that requires a call applies until the model has called a
/// tool. After that the choice is free; otherwise the model could never answer.
impl ReActAutoma {
    request_settings!(this => this.settings);

    /// The settings of a request after this number of turns.
    pub(super) fn settings_after(&self, turns: u32) -> ChatRequest {
        let mut settings = self.settings.clone();
        if turns > 0 && settings.tool_choice != ToolChoice::None {
            settings.tool_choice = ToolChoice::Auto;
        }
        settings
    }
}
