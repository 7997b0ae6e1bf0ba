//! `ddg riddles try`: one task for one agent, without a platform.

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ddg_agentic::riddles::{AgentMessage, Envelope, Handled, NoPlatform, SharedFolder};

use super::agents::AgentSet;
use super::manage::agent_at;
use super::{runtime, secret_for};
use crate::riddles::Reached;

/// Try one agent with one message; nothing is sent.
///
/// The response is printed as JSON. Exit codes: 0 it has answered, 1 it has failed or the message
/// cannot be read, 2 wrong use, 3 it has stopped, 4 it holds its response.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("message").required(true)))]
pub(crate) struct Try {
    /// Name of an agent, see `list`; or URL or NAME@URL of one in another process, in any language.
    #[arg(value_name = "NAME|URL")]
    name: String,

    /// Use a dummy message: 6 * 7.
    #[arg(short, long, group = "message")]
    dummy: bool,

    /// Read the message from standard input.
    #[arg(short, long, group = "message")]
    input: bool,

    /// Read the message from a file: as given, in the shared folder, or in the agent's own.
    #[arg(short, long, value_name = "FILE", group = "message")]
    file: Option<PathBuf>,

    /// Folder of documents and extractions.
    #[arg(long, env = "DDG_RIDDLES_SHARED", value_name = "DIR", default_value = ".")]
    shared: PathBuf,

    /// The agent's own folder.
    #[arg(long, env = "DDG_RIDDLES_PERSIST", value_name = "DIR")]
    persist: Option<PathBuf>,

    /// With a URL: address at which the answer is waited for; the agent's management is there.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,

    /// With a URL: seconds that the agent has to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

/// Why there is no response.
enum NoResponse {
    WrongUse(String),
    Failed(String),
}

impl Try {
    pub(super) fn run(self, agents: &AgentSet) -> ExitCode {
        match self.tried(agents) {
            Ok(Handled::Response(response)) => {
                let text = serde_json::to_string_pretty(&response);
                println!("{}", text.expect("a message has a JSON form"));
                ExitCode::SUCCESS
            }
            Ok(Handled::Stopped) => told("the agent has stopped: it gives up on this message", 3),
            Ok(Handled::Held) => told("the agent holds its response, to send it later", 4),
            Err(NoResponse::WrongUse(why)) => told(&why, 2),
            Err(NoResponse::Failed(why)) => told(&why, 1),
        }
    }

    fn tried(&self, agents: &AgentSet) -> Result<Handled, NoResponse> {
        match agent_at(&self.name).map_err(NoResponse::WrongUse)? {
            (name, Some(url)) => self.elsewhere(name, url),
            (_, None) => self.here(agents),
        }
    }

    /// Tries an agent of another process.
    fn elsewhere(&self, name: String, url: String) -> Result<Handled, NoResponse> {
        let secret = secret_for(self.listen).map_err(NoResponse::WrongUse)?;
        let message = self.message().map_err(NoResponse::Failed)?;
        let (listen, timeout) = (self.listen, Duration::from_secs(self.timeout));
        let agent = Reached { name, url, listen, timeout, secret };
        let runtime = runtime().map_err(NoResponse::Failed)?;
        runtime.block_on(agent.handle(message)).map_err(NoResponse::Failed)
    }

    /// Tries an agent of this process.
    fn here(&self, agents: &AgentSet) -> Result<Handled, NoResponse> {
        let shared = SharedFolder::open(&self.shared);
        let shared = shared.map_err(|error| NoResponse::WrongUse(error.to_string()))?;
        let host = agents.host(&self.name, shared, Arc::new(NoPlatform));
        let mut host = host.map_err(NoResponse::WrongUse)?;
        if let Some(persist) = &self.persist {
            host = host.persist(persist);
        }
        let message = self.message().map_err(NoResponse::Failed)?;
        let envelope = Envelope::new(1, &*self.name, message);
        let runtime = runtime().map_err(NoResponse::Failed)?;
        runtime.block_on(host.handle(&envelope)).map_err(NoResponse::Failed)
    }

    fn message(&self) -> Result<AgentMessage, String> {
        if self.dummy {
            return Ok(AgentMessage::new("6 * 7 =").id("dummy"));
        }
        let (from, text) = match &self.file {
            Some(file) => {
                let path = self.found(file);
                let text = std::fs::read_to_string(&path);
                (path.display().to_string(), text.map_err(|error| error.to_string()))
            }
            None => {
                let mut text = String::new();
                let read = std::io::stdin().read_to_string(&mut text);
                ("standard input".to_owned(), read.map(|_| text).map_err(|error| error.to_string()))
            }
        };
        let text = text.map_err(|error| format!("{from}: {error}"))?;
        let mut message: AgentMessage = serde_json::from_str(&text)
            .map_err(|error| format!("{from} is no message: {error}"))?;
        if message.id.is_empty() {
            "tried".clone_into(&mut message.id);
        }
        Ok(message)
    }

    /// Where the file is: as given, in the shared folder, in the agent's own.
    fn found(&self, file: &std::path::Path) -> PathBuf {
        let places =
            [Some(self.shared.join(file)), self.persist.as_ref().map(|own| own.join(file))];
        if file.exists() {
            return file.to_owned();
        }
        places.into_iter().flatten().find(|path| path.exists()).unwrap_or_else(|| file.to_owned())
    }
}

fn told(what: &str, code: u8) -> ExitCode {
    eprintln!("ddg: {what}");
    ExitCode::from(code)
}
