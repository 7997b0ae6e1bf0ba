//! `ddg serve`: the server as a program.

mod tools;

use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ddg_agentic::provider::ApiKey;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::logging::{self, LogFormat};
use super::signals;
use crate::{Keys, Server, serve};

/// How long replies and steps of runs may take after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// Serve assistants, threads, runs, responses and conversations over HTTP.
///
/// Every option is also a variable of the environment and a setting of the configuration file,
/// where it has the same name without the dashes in front. The command line wins over the
/// environment, and the environment over the file.
#[derive(Args)]
pub(super) struct Serve {
    /// Address to listen on; port 0 takes a free port.
    #[arg(long, env = "DDG_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    listen: SocketAddr,

    /// Database: the path of an SQLite file, or postgres://….
    #[arg(
        long,
        env = "DDG_DB",
        value_name = "PATH|URL",
        default_value = "ddg.sqlite",
        hide_env_values = true
    )]
    db: String,

    /// Folder of uploaded files [default: the database's path with .files].
    #[arg(long, env = "DDG_FILES", value_name = "FOLDER")]
    files: Option<PathBuf>,

    /// File with the keys of clients, one a line; $DDG_KEYS has the keys themselves, with commas.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,

    /// Allow to serve everybody on an address that other machines can reach.
    #[arg(long, env = "DDG_WITHOUT_KEYS")]
    without_keys: bool,

    /// JSON file with MCP servers, whose tools runs can use.
    #[arg(long, env = "DDG_TOOLS", value_name = "FILE")]
    tools: Option<PathBuf>,

    /// Model that is listed, and used where a request names none; `offline` needs no network and
    /// answers for all.
    #[arg(long, env = "OPENAI_MODEL", value_name = "NAME")]
    model: Option<String>,

    /// URL where models are asked.
    #[arg(long, env = "OPENAI_BASE_URL", value_name = "URL", hide_env_values = true)]
    base_url: Option<String>,

    /// Seconds from the creation of a run until it expires.
    #[arg(long, env = "DDG_RUN_EXPIRY", value_name = "SECONDS", default_value_t = 600, value_parser = positive())]
    run_expiry: u64,

    /// Steps with tools of a run, after which the model gets none.
    #[arg(long, env = "DDG_MAX_STEPS", value_name = "N", default_value_t = 25, value_parser = positive())]
    max_steps: u64,

    /// Tools that run at the same time.
    #[arg(long, env = "DDG_TOOL_WORKERS", value_name = "N", default_value_t = 10, value_parser = positive())]
    tool_workers: u64,

    /// Seconds that a call of a tool may take.
    #[arg(long, env = "DDG_TOOL_TIMEOUT", value_name = "SECONDS", default_value_t = 180, value_parser = positive())]
    tool_timeout: u64,

    /// Requests that one key may send in a minute [default: no limit].
    #[arg(long, env = "DDG_RATE_LIMIT", value_name = "N", value_parser = positive())]
    rate_limit: Option<u64>,

    /// Days after which ended runs are deleted with their events; 0 keeps them.
    #[arg(long, env = "DDG_RETAIN", value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=36_500))]
    retain: u64,

    /// Form of the log on standard error.
    #[arg(long, env = "DDG_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    /// Levels of the log, such as warn or ddg_server=debug.
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    log: String,

    /// TOML file with settings, such as `tool-workers = 4`.
    #[arg(long, env = "DDG_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A value that is not empty: compose files set variables without a value.
fn given(value: Option<&String>) -> Option<&String> {
    value.filter(|value| !value.trim().is_empty())
}

fn positive() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=1_000_000_000)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| "expected HOST:PORT, such as 127.0.0.1:8080".to_owned())
}

impl Serve {
    /// Serves until the process is told to stop.
    pub(super) fn run(self) -> Result<(), String> {
        let _logging = logging::begin(self.log_format, &self.log)?;
        let keys = self.client_keys()?;
        if keys.is_none() && !self.listen.ip().is_loopback() && !self.without_keys {
            return Err(format!(
                "--listen {}: other machines can reach this address, and there are no keys; give \
                 --keys FILE, or say --without-keys to serve everybody",
                self.listen
            ));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("no threads: {error}"))?;
        let served = runtime.block_on(self.serve(keys));
        // Open streams and calls of tools that do not end must not keep the process.
        runtime.shutdown_background();
        served
    }

    /// The keys of `--keys`, or else those of the environment.
    fn client_keys(&self) -> Result<Option<Keys>, String> {
        const VARIABLE: &str = "DDG_KEYS";
        if let Some(file) = &self.keys {
            let keys = Keys::read(file).map_err(|error| format!("--keys: {error}"))?;
            return Ok(Some(keys));
        }
        match std::env::var(VARIABLE) {
            Ok(list) if !list.trim().is_empty() => {
                Keys::parse_list(VARIABLE, &list).map(Some).map_err(|error| error.to_string())
            }
            Ok(_) | Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("{VARIABLE} is no UTF-8")),
        }
    }

    async fn serve(self, keys: Option<Keys>) -> Result<(), String> {
        // Before the first line of output, after which a signal may come.
        let mut signals =
            signals::Signals::new().map_err(|error| format!("no signals: {error}"))?;
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.map_err(|error| format!("--listen {}: {error}", self.listen))?;
        let at = listener.local_addr().map_err(|error| error.to_string())?;
        let server = self.server(keys).await?;

        let mut out = std::io::stdout();
        let announced = writeln!(out, "listening on http://{at}").and_then(|()| out.flush());
        announced.map_err(|error| format!("standard output: {error}"))?;

        let stop = CancellationToken::new();
        let mut serving = tokio::spawn(serve(listener, server.router(), stop.clone()));
        while signals.next().await == signals::Signal::Reload {
            match server.keys().map(Keys::reload) {
                Some(Ok(())) => tracing::info!(keys = ?server.keys(), "the keys were read again"),
                Some(Err(error)) => tracing::error!(%error, "the keys of before are kept"),
                None => tracing::info!("there are no keys to read again"),
            }
        }
        tracing::info!("stopping");
        stop.cancel();
        let both = async {
            server.close().await;
            // A fault of the task is in the log by its panic.
            _ = (&mut serving).await;
        };
        if timeout(GRACE, both).await.is_err() {
            tracing::warn!("some streams are open still; they are cut");
        }
        serving.abort();
        Ok(())
    }

    async fn server(&self, keys: Option<Keys>) -> Result<Server, String> {
        let mut builder = Server::builder()
            .db(&self.db)
            .run_expiry(Duration::from_secs(self.run_expiry))
            .max_steps(u32::try_from(self.max_steps).unwrap_or(u32::MAX))
            .tool_workers(usize::try_from(self.tool_workers).unwrap_or(usize::MAX))
            .tool_timeout(Duration::from_secs(self.tool_timeout));
        if self.retain > 0 {
            builder = builder.retain(Duration::from_secs(self.retain * 24 * 60 * 60));
        }
        if let Some(file) = &self.tools {
            builder = builder.tools(tools::connect(file, self.tool_timeout).await?);
        }
        if let Some(folder) = &self.files {
            builder = builder.files(folder);
        }
        if let Some(keys) = keys {
            builder = builder.keys(keys);
        }
        if let Some(per_minute) = self.rate_limit {
            builder = builder.rate_limit(u32::try_from(per_minute).unwrap_or(u32::MAX));
        }
        if let Some(model) = given(self.model.as_ref()) {
            builder = builder.model(model);
        }
        if let Some(url) = given(self.base_url.as_ref()) {
            builder = builder.base_url(url);
        }
        // Not an option, because the arguments of a process can be seen by others.
        if let Ok(key) = std::env::var("OPENAI_API_KEY")
            && !key.trim().is_empty()
        {
            builder = builder.api_key(ApiKey::from(key));
        }
        builder.build().await.map_err(|error| error.to_string())
    }
}
