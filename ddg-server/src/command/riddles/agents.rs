//! The agents of a program by name.

use std::sync::Arc;

use ddg_agentic::riddles::{
    AgentHost, Capability, ManagementBuilder, RiddleAgent, RiddlePlatform, SharedFolder, agents,
};

type Host = Box<dyn Fn(&str, SharedFolder, Arc<dyn RiddlePlatform>) -> AgentHost + Send + Sync>;
type Declare =
    Box<dyn Fn(ManagementBuilder, &str, Vec<Capability>) -> ManagementBuilder + Send + Sync>;

/// Agents by name.
#[derive(Default)]
pub struct AgentSet {
    agents: Vec<Named>,
}

struct Named {
    name: String,
    capabilities: Vec<Capability>,
    host: Host,
    declare: Declare,
}

impl AgentSet {
    /// No agents.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an agent.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, agent: impl RiddleAgent) -> Self {
        let capabilities = agent.capabilities();
        let agent = Arc::new(agent);
        let alone = Arc::clone(&agent);
        let host: Host = Box::new(move |name, shared, platform| {
            AgentHost::new(name, Arc::clone(&alone), shared, platform)
        });
        let declare: Declare = Box::new(move |builder, name, capabilities| {
            builder.agent_for(name, capabilities, Arc::clone(&agent))
        });
        self.agents.push(Named { name: name.into(), capabilities, host, declare });
        self
    }

    /// The names, with what each agent can do in words.
    pub(super) fn listed(&self) -> impl Iterator<Item = (&str, String)> {
        self.agents.iter().map(|agent| {
            let words = agent.capabilities.iter().map(|capability| match capability {
                Capability::Extract(kinds) => {
                    let kinds: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
                    format!("extract {}", kinds.join(","))
                }
                other => other.stage().word().to_owned(),
            });
            (agent.name.as_str(), words.collect::<Vec<_>>().join(", "))
        })
    }

    fn named(&self, name: &str) -> Result<&Named, String> {
        self.agents.iter().find(|agent| agent.name == name).ok_or_else(|| {
            let names: Vec<_> = self.agents.iter().map(|agent| agent.name.as_str()).collect();
            format!("there is no agent `{name}`; there are {}", names.join(", "))
        })
    }

    /// The agent of this name, without a management in its process.
    pub(super) fn host(
        &self,
        name: &str,
        shared: SharedFolder,
        platform: Arc<dyn RiddlePlatform>,
    ) -> Result<AgentHost, String> {
        let agent = self.named(name)?;
        Ok((agent.host)(&agent.name, shared, platform))
    }

    /// Adds the agent of this name to a management, for one of its capabilities.
    pub(super) fn declare(
        &self,
        builder: ManagementBuilder,
        name: &str,
        wanted: &Capability,
    ) -> Result<ManagementBuilder, String> {
        let agent = self.named(name)?;
        let stage = wanted.stage();
        if !agent.capabilities.iter().any(|known| known.stage() == stage) {
            return Err(format!("agent `{name}` cannot {stage}"));
        }
        Ok((agent.declare)(builder, name, vec![wanted.clone()]))
    }

    /// What the agent of this name extracts; everything, if it is not of this process.
    pub(super) fn extracts(&self, name: &str) -> Capability {
        let agent = self.agents.iter().find(|agent| agent.name == name);
        let known = agent.and_then(|agent| {
            agent.capabilities.iter().find(|known| matches!(known, Capability::Extract(_)))
        });
        known.cloned().unwrap_or_else(Capability::extract_all)
    }
}

/// The agents that come with the platform.
pub(crate) fn shipped() -> AgentSet {
    AgentSet::new()
        .with("text", agents::Text)
        .with("calculator", agents::Calculator)
        .with("checker", agents::Checker)
}
