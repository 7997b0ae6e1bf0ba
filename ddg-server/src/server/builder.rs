//! The builder of servers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ddg_agentic::assistants::{AssistantStore, Assistants, AssistantsBuilder};
use ddg_agentic::provider::ApiKey;
use ddg_agentic::{ReActAutoma, Toolbox};
use tokio_util::sync::CancellationToken;

use super::{Server, ServerError};
use crate::files::Files;
use crate::http::rate::Rate;
use crate::keys::Keys;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::state::{Limits, State};
use crate::upstream::Upstream;

/// The builder of a server, created by [`Server::builder`]. [`Server`] has an example.
#[derive(Default)]
#[must_use = "a server is made by `build`"]
pub struct ServerBuilder {
    db: Option<String>,
    files: Option<PathBuf>,
    keys: Option<Keys>,
    rate_limit: Option<u32>,
    upstream: Upstream,
    tools: Toolbox,
    agents: Vec<(String, ReActAutoma)>,
    runs: Runs,
    limits: Limits,
}

/// Settings of runs; those that are missing have the defaults of [`Assistants`].
#[derive(Default)]
struct Runs {
    expiry: Option<Duration>,
    max_steps: Option<u32>,
    tool_workers: Option<usize>,
    tool_timeout: Option<Duration>,
    retain: Option<Duration>,
}

impl ServerBuilder {
    /// Sets the database: the path of an SQLite file, which is created if it does not exist
    /// (`ddg.sqlite` by default), or the URL of a PostgreSQL database.
    pub fn db(mut self, db: impl Into<String>) -> Self {
        self.db = Some(db.into());
        self
    }

    /// Sets the folder of uploaded files. The default is the path of the database with `.files`
    /// added, and `ddg-files` if the database is not a file.
    pub fn files(mut self, folder: impl Into<PathBuf>) -> Self {
        self.files = Some(folder.into());
        self
    }

    /// Sets the keys that may send requests. Without, everybody may, and all see the same objects.
    pub fn keys(mut self, keys: Keys) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Sets the maximum number of requests of one key in a minute; 0 counts as 1.
    pub fn rate_limit(mut self, per_minute: u32) -> Self {
        self.rate_limit = Some(per_minute);
        self
    }

    /// Sets the URL where models are asked. A key can have its own.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.upstream.base_url = Some(url.into());
        self
    }

    /// Sets the key of the models' provider, which is sent only to the server's own
    /// [`base_url`](Self::base_url).
    pub fn api_key(mut self, key: impl Into<ApiKey>) -> Self {
        self.upstream.api_key = Some(key.into());
        self
    }

    /// Sets the model that `/models` lists, and that is used if a request names none. `offline` is
    /// a model without a network, which then answers whichever model a request names.
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.upstream.model = Some(model.into());
        self
    }

    /// Sets the tools of the server, which an assistant names as types of tools.
    pub fn tools(mut self, tools: Toolbox) -> Self {
        self.tools = tools;
        self
    }

    /// Registers an agent, which requests name as their model.
    pub fn agent(mut self, name: impl Into<String>, agent: ReActAutoma) -> Self {
        self.agents.push((name.into(), agent));
        self
    }

    /// Sets the time from the creation of a run until it expires (600 s by default).
    pub fn run_expiry(mut self, expiry: Duration) -> Self {
        self.runs.expiry = Some(expiry);
        self
    }

    /// Sets the number of steps with tools after which the model of a run gets none (25 by
    /// default).
    pub fn max_steps(mut self, steps: u32) -> Self {
        self.runs.max_steps = Some(steps);
        self
    }

    /// Sets how many tools run at the same time (10 by default).
    pub fn tool_workers(mut self, workers: usize) -> Self {
        self.runs.tool_workers = Some(workers);
        self
    }

    /// Sets the time that a call of a tool may take (180 s by default).
    pub fn tool_timeout(mut self, timeout: Duration) -> Self {
        self.runs.tool_timeout = Some(timeout);
        self
    }

    /// Deletes ended runs and their events when they are older than `age`. The default keeps them.
    pub fn retain(mut self, age: Duration) -> Self {
        self.runs.retain = Some(age);
        self
    }

    /// Sets the maximum size of a body in bytes (32 MiB by default).
    pub fn max_body_bytes(mut self, bytes: u64) -> Self {
        self.limits.body_bytes = bytes;
        self
    }

    /// Sets the maximum size of an uploaded file in bytes (512 MiB by default).
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.limits.file_bytes = bytes;
        self
    }

    /// Builds the server, and continues the runs that another one has left.
    ///
    /// # Errors
    /// If a setting is wrong, or the database cannot be opened.
    pub async fn build(self) -> Result<Server, ServerError> {
        let Self { db, files, keys, rate_limit, upstream, tools, agents, runs, limits } = self;
        let wrong = |reason| ServerError::Setting { setting: "base_url", reason };
        upstream.check().map_err(wrong)?;
        let db = db.unwrap_or_else(|| "ddg.sqlite".to_owned());
        let folder = files.unwrap_or_else(|| folder_of(&db));
        let files = Arc::new(Files::new(folder, limits.file_bytes));
        // Before the assistants, which continue runs at once.
        files.open_all().await?;
        let default_model = upstream.model.clone();
        let models = Arc::new(Models::new(keys.clone(), upstream));

        let of_tenant = Arc::clone(&files);
        let of_run = Arc::clone(&models);
        let mut assistants = Assistants::open(open(&db).await?)
            .models(move |tenant: &str, model: &str| {
                ddg_agentic::assistants::Models::model(&*of_run, tenant, model)
            })
            .files(move |tenant| of_tenant.opened(tenant))
            .tools(tools);
        if let Some(model) = default_model {
            assistants = assistants.default_model(model);
        }
        for (name, agent) in agents {
            assistants = assistants.agent(name, agent);
        }
        let assistants = runs.set(assistants).await?;
        Ok(Server::with(State {
            keys,
            rate: rate_limit.map(Rate::new),
            limits,
            metrics: Metrics::new(),
            models,
            files,
            assistants,
            stopping: CancellationToken::new(),
        }))
    }
}

impl Runs {
    fn set(self, mut builder: AssistantsBuilder) -> AssistantsBuilder {
        if let Some(expiry) = self.expiry {
            builder = builder.run_expiry(expiry);
        }
        if let Some(steps) = self.max_steps {
            builder = builder.max_steps(steps);
        }
        if let Some(workers) = self.tool_workers {
            builder = builder.tool_workers(workers);
        }
        if let Some(timeout) = self.tool_timeout {
            builder = builder.tool_timeout(timeout);
        }
        if let Some(age) = self.retain {
            builder = builder.retain(age);
        }
        builder
    }
}

/// Opens a database by its path or URL.
async fn open(db: &str) -> Result<AssistantStore, ServerError> {
    let Some((scheme, _)) = db.split_once("://") else {
        return Ok(AssistantStore::open(db).await?);
    };
    match scheme {
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => Ok(AssistantStore::connect(db).await?),
        "sqlite" => Ok(AssistantStore::open(db.trim_start_matches("sqlite://")).await?),
        _ => {
            let reason = format!(
                "{scheme}:// is no database of this server; write the path of a file{}",
                if cfg!(feature = "postgres") { ", or postgres://…" } else { "" }
            );
            Err(ServerError::Setting { setting: "db", reason })
        }
    }
}

/// The folder of files beside a database.
fn folder_of(db: &str) -> PathBuf {
    if db.contains("://") && !db.starts_with("sqlite://") {
        "ddg-files".into()
    } else {
        format!("{}.files", db.trim_start_matches("sqlite://")).into()
    }
}
