//! What an agent asks its model with.

use super::ReActAutoma;
use crate::model::settings::request_settings;
use crate::model::{ChatRequest, ToolChoice};

/// What every request of the agent to its model is sent with; left to the provider unless set.
///
/// The prompt is [cached](Self::prompt_cache) for some minutes unless set: each turn reads all of the one before.
///
/// A [tool choice](Self::tool_choice) that asks for a call holds until the model has called a tool;
/// after that it is free, or it could never answer.
impl ReActAutoma {
    request_settings!(this => this.settings);

    /// The settings of a request, after so many turns of the run.
    pub(super) fn settings_after(&self, turns: u32) -> ChatRequest {
        let mut settings = self.settings.clone();
        if turns > 0 && settings.tool_choice != ToolChoice::None {
            settings.tool_choice = ToolChoice::Auto;
        }
        settings
    }
}
