//! `ddg riddles agent`: agents in a process of their own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use ddg_agentic::riddles::SharedFolder;
use tokio::net::TcpListener;

use super::super::logging::{self, LogFormat};
use super::agents::AgentSet;
use super::{runtime, secret_for, serve_until_stopped};
use crate::riddles::{AgentServer, ManagementClient};

/// Serve agents for a management in another process.
#[derive(Args)]
pub(crate) struct Agent {
    /// Names of agents, see `list`.
    #[arg(value_name = "NAME", env = "AGENTS_LIST", value_delimiter = ',', required = true)]
    names: Vec<String>,

    /// Address to listen on; port 0 takes a free port.
    #[arg(long, env = "DDG_RIDDLES_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// URL of the management.
    #[arg(long, env = "DDG_RIDDLES_MANAGEMENT", value_name = "URL")]
    management: String,

    /// Folder of documents and extractions, which all agents share.
    #[arg(long, env = "DDG_RIDDLES_SHARED", value_name = "DIR")]
    shared: PathBuf,

    /// The agents' own folder, which stays across restarts.
    #[arg(long, env = "DDG_RIDDLES_PERSIST", value_name = "DIR")]
    persist: Option<PathBuf>,

    /// Messages that each agent handles at the same time [default: 8].
    #[arg(long, env = "DDG_RIDDLES_CAP", value_name = "N")]
    cap: Option<usize>,

    /// Levels of the log on standard error.
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

impl Agent {
    pub(super) fn run(self, agents: &AgentSet) -> Result<(), String> {
        let _logging = logging::begin(LogFormat::Text, &self.log)?;
        runtime()?.block_on(self.serve(agents))
    }

    async fn serve(self, agents: &AgentSet) -> Result<(), String> {
        let secret = secret_for(self.listen)?;
        let shared = SharedFolder::open(&self.shared).map_err(|error| error.to_string())?;
        let management = ManagementClient::new(&self.management, secret.clone())?;
        let mut hosts = Vec::new();
        for name in &self.names {
            let platform = Arc::new(management.clone());
            let mut host = agents.host(name.trim(), shared.clone(), platform)?;
            if let Some(persist) = &self.persist {
                std::fs::create_dir_all(persist)
                    .map_err(|error| format!("--persist {}: {error}", persist.display()))?;
                host = host.persist(persist);
            }
            hosts.push(host);
        }
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.map_err(|error| format!("--listen {}: {error}", self.listen))?;
        let server = AgentServer::new(hosts, self.cap, management, secret);
        serve_until_stopped(listener, server.router()).await
    }
}
