//! The builder of assistants, and what all their runs share.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ddg_core::__store::Clock;
use ddg_core::{Automa, GraphAutoma, TypedAutoma};
use indexmap::IndexMap;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hub::Hub;
use super::runner::ThreadRunner;
use super::{AssistantStore, Assistants, AssistantsError, sweep};
use crate::files::FileManager;
use crate::model::ChatModel;
use crate::react::{AgentOutcome, ReActAutoma};
use crate::tool::Toolbox;

/// Gives the model of a run, by the tenant and the name of the model. It is asked again whenever a
/// process takes a run up.
///
/// A closure with these parameters is one.
pub trait Models: Send + Sync + 'static {
    /// The model `model` of `tenant`.
    ///
    /// # Errors
    /// Why there is none: the run fails with this text, which must not contain a secret.
    fn model(&self, tenant: &str, model: &str) -> Result<Arc<dyn ChatModel>, String>;
}

impl<F> Models for F
where
    F: Fn(&str, &str) -> Result<Arc<dyn ChatModel>, String> + Send + Sync + 'static,
{
    fn model(&self, tenant: &str, model: &str) -> Result<Arc<dyn ChatModel>, String> {
        self(tenant, model)
    }
}

/// The file manager of a tenant, if it has one.
type Files = Arc<dyn Fn(&str) -> Option<FileManager> + Send + Sync>;

/// The builder of [`Assistants`]. `.await` opens them.
#[must_use = "assistants are not open before the builder is awaited"]
pub struct AssistantsBuilder {
    store: AssistantStore,
    models: Option<Arc<dyn Models>>,
    default_model: Option<String>,
    tools: Toolbox,
    agents: IndexMap<String, ReActAutoma>,
    settings: Settings,
    clock: Clock,
    files: Option<Files>,
}

/// Limits of runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) run_expiry: Duration,
    pub(super) max_steps: u32,
    pub(super) tool_workers: usize,
    pub(super) tool_timeout: Duration,
    pub(super) retain: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) poll: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            run_expiry: Duration::from_secs(600),
            max_steps: 25,
            tool_workers: 10,
            tool_timeout: Duration::from_secs(180),
            retain: None,
            grace: Duration::from_secs(10),
            poll: Duration::from_millis(250),
        }
    }
}

/// What all runs share.
pub(super) struct Inner {
    pub(super) store: AssistantStore,
    pub(super) models: Arc<dyn Models>,
    pub(super) default_model: Option<String>,
    pub(super) tools: Toolbox,
    pub(super) agents: IndexMap<String, TypedAutoma<AgentOutcome>>,
    pub(super) settings: Settings,
    pub(super) tool_turns: Arc<Semaphore>,
    pub(super) clock: Clock,
    pub(super) files: Option<Files>,
    pub(super) hub: Hub,
    pub(super) runner: GraphAutoma,
    pub(super) closing: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl AssistantsBuilder {
    pub(super) fn new(store: AssistantStore) -> Self {
        Self {
            store,
            models: None,
            default_model: None,
            tools: Toolbox::default(),
            agents: IndexMap::new(),
            settings: Settings::default(),
            clock: Clock::default(),
            files: None,
        }
    }

    /// Sets what gives the models of runs.
    pub fn models(mut self, models: impl Models) -> Self {
        self.models = Some(Arc::new(models));
        self
    }

    /// Sets one model for all runs. The name of a run's model is passed to it, if it can
    /// [switch](ChatModel::switched).
    pub fn model(mut self, model: impl ChatModel) -> Self {
        let model: Arc<dyn ChatModel> = Arc::new(model);
        self.default_model = Some(model.name().to_owned());
        self.models(move |_: &str, name: &str| {
            Ok(model.switched(name).unwrap_or_else(|| Arc::clone(&model)))
        })
    }

    /// Sets the model of responses that name none.
    pub fn default_model(mut self, model: impl Into<String>) -> Self {
        self.default_model = Some(model.into());
        self
    }

    /// Sets the tools of the server. An assistant has those that it names.
    pub fn tools(mut self, tools: Toolbox) -> Self {
        self.tools = tools;
        self
    }

    /// Registers an agent, which can be named as a model.
    pub fn agent(mut self, name: impl Into<String>, agent: ReActAutoma) -> Self {
        self.agents.insert(name.into(), agent);
        self
    }

    /// Sets what gives the file manager of a tenant.
    pub fn files(
        mut self,
        files: impl Fn(&str) -> Option<FileManager> + Send + Sync + 'static,
    ) -> Self {
        self.files = Some(Arc::new(files));
        self
    }

    /// Sets how long a run may take. Defaults to 10 minutes.
    pub fn run_expiry(mut self, expiry: Duration) -> Self {
        self.settings.run_expiry = expiry;
        self
    }

    /// Sets the number of tool steps after which the model must not call tools. Defaults to 25.
    pub fn max_steps(mut self, steps: u32) -> Self {
        self.settings.max_steps = steps;
        self
    }

    /// Sets how many tools run at a time. Defaults to 10.
    pub fn tool_workers(mut self, workers: usize) -> Self {
        self.settings.tool_workers = workers.max(1);
        self
    }

    /// Sets how long a tool may take. Defaults to 180 seconds.
    pub fn tool_timeout(mut self, timeout: Duration) -> Self {
        self.settings.tool_timeout = timeout;
        self
    }

    /// Deletes ended runs with their events when they are older than `age`. Defaults to never.
    pub fn retain(mut self, age: Duration) -> Self {
        self.settings.retain = Some(age);
        self
    }

    /// Sets how long [`Assistants::close`] waits for what is under way. Defaults to 10 seconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace = grace;
        self
    }

    /// Sets how often the store is asked for what other processes did. Defaults to 250 ms.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.settings.poll = interval.max(Duration::from_millis(1));
        self
    }

    /// Takes the time of objects from `now` instead of the system's clock.
    pub fn with_clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    async fn build(self) -> Result<Assistants, AssistantsError> {
        let setup = |message: String| AssistantsError::Setup { message };
        let models = self.models.ok_or_else(|| {
            setup("assistants have no model: set one with `model`, or `models`".to_owned())
        })?;
        let mut agents = IndexMap::new();
        for (name, agent) in self.agents {
            let built = agent.build().map_err(|error| setup(format!("agent `{name}`: {error}")))?;
            agents.insert(name, built);
        }
        let runner = ThreadRunner::automa().map_err(|error| setup(error.to_string()))?;
        let inner = Arc::new(Inner {
            store: self.store,
            models,
            default_model: self.default_model,
            tools: self.tools,
            agents,
            settings: self.settings,
            tool_turns: Arc::new(Semaphore::new(self.settings.tool_workers)),
            clock: self.clock,
            files: self.files,
            hub: Hub::default(),
            runner,
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        sweep::begin(&inner);
        Ok(Assistants(inner))
    }
}

impl Inner {
    /// The time in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.clock.now_ms().div_euclid(1000)
    }

    pub(super) async fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
        // What has not settled by then is written as of its last step.
        let _ = tokio::time::timeout(self.settings.grace * 2, self.tasks.wait()).await;
    }
}

impl IntoFuture for AssistantsBuilder {
    type Output = Result<Assistants, AssistantsError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.build())
    }
}

impl fmt::Debug for AssistantsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssistantsBuilder").field("store", &self.store).finish_non_exhaustive()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assistants").field("store", &self.store).finish_non_exhaustive()
    }
}
