//! A folder with documents, and what tests need of a management.

use std::path::Path;

use ddg_agentic::riddles::{
    AgentMessage, DataType, LoggedMessage, Management, ManagementBuilder, MessageFilter, agents,
};
use tempfile::TempDir;

/// A folder for a test: documents, and a database.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A place with a text file for each number.
    pub(crate) fn with_numbers() -> Self {
        let place = Self::new();
        for text in ["x = 10", "y = 15", "z = 20"] {
            place.write(&format!("{}.txt", &text[..1]), text);
        }
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("the file is written");
    }

    /// A management without agents.
    pub(crate) fn management(&self) -> ManagementBuilder {
        Management::builder(self.path())
    }

    /// A management with the agents of the calculator.
    pub(crate) fn calculator(&self) -> ManagementBuilder {
        self.management()
            .agent("text", agents::Text)
            .agent("calculator", agents::Calculator)
            .agent("checker", agents::Checker)
    }
}

/// The riddle of the calculator.
pub(crate) fn calculation() -> AgentMessage {
    ["x.txt", "y.txt", "z.txt"]
        .into_iter()
        .fold(AgentMessage::new("x * y ="), |riddle, file| riddle.data(DataType::Text, file))
}

/// All messages of a riddle.
pub(crate) async fn messages(management: &Management, riddle: &str) -> Vec<LoggedMessage> {
    let filter = MessageFilter::default().riddle(riddle).limit(10_000);
    management.messages(&filter).await.expect("the log is read")
}

/// The stages of messages to this agent.
pub(crate) fn sent_to<'a>(messages: &'a [LoggedMessage], agent: &str) -> Vec<&'a LoggedMessage> {
    messages.iter().filter(|message| message.to == agent).collect()
}
