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

/// The files of a run, and where its calls are in the conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct RunFiles {
    /// How many messages were there before the run.
    #[serde(skip_serializing_if = "is_zero")]
    n_before: usize,
    /// How many calls have been made.
    #[serde(skip_serializing_if = "is_zero")]
    n_calls: usize,
    /// Those that the task names.
    #[serde(serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    given: Vec<File>,
    /// Those of the calls that have any, by the number of the call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<(usize, CallFiles)>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// A call of a tool in a run, with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolStep {
    /// The call: the tool and its arguments.
    pub call: ToolCall,
    /// What the model was told.
    pub result: ToolMessage,
    /// The files that the call was given.
    #[serde(default, serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub input_files: Vec<File>,
    /// The files that it gave; of an agent among the tools, all files of its run.
    #[serde(default, serialize_with = "records", skip_serializing_if = "Vec::is_empty")]
    pub output_files: Vec<File>,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerPart {
    /// What is between files.
    Text(String),
    /// A file whose id stood there.
    File(File),
}

impl RunFiles {
    /// Those of a run that begins after so many messages, with a task that names `given`.
    pub(super) fn new(n_before: usize, given: Vec<File>) -> Self {
        Self { n_before, given, ..Self::default() }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self == &Self::default()
    }

    /// Takes what the calls of a turn have used, in their order.
    pub(super) fn take(&mut self, turn: Vec<CallFiles>) {
        for files in turn {
            if !files.is_empty() {
                self.calls.push((self.n_calls, files));
            }
            self.n_calls += 1;
        }
    }

    /// All files, each once, in the order in which the run came by them.
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
    /// The calls of tools in this run, in their order, each with its result and files.
    pub fn steps(&self) -> Vec<ToolStep> {
        let mut steps = Vec::new();
        let mut open = Vec::new().into_iter();
        // Each call has its result after it, in the same order.
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

    /// The files of this run, each once: those that the task names, and those that tools were given and
    /// gave, also within agents among the tools.
    pub fn files(&self) -> Vec<File> {
        self.files.all()
    }

    /// The [text](Self::text) cut at the ids of [files](Self::files) of this run: text, file, text, from left to
    /// right. An id that stands there twice is a part twice; an id of no file of the run stays text;
    /// empty texts are left out.
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
    /// Gives the agent a file manager: its tools that have a parameter of the type
    /// [`File`], or `State<FileManager>`, use it, whatever their toolbox has; so do agents among
    /// the tools that have none of their own.
    ///
    /// Without, it has that of its toolbox; or else, if a tool cannot do without, a private one, whose
    /// files are gone when the agent is dropped.
    #[must_use]
    pub fn files(mut self, files: FileManager) -> Self {
        self.files = Some(files);
        self.bind_files();
        self
    }

    /// Writes the address of each remote file behind it, where a task names it as `<file>ID</file>`, so that a
    /// model or a tool at the provider can fetch it: `<file>ID</file><url>URL</url>`. The addresses
    /// are good for `expiry`.
    ///
    /// The agent cannot be built if its file manager has no client that gives addresses.
    #[must_use]
    pub fn file_urls(mut self, expiry: Duration) -> Self {
        self.file_urls = Some(expiry);
        self
    }

    /// Gives the tools the file manager that they are to have.
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

    /// Whether it uses the file manager of the agent whose tool it is.
    pub(super) fn shares_files(&self) -> bool {
        self.file_manager().is_none_or(|files| files.is_private())
    }

    /// For how long addresses of files have to be good, if anybody asks for them.
    fn urls(&self) -> Option<Duration> {
        self.file_urls.max(self.tools.file_urls())
    }

    /// What is wrong with what is set about files.
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

    /// The task as the run begins with it, and the files that it names.
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

    /// Adds input files to the calls of tools that run at the provider. The files are the ones named
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
