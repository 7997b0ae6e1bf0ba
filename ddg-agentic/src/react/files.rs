//! The files of an agent's run.

use std::time::Duration;

use ddg_core::WorkerError;
use ddg_core::graph::Fault;
use serde::{Deserialize, Serialize};

use super::state::{News, State};
use super::{AgentOutcome, ReActAutoma, Task};
use crate::files::{File, FileManager, each_once, ids_in, records};
use crate::message::{ContentPart, Message, ToolCall, ToolMessage};
use crate::tool::CallFiles;

/// The files of a run, and the positions of its calls in the conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RunFiles {
    /// Number of messages before the run.
    #[serde(skip_serializing_if = "is_zero")]
    n_before: usize,
    /// Number of calls made so far.
    #[serde(skip_serializing_if = "is_zero")]
    n_calls: usize,
    /// The files that the task names.
    #[serde(serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    given: Vec<File>,
    /// The files of calls, by the number of the call. Calls without files are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<(usize, CallFiles)>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A tool call in a run, with its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolStep {
    /// The call, with the tool and its arguments.
    pub call: ToolCall,
    /// The result that the model was given.
    pub result: ToolMessage,
    /// The input files of the call.
    #[serde(default, serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub input_files: Vec<File>,
    /// The output files of the call. If the tool is an agent, these are all files of its run.
    #[serde(default, serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub output_files: Vec<File>,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnswerPart {
    /// The text between files.
    Text(String),
    /// A file whose id was in the text at this place.
    File(File),
}

impl RunFiles {
    /// The files of a run that begins after `n_before` messages, with a task that names `given`.
    pub(super) fn new(n_before: usize, given: Vec<File>) -> Self {
        Self { n_before, given, ..Self::default() }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self == &Self::default()
    }

    /// Adds the files of the calls of a turn, in the order of the calls.
    pub(super) fn take(&mut self, turn: Vec<CallFiles>) {
        for files in turn {
            if !files.is_empty() {
                self.calls.push((self.n_calls, files));
            }
            self.n_calls += 1;
        }
    }

    /// Adds the files of a later part of the run.
    pub(super) fn extend(&mut self, later: Self) {
        self.given.extend(later.given);
        let calls = later.calls.into_iter().map(|(n, files)| (self.n_calls + n, files));
        self.calls.extend(calls);
        self.n_calls += later.n_calls;
    }

    /// All files, each once, in the order in which the run first used them.
    fn all(&self) -> Vec<File> {
        let of_calls =
            self.calls.iter().flat_map(|(_, files)| files.input.iter().chain(&files.output));
        each_once(self.given.iter().chain(of_calls).cloned().collect())
    }

    fn of_call(&self, number: usize) -> CallFiles {
        let found = self.calls.binary_search_by_key(&number, |(number, _)| *number);
        found.map(|at| self.calls[at].1.clone()).unwrap_or_default()
    }
}

impl AgentOutcome {
    /// The tool calls of this run, in order, each with its result and files.
    pub fn steps(&self) -> Vec<ToolStep> {
        let mut steps = Vec::new();
        let mut open = Vec::new().into_iter();
        // The results of calls follow them in the same order.
        for message in self.conversation.messages.iter().skip(self.files.n_before) {
            match message {
                Message::Assistant(said) => open = said.tool_calls.clone().into_iter(),
                Message::Tool(result) => {
                    let CallFiles { input, output, .. } = self.files.of_call(steps.len());
                    let Some(call) = open.next() else { continue };
                    steps.push(ToolStep {
                        call,
                        result: result.clone(),
                        input_files: input,
                        output_files: output,
                    });
                }
                Message::System { .. } | Message::User { .. } => {}
            }
        }
        steps
    }

    /// The files of this run, each once: the files that the task names, and the inputs and outputs
    /// of tools, including tools of agents among the tools.
    pub fn files(&self) -> Vec<File> {
        self.files.all()
    }

    /// The [text](Self::text), split at the ids of [files](Self::files) of this run, in order. An
    /// id that occurs twice becomes two parts. The id of a file that is not of this run stays text.
    /// Empty texts are left out.
    ///
    /// ```
    /// use ddg_agentic::files::FileManager;
    /// use ddg_agentic::prelude::*;
    /// use ddg_agentic::{Message, react::AnswerPart};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let files = FileManager::new();
    /// let map = files.create_from_bytes("…", "map.png").await?;
    /// let model = ScriptedModel::new().text(format!("Here: {}.", map.id()));
    /// let agent = ReActAutoma::new(model).files(files.clone()).build()?;
    /// let task = Task::new(Message::user_with_files("Where?", [&map]));
    /// let outcome = agent.run(args!(task)).await?;
    /// let text = |text: &str| AnswerPart::Text(text.to_owned());
    /// assert_eq!(outcome.parts(), [text("Here: "), AnswerPart::File(map), text(".")]);
    /// # files.close().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn parts(&self) -> Vec<AnswerPart> {
        let (text, files) = (self.text(), self.files());
        let mut parts = Vec::new();
        let mut from = 0;
        let say = |text: &str| (!text.is_empty()).then(|| AnswerPart::Text(text.to_owned()));
        for (at, id) in ids_in(&text) {
            if let Some(file) = files.iter().find(|file| file.id() == id) {
                parts.extend(say(&text[from..at]));
                parts.push(AnswerPart::File(file.clone()));
                from = at + id.len();
            }
        }
        parts.extend(say(&text[from..]));
        parts
    }
}

impl ReActAutoma {
    /// Sets the file manager of the agent. Tools with a parameter of type [`File`] or
    /// `State<FileManager>` use it instead of the file manager of their toolbox. Agents among the
    /// tools use it if they have no file manager.
    ///
    /// If this is not set, the agent uses the file manager of its toolbox. If there is none and a
    /// tool needs one, the agent uses a private file manager, whose files are deleted when the
    /// agent is dropped.
    #[must_use]
    pub fn files(mut self, files: FileManager) -> Self {
        self.files = Some(files);
        self.bind_files();
        self
    }

    /// Adds the URL of each remote file that a task names as `<file>ID</file>`, so that a model or
    /// a tool at the provider can fetch it: `<file>ID</file><url>URL</url>`. The URLs are valid for
    /// `expiry`.
    ///
    /// Building the agent fails if its file manager has no client that creates URLs.
    #[must_use]
    pub fn file_urls(mut self, expiry: Duration) -> Self {
        self.file_urls = Some(expiry);
        self
    }

    /// Sets the file manager of the tools.
    pub(super) fn bind_files(&mut self) {
        let files = match (&self.files, self.tools.files()) {
            (Some(files), _) => files.clone(),
            (None, None) if self.tools.needs_files() => FileManager::private(),
            (None, _) => return,
        };
        match self.tools.with_files(&files) {
            Ok(tools) => self.tools = tools,
            Err(error) => self.tools_fault = Some(error.to_string()),
        }
    }

    /// The file manager that the agent uses.
    pub(super) fn file_manager(&self) -> Option<FileManager> {
        self.files.clone().or_else(|| self.tools.files())
    }

    /// Whether the agent uses the file manager of the agent that has it as a tool.
    pub(super) fn shares_files(&self) -> bool {
        self.file_manager().is_none_or(|files| files.is_private())
    }

    /// How long the URLs of files have to be valid, if they are requested.
    fn urls(&self) -> Option<Duration> {
        self.file_urls.max(self.tools.file_urls())
    }

    /// Faults in the settings of files.
    pub(super) fn file_faults(&self) -> Option<Fault> {
        if let Some(what) = &self.tools_fault {
            return Some(Fault::Refused { what: what.clone() });
        }
        let has_urls = self.file_manager().is_some_and(|files| files.has_temporary_urls());
        (self.urls().is_some() && !has_urls).then(|| Fault::Refused {
            what: "addresses of files are asked for (`file_urls`), and there is no file manager whose \
                   remote client gives any: give the agent one with `files`, or leave them out"
                .to_owned(),
        })
    }

    /// The task with which the run begins, and the files that it names.
    pub(super) async fn with_files(
        &self,
        mut task: Task,
    ) -> Result<(Task, Vec<File>), WorkerError> {
        let Some(files) = self.file_manager() else { return Ok((task, Vec::new())) };
        let mut given = Vec::new();
        for message in &mut task.messages {
            let Message::User { content } = message else { continue };
            for part in content {
                let ContentPart::Text { text } = part else { continue };
                given.extend(files.sniff_text(text));
                if let Some(expiry) = self.urls() {
                    *text = files.with_urls(text, expiry).await?;
                }
            }
        }
        Ok((task, each_once(given)))
    }

    /// Adds input files to the calls of tools that run at the provider. These are the files named
    /// in the last message of a person.
    pub(super) fn add_files_at_provider(&self, news: &mut News, state: &State) {
        let results = news.messages.iter().zip(&mut news.files);
        for (message, files) in results {
            let Message::Tool(ToolMessage { name, .. }) = message else { continue };
            if !self.tools.is_at_provider(name) {
                continue;
            }
            let mut said = state.conversation.messages.iter().rev();
            let said = said.find(|message| matches!(message, Message::User { .. }));
            if let (Some(manager), Some(said)) = (self.file_manager(), said) {
                files.input = manager.sniff_text(&said.text());
            }
        }
    }
}
