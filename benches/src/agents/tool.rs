//! The tool that all agents call.

use ddg_agentic::tool::ToolboxError;
use ddg_agentic::{Toolbox, tool};

/// Tells the weather of today.
#[tool]
pub async fn weather(
    /// The city, in English.
    city: String,
) -> String {
    forecast(&city)
}

/// What the tool does.
pub fn forecast(city: &str) -> String {
    format!("sunny in {city}, 24 °C")
}

/// A toolbox with the tool.
///
/// # Errors
/// Never, but for a defect.
pub fn toolbox() -> Result<Toolbox, ToolboxError> {
    Toolbox::builder().with(weather::tool()).build()
}
