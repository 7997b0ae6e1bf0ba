//! `ddg riddles`: the management as a server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ddg_agentic::riddles::{
    Capability, DataType, Management, ManagementBuilder, RiddleSettings, RiddleStore,
};
use tokio::net::TcpListener;

use super::super::logging::{self, LogFormat};
use super::agents::AgentSet;
use super::{runtime, secret_for, serve_until_stopped};
use crate::riddles::{HttpAgent, RiddleServer, Secret};

/// A day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Options of the management. Each is also a variable of the environment; agents are those of
/// AGENTS_EXTRACT, AGENTS_SOLVE and AGENTS_GATEKEEPER as well.
#[derive(Args)]
pub(super) struct Manage {
    /// Address to listen on; port 0 takes a free port.
    #[arg(
        long,
        env = "DDG_RIDDLES_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8090"
    )]
    listen: SocketAddr,

    /// Database: the path of an SQLite file, or postgres://….
    #[arg(long, env = "DDG_RIDDLES_DB", value_name = "DB", default_value = "riddles.sqlite")]
    db: String,

    /// Folder of documents and extractions, which all agents share.
    #[arg(long, env = "DDG_RIDDLES_SHARED", value_name = "DIR", required = true)]
    shared: Option<PathBuf>,

    /// Folder that the agents of this process have for themselves.
    #[arg(long, env = "DDG_RIDDLES_PERSIST", value_name = "DIR")]
    persist: Option<PathBuf>,

    /// Agent for a stage: STAGE=NAME, STAGE=URL or STAGE=NAME@URL, where STAGE is `solve`,
    /// `gatekeeper`, `extract` or `extract:text,image`. Can be repeated [env: AGENTS_EXTRACT,
    /// AGENTS_SOLVE, AGENTS_GATEKEEPER: lists with commas of NAME, URL or NAME@URL, for extract
    /// also text+image=NAME].
    #[arg(long = "agent", value_name = "STAGE=AGENT")]
    agents: Vec<String>,

    /// Ask solvers once, when all extractions are there [env: REQUIRE_FULL_EXTRACT].
    #[arg(long)]
    require_full_extract: bool,

    /// Ask gatekeepers once, about the solutions of all solvers [env: REQUIRE_FULL_SOLVE].
    #[arg(long)]
    require_full_solve: bool,

    /// Trials after which a riddle is unsolved [env: SOLUTION_MAX_TRIALS] [default: 5].
    #[arg(long, value_name = "N")]
    max_trials: Option<String>,

    /// Hops after which a riddle is unsolved [env: MAX_CONTACTS] [default: 100].
    #[arg(long, value_name = "N")]
    max_contacts: Option<String>,

    /// Count solutions by `agent`, or `distinct` ones [env: SOLUTION_COUNTING].
    #[arg(long, value_name = "HOW")]
    solution_counting: Option<String>,

    /// Seconds for an extraction [env: EXTRACT_DEADLINE] [default: 300].
    #[arg(long, value_name = "SECONDS")]
    extract_deadline: Option<String>,

    /// Seconds for a solution [env: SOLVE_DEADLINE] [default: 300].
    #[arg(long, value_name = "SECONDS")]
    solve_deadline: Option<String>,

    /// Seconds for a review [env: GATEKEEPER_DEADLINE] [default: 300].
    #[arg(long, value_name = "SECONDS")]
    gatekeeper_deadline: Option<String>,

    /// Seconds after which an acknowledged message is sent again [env: RESEND] [default: 30].
    #[arg(long, value_name = "SECONDS")]
    resend: Option<String>,

    /// Days after which ended riddles are deleted; 0 keeps them.
    #[arg(long, env = "DDG_RIDDLES_RETAIN", value_name = "DAYS", default_value_t = 0)]
    retain: u32,

    /// Levels of the log on standard error.
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    log: String,
}

impl Manage {
    pub(super) fn run(self, agents: &AgentSet) -> Result<(), String> {
        let _logging = logging::begin(LogFormat::Text, &self.log)?;
        runtime()?.block_on(self.serve(agents))
    }

    async fn serve(self, agents: &AgentSet) -> Result<(), String> {
        let secret = secret_for(self.listen)?;
        let shared = self.shared.clone().unwrap_or_default();
        let settings = self.settings().map_err(|error| error.to_string())?;
        let mut builder = Management::builder(&shared).settings(settings);
        if let Some(persist) = &self.persist {
            builder = builder.persist(persist);
        }
        let declared = declared(&self.agents, |name| std::env::var(name).ok())?;
        if declared.is_empty() {
            return Err("there is no agent: write --agent STAGE=NAME or STAGE=URL".to_owned());
        }
        for agent in &declared {
            builder = agent.add_to(builder, agents, secret.clone())?;
        }
        let store = open(&self.db).await?;
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.map_err(|error| format!("--listen {}: {error}", self.listen))?;
        let management = builder.store(store).build().await.map_err(|error| error.to_string())?;
        let pruning = (self.retain > 0).then(|| {
            let (management, age) = (management.clone(), DAY * self.retain);
            tokio::spawn(prune(management, age))
        });
        let ended =
            serve_until_stopped(listener, RiddleServer::new(management, secret).router()).await;
        if let Some(pruning) = pruning {
            pruning.abort();
        }
        ended
    }

    /// The settings: options before variables.
    fn settings(&self) -> Result<RiddleSettings, ddg_agentic::riddles::RiddleError> {
        let given = |name: &str| match name {
            "REQUIRE_FULL_EXTRACT" => self.require_full_extract.then(|| "true".to_owned()),
            "REQUIRE_FULL_SOLVE" => self.require_full_solve.then(|| "true".to_owned()),
            "SOLUTION_MAX_TRIALS" => self.max_trials.clone(),
            "MAX_CONTACTS" => self.max_contacts.clone(),
            "SOLUTION_COUNTING" => self.solution_counting.clone(),
            "EXTRACT_DEADLINE" => self.extract_deadline.clone(),
            "SOLVE_DEADLINE" => self.solve_deadline.clone(),
            "GATEKEEPER_DEADLINE" => self.gatekeeper_deadline.clone(),
            "RESEND" => self.resend.clone(),
            _ => None,
        };
        let both = |name: &str| given(name).or_else(|| std::env::var(name).ok());
        RiddleSettings::default().with_variables(both)
    }
}

/// Opens a database by its path or URL.
async fn open(db: &str) -> Result<RiddleStore, String> {
    let store = match db.split_once("://") {
        None => RiddleStore::open(db).await,
        Some(("sqlite", path)) => RiddleStore::open(path).await,
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => RiddleStore::connect(db).await,
        Some((scheme, _)) => {
            let server = if cfg!(feature = "postgres") { ", or postgres://…" } else { "" };
            return Err(format!(
                "--db: {scheme}:// is no database of riddles; write the path of a file{server}"
            ));
        }
    };
    store.map_err(|error| error.to_string())
}

/// Deletes old riddles, now and every hour.
async fn prune(management: Management, age: Duration) {
    loop {
        match management.delete_older_than(age).await {
            Ok(deleted) if deleted.is_empty() => {}
            Ok(deleted) => tracing::info!(n = deleted.len(), "old riddles were deleted"),
            Err(error) => tracing::error!(%error, "old riddles could not be deleted"),
        }
        tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    }
}

/// An agent as it is declared.
#[derive(Debug, PartialEq)]
struct Declared {
    /// `None` for what the agent extracts by itself.
    capability: Option<Capability>,
    name: String,
    url: Option<String>,
}

/// The agents of options and variables.
fn declared(
    options: &[String],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Declared>, String> {
    let mut declared = Vec::new();
    for option in options {
        let wrong = |why: &str| {
            format!(
                "--agent {option}: {why}; write STAGE=NAME or STAGE=URL, such as solve=calculator"
            )
        };
        let (stage, agent) = option.split_once('=').ok_or_else(|| wrong("there is no `=`"))?;
        let capability = match stage {
            "solve" => Some(Capability::Solve),
            "gatekeeper" => Some(Capability::Gatekeeper),
            "extract" => None,
            other => {
                let kinds = other.strip_prefix("extract:").ok_or_else(|| {
                    wrong(&format!("`{other}` is no stage (`extract`, `solve`, `gatekeeper`)"))
                })?;
                Some(kinds_of(kinds, ',').map_err(|why| wrong(&why))?)
            }
        };
        declared.push(Declared::new(capability, agent).map_err(|why| wrong(&why))?);
    }
    for (name, capability) in [
        ("AGENTS_EXTRACT", None),
        ("AGENTS_SOLVE", Some(Capability::Solve)),
        ("AGENTS_GATEKEEPER", Some(Capability::Gatekeeper)),
    ] {
        let value = variable(name).unwrap_or_default();
        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let wrong = |why: String| format!("{name}: `{part}`: {why}");
            // `text+image=NAME`; a URL may have a `=` after its scheme.
            let kinds = part.split_once('=').filter(|(kinds, _)| !kinds.contains(':'));
            let (capability, agent) = match kinds {
                Some((kinds, agent)) if name == "AGENTS_EXTRACT" => {
                    (Some(kinds_of(kinds, '+').map_err(wrong)?), agent)
                }
                _ => (capability.clone(), part),
            };
            declared.push(Declared::new(capability, agent).map_err(wrong)?);
        }
    }
    Ok(declared)
}

fn kinds_of(text: &str, separator: char) -> Result<Capability, String> {
    let kinds = text.split(separator).map(|word| {
        DataType::from_word(word.trim())
            .ok_or_else(|| format!("`{word}` is no type of data (`text`, `image`, `audio`)"))
    });
    Ok(Capability::extract(kinds.collect::<Result<Vec<_>, _>>()?))
}

impl Declared {
    fn new(capability: Option<Capability>, agent: &str) -> Result<Self, String> {
        let (name, url) = agent_at(agent)?;
        Ok(Self { capability, name, url })
    }

    fn add_to(
        &self,
        builder: ManagementBuilder,
        agents: &AgentSet,
        secret: Option<Secret>,
    ) -> Result<ManagementBuilder, String> {
        let capability = self.capability.clone().unwrap_or_else(|| match &self.url {
            Some(_) => Capability::extract_all(),
            None => agents.extracts(&self.name),
        });
        match &self.url {
            Some(url) => {
                let link = HttpAgent::new(url, secret)?;
                Ok(builder.remote(self.name.clone(), [capability], link))
            }
            None => agents.declare(builder, &self.name, &capability),
        }
    }
}

/// The name of an agent, and its URL if it is elsewhere: `NAME`, `URL` or `NAME@URL`.
pub(super) fn agent_at(agent: &str) -> Result<(String, Option<String>), String> {
    let agent = agent.trim();
    if agent.is_empty() {
        return Err("the agent is missing".to_owned());
    }
    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    if is_url(agent) {
        return Ok((name_of(agent), Some(agent.to_owned())));
    }
    match agent.split_once('@') {
        Some((name, url)) if is_url(url) => Ok((name.to_owned(), Some(url.to_owned()))),
        Some((_, url)) => Err(format!("`{url}` is no URL")),
        None => Ok((agent.to_owned(), None)),
    }
}

/// A name for the agent at a URL: its host and port, in letters and digits.
fn name_of(url: &str) -> String {
    let place = url.split("://").nth(1).unwrap_or(url);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = place.chars().map(plain).collect();
    name.trim_matches('-').chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(options: &[&str], variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let declared = declared(&options, variable)?;
        Ok(declared.iter().map(|d| format!("{:?} {} {:?}", d.capability, d.name, d.url)).collect())
    }

    /// [riddles 13] [riddles 14] Agents are declared by options, and else by variables.
    #[test]
    fn agents_are_declared_by_options_and_variables() {
        let both = shown(
            &["solve=calculator", "extract:text,image=http://10.0.0.1:9000/a"],
            &[
                ("AGENTS_EXTRACT", "text, audio=ear@http://ear"),
                ("AGENTS_GATEKEEPER", "http://g:1"),
            ],
        );
        assert_eq!(
            both.expect("they are read"),
            [
                "Some(Solve) calculator None",
                "Some(Extract({Text, Image})) 10-0-0-1-9000-a Some(\"http://10.0.0.1:9000/a\")",
                "None text None",
                "Some(Extract({Audio})) ear Some(\"http://ear\")",
                "Some(Gatekeeper) g-1 Some(\"http://g:1\")",
            ]
        );
    }

    #[test]
    fn wrong_declarations_say_what_to_write() {
        let hint = "; write STAGE=NAME or STAGE=URL, such as solve=calculator";
        for (option, why) in [
            ("solve", "there is no `=`"),
            ("think=a", "`think` is no stage (`extract`, `solve`, `gatekeeper`)"),
            ("extract:smell=a", "`smell` is no type of data (`text`, `image`, `audio`)"),
            ("solve=", "the agent is missing"),
            ("solve=a@b", "`b` is no URL"),
        ] {
            let error = shown(&[option], &[]).expect_err("it is wrong");
            assert_eq!(error, format!("--agent {option}: {why}{hint}"));
        }
    }
}
