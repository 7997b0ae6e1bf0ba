//! What can go wrong with riddles, their agents and their files.

use ddg_core::__report::{shown, shown_lines};
use std::sync::Arc;

use ddg_core::run::RunError;

/// An error of the riddle platform.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RiddleError {
    /// A setting has a value that cannot be used.
    #[error(
        "`{name}` is `{value}`: write {wanted}",
        name = shown(.name), value = shown(.value), wanted = shown(.wanted)
    )]
    Setting {
        /// The name of the variable or option.
        name: String,
        /// Its value.
        value: String,
        /// What it may be.
        wanted: String,
    },
    /// An agent, or a list of agents, was declared wrongly.
    #[error("agent `{name}` {message}", name = shown(.name), message = shown_lines(.message))]
    Agent {
        /// The name of the agent.
        name: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A message that cannot be taken.
    #[error("{message}", message = shown_lines(.message))]
    BadMessage {
        /// What is wrong, and what to do.
        message: String,
    },
    /// The shared folder cannot be used.
    #[error(
        "the shared folder `{folder}` cannot be used: {message}",
        folder = shown(.folder), message = shown_lines(.message)
    )]
    Folder {
        /// The folder.
        folder: String,
        /// What is wrong.
        message: String,
    },
    /// A path leads out of the shared folder.
    #[error(
        "`{path}` leads out of the shared folder; write a path inside of it, without `..`, and not \
         through a link",
        path = shown(.path)
    )]
    Outside {
        /// The path as it was given.
        path: String,
    },
    /// A file is missing, or cannot be read or written.
    #[error(
        "file `{path}` of the shared folder: {message}",
        path = shown(.path), message = shown_lines(.message)
    )]
    File {
        /// The path as it was given.
        path: String,
        /// What the system says.
        message: String,
    },
    /// There is no riddle with this id.
    #[error("there is no riddle `{id}`", id = shown(.id))]
    UnknownRiddle {
        /// The id.
        id: String,
    },
    /// There is no message with this number.
    #[error(
        "there is no message with the number {number}, or it was not sent to agent `{agent}`",
        agent = shown(.agent)
    )]
    UnknownMessage {
        /// The number.
        number: i64,
        /// The agent that answers.
        agent: String,
    },
    /// A held response was sent before.
    #[error("message {number} has been answered before: a held response is sent once")]
    AlreadyAnswered {
        /// The number of the message.
        number: i64,
    },
    /// A sub-riddle would be beyond a limit.
    #[error(
        "riddle `{parent}` gets no sub-riddle: {message}",
        parent = shown(.parent), message = shown_lines(.message)
    )]
    NoSubRiddle {
        /// The riddle.
        parent: String,
        /// The limit, or what else is in the way.
        message: String,
    },
    /// The database of riddles failed.
    #[error(
        "the riddles in {store} cannot be {action}: {message}",
        store = shown(.store), message = shown_lines(.message)
    )]
    Store {
        /// The name of the database.
        store: String,
        /// What was to be done.
        action: &'static str,
        /// What the database says.
        message: String,
    },
    /// The management of the platform cannot be reached, or refuses.
    #[error("{message}", message = shown_lines(.message))]
    Remote {
        /// What went wrong.
        message: String,
    },
    /// The run of a riddle failed.
    #[error("the run of riddle `{id}` failed", id = shown(.id))]
    Run {
        /// The riddle.
        id: String,
        /// The error of the run.
        #[source]
        source: Arc<RunError>,
    },
}
