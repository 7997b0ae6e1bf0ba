//! MCP servers that are programs, used over stdin and stdout.

mod bounded;
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use process::Process;
use tokio::process::Command;

use super::connection::Connection;
use super::listener::Listener;
use super::live::Live;
use super::server::McpEndpoint;
use super::shown::Secrets;
use super::{McpClient, McpError};

/// The environment variables that the program inherits.
const PASSED_ON: &[&str] = if cfg!(windows) {
    &[
        "APPDATA",
        "COMSPEC",
        "HOMEDRIVE",
        "HOMEPATH",
        "LOCALAPPDATA",
        "PATH",
        "PATHEXT",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "USERNAME",
        "USERPROFILE",
        "WINDIR",
    ]
} else {
    &["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER"]
};

/// An MCP server that is a program, created by [`McpEndpoint::stdio`].
#[derive(Clone)]
pub struct McpStdio {
    program: OsString,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    /// The names of those that it does not inherit.
    given: BTreeSet<OsString>,
    current_dir: Option<PathBuf>,
}

impl McpStdio {
    pub(super) fn new(program: OsString, args: Vec<OsString>) -> Self {
        let passed_on = PASSED_ON.iter().filter_map(|name| {
            let value = std::env::var_os(name)?;
            Some((OsString::from(name), value))
        });
        let env = passed_on.collect();
        Self { program, args, env, given: BTreeSet::new(), current_dir: None }
    }

    /// The values of the environment variables that the program was given beside those it inherits.
    fn secrets(&self) -> Secrets {
        let given = self.given.iter().filter_map(|name| self.env.get(name));
        Secrets::new(given.map(|value| value.to_string_lossy().into_owned()))
    }

    pub(super) fn program_name(&self) -> String {
        let name = Path::new(&self.program).file_stem().unwrap_or(&self.program);
        name.to_string_lossy().into_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().envs(&self.env);
        if let Some(current_dir) = &self.current_dir {
            command.current_dir(current_dir);
        }
        command
    }
}

impl McpEndpoint<McpStdio> {
    /// Sets an environment variable of the program.
    ///
    /// The program inherits only variables with the locations of programs and files, the user and
    /// the language (`PATH`, `HOME`, `USER`, `LANG` and similar ones), and so no keys. A value that
    /// is set here counts as secret: it is removed from errors and logs.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.transport.given.insert(name.clone());
        self.transport.env.insert(name, value.into());
        self
    }

    /// Sets the working directory of the program.
    #[must_use]
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.transport.current_dir = Some(directory.into());
        self
    }

    /// Starts the program and performs the handshake. Its output to stderr is not shown, but the
    /// end of it is in errors.
    ///
    /// # Errors
    /// If the program cannot be started or ends, or the handshake fails.
    ///
    /// # Cancel safety
    /// Dropping the future ends the program.
    pub async fn connect(&self) -> Result<McpClient, McpError> {
        let listener = Listener::new(
            &self.settings.name,
            self.transport.secrets(),
            self.settings.offers.clone(),
        );
        let endpoint = self.clone();
        let open = move |listener| {
            let endpoint = endpoint.clone();
            async move { endpoint.start(listener).await }.boxed()
        };
        Ok(McpClient::new(Connection::open(self.settings.clone(), listener, open).await?))
    }

    /// Starts the program, and performs the handshake.
    async fn start(&self, listener: Listener) -> Result<Live, McpError> {
        let started = Process::start(self.transport.command(), listener.clone());
        let (process, stderr) = started.map_err(|error| McpError::Start {
            server: self.settings.name.clone(),
            program: self.transport.program.to_string_lossy().into_owned(),
            source: Arc::new(error),
        })?;
        Live::greet(&self.settings, listener, process, stderr).await
    }
}

impl fmt::Debug for McpStdio {
    /// Writes the names of the environment variables and the number of arguments, without their
    /// values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpStdio")
            .field("program", &self.program)
            .field("n_args", &self.args.len())
            .field("env", &self.env.keys())
            .field("current_dir", &self.current_dir)
            .finish()
    }
}
