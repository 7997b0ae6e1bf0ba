//! `ddg riddles`: the management of riddles, and agents for it.

mod agent;
mod agents;
mod alone;
mod manage;
mod new;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use agents::AgentSet;
pub(crate) use agents::shipped;

use crate::riddles::Secret;

/// Manage riddles that many agents solve, or run agents for it.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Riddles {
    #[command(subcommand)]
    command: Option<All>,
    #[command(flatten)]
    manage: manage::Manage,
}

/// What `ddg riddles` has.
#[derive(Subcommand)]
enum All {
    New(new::New),
    #[command(flatten)]
    Agents(Command),
}

/// What an author's own program has as well.
#[derive(Subcommand)]
pub(crate) enum Command {
    Agent(agent::Agent),
    Try(alone::Try),
    /// List the agents.
    List,
}

/// A program of an author's own agents.
#[derive(Parser)]
#[command(version, about = "Agents of the riddle platform")]
struct Own {
    #[command(subcommand)]
    command: Command,
}

/// Runs a program with the agents of its author: `agent` serves them, `try` tries one, `list` lists
/// them. Returns the exit code of the program.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use ddg_agentic::riddles::agents;
/// use ddg_server::riddles::{self, AgentSet};
///
/// fn main() -> ExitCode {
///     riddles::main(&AgentSet::new().with("mine", agents::Calculator))
/// }
/// ```
pub fn main(agents: &AgentSet) -> ExitCode {
    Own::parse().command.run(agents)
}

impl Riddles {
    pub(crate) fn run(self, agents: &AgentSet) -> ExitCode {
        match self.command {
            Some(All::New(new)) => ended(new.run()),
            Some(All::Agents(command)) => command.run(agents),
            None => ended(self.manage.run(agents)),
        }
    }
}

impl Command {
    pub(crate) fn run(self, agents: &AgentSet) -> ExitCode {
        match self {
            Self::Agent(agent) => ended(agent.run(agents)),
            Self::Try(alone) => alone.run(agents),
            Self::List => {
                for (name, capabilities) in agents.listed() {
                    println!("{name}\t{capabilities}");
                }
                ExitCode::SUCCESS
            }
        }
    }
}

fn ended(ended: Result<(), String>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ddg: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the address that is listened on, and serves until the process is told to stop.
async fn serve_until_stopped(
    listener: tokio::net::TcpListener,
    router: axum::Router,
) -> Result<(), String> {
    use std::io::Write;

    let mut signals =
        super::signals::Signals::new().map_err(|error| format!("no signals: {error}"))?;
    let at = listener.local_addr().map_err(|error| error.to_string())?;
    let mut out = std::io::stdout();
    let announced = writeln!(out, "listening on http://{at}").and_then(|()| out.flush());
    announced.map_err(|error| format!("standard output: {error}"))?;
    let stop = tokio_util::sync::CancellationToken::new();
    let mut serving = tokio::spawn(crate::serve(listener, router, stop.clone()));
    while signals.next().await == super::signals::Signal::Reload {}
    stop.cancel();
    // Streams of events end only with their riddles.
    let grace = std::time::Duration::from_secs(2);
    if tokio::time::timeout(grace, &mut serving).await.is_err() {
        serving.abort();
    }
    Ok(())
}

/// The secret that management and agents share. An address that other machines can reach needs one.
fn secret_for(listen: std::net::SocketAddr) -> Result<Option<Secret>, String> {
    // Only a variable, because the arguments of a process can be seen by others.
    let secret = Secret::new(std::env::var("DDG_RIDDLES_SECRET").unwrap_or_default());
    if secret.is_none() && !listen.ip().is_loopback() {
        return Err(format!(
            "--listen {listen} can be reached from other machines: set a secret in DDG_RIDDLES_SECRET"
        ));
    }
    Ok(secret)
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))
}
