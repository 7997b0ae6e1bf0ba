//! The agent that extracts text files.

use ddg_core::WorkerError;

use super::super::agent::{AgentContext, RiddleAgent};
use super::super::message::{AgentMessage, DataType};
use super::super::stage::Capability;

/// Extracts text files: the extraction is what is in the file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text;

impl RiddleAgent for Text {
    fn capabilities(&self) -> Vec<Capability> {
        vec![Capability::extract([DataType::Text])]
    }

    async fn handle(
        &self,
        message: &AgentMessage,
        response: &mut AgentMessage,
        cx: &AgentContext,
    ) -> Result<(), WorkerError> {
        let Some(item) = cx.item() else { return Ok(()) };
        let data = message.data.get(item).ok_or_else(|| {
            WorkerError::msg(format!(
                "the message has {} data items, and none with the index {item}",
                message.data.len()
            ))
        })?;
        let text = cx.shared().read_text(&data.file_plain)?;
        response.data[item].file_extracted = Some(cx.write_extraction(text.trim())?);
        Ok(())
    }
}
