//! What a management is made of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::mpsc;

use super::super::agent::RiddleAgent;
use super::super::error::RiddleError;
use super::super::folder::SharedFolder;
use super::super::link::AgentLink;
use super::super::platform::{Platform, Reached};
use super::super::settings::RiddleSettings;
use super::super::stage::{Capability, Roster};
use super::super::store::RiddleStore;
use super::{Management, StopOnDrop, supervisor};

/// A management before it begins: its agents, settings and store.
#[must_use = "a management begins when it is built"]
pub struct ManagementBuilder {
    shared: PathBuf,
    persist: Option<PathBuf>,
    settings: RiddleSettings,
    store: Option<RiddleStore>,
    agents: Vec<(String, Reached, Vec<Capability>)>,
}

impl ManagementBuilder {
    pub(super) fn new(shared: &Path) -> Self {
        let shared = shared.to_owned();
        let (settings, agents) = (RiddleSettings::default(), Vec::new());
        Self { shared, persist: None, settings, store: None, agents }
    }

    /// Adds an agent of this process, for everything that it can do.
    pub fn agent(self, name: impl Into<String>, agent: impl RiddleAgent) -> Self {
        let capabilities = agent.capabilities();
        self.agent_for(name, capabilities, agent)
    }

    /// Adds an agent of this process for some of what it can do.
    pub fn agent_for(
        mut self,
        name: impl Into<String>,
        capabilities: impl IntoIterator<Item = Capability>,
        agent: impl RiddleAgent,
    ) -> Self {
        let capabilities = capabilities.into_iter().collect();
        self.agents.push((name.into(), Reached::Here(Arc::new(agent)), capabilities));
        self
    }

    /// Adds an agent of another process.
    pub fn remote(
        mut self,
        name: impl Into<String>,
        capabilities: impl IntoIterator<Item = Capability>,
        link: impl AgentLink,
    ) -> Self {
        let capabilities = capabilities.into_iter().collect();
        self.agents.push((name.into(), Reached::Elsewhere(Arc::new(link)), capabilities));
        self
    }

    /// Sets all settings.
    pub fn settings(mut self, settings: RiddleSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets where riddles are kept. The default is in memory.
    pub fn store(mut self, store: RiddleStore) -> Self {
        self.store = Some(store);
        self
    }

    /// Sets the folder that agents of this process have for themselves; it is created if it does
    /// not exist.
    pub fn persist(mut self, folder: impl Into<PathBuf>) -> Self {
        self.persist = Some(folder.into());
        self
    }

    /// Begins, and continues all riddles of the store that have not ended.
    ///
    /// # Errors
    /// If a folder cannot be used; if an agent is named twice, badly, or can do nothing; if the
    /// store fails.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn build(self) -> Result<Management, RiddleError> {
        let shared = SharedFolder::open(&self.shared)?;
        if let Some(persist) = &self.persist {
            std::fs::create_dir_all(persist).map_err(|error| RiddleError::Folder {
                folder: persist.display().to_string(),
                message: error.to_string(),
            })?;
        }
        let (mut agents, mut roster) = (IndexMap::new(), Roster::default());
        for (name, reached, capabilities) in self.agents {
            check_name(&name)?;
            if capabilities.is_empty() {
                let message =
                    "can do nothing: give it `extract`, `solve` or `gatekeeper`".to_owned();
                return Err(RiddleError::Agent { name, message });
            }
            for capability in &capabilities {
                if roster.has(&name, capability.stage()) {
                    let message = format!(
                        "is declared twice for `{}`: give the second another name",
                        capability.stage()
                    );
                    return Err(RiddleError::Agent { name, message });
                }
                roster.add(&name, capability);
            }
            agents.insert(name, reached);
        }
        let store = self.store.unwrap_or_else(RiddleStore::in_memory);
        let (starts, starting) = mpsc::unbounded_channel();
        let (settings, persist) = (self.settings, self.persist);
        let log = Arc::clone(&store.log);
        let left = log.running(None).await?;
        let platform = Platform::new(agents, roster, settings, shared, persist, log, starts);
        let platform = Arc::new(platform);
        for id in left {
            platform.start(&id);
        }
        let runs = Arc::clone(&store.runs);
        let supervisor = supervisor::spawn(Arc::clone(&platform), store, starting)?;
        Ok(Management { platform, runs, _supervisor: Arc::new(StopOnDrop(supervisor)) })
    }
}

impl std::fmt::Debug for ManagementBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManagementBuilder")
            .field("shared", &self.shared)
            .field("settings", &self.settings)
            .field("agents", &self.agents.iter().map(|(name, ..)| name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Names are parts of paths and of keys.
fn check_name(name: &str) -> Result<(), RiddleError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.len() <= 64 && name.chars().all(is_plain) {
        return Ok(());
    }
    let message = "has a bad name: write up to 64 letters, digits, `-` and `_`".to_owned();
    Err(RiddleError::Agent { name: ddg_core::printable::line(name).into_owned(), message })
}
