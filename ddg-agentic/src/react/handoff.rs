//! Handoffs: an agent hands its conversation over to another agent.

use std::sync::Arc;

use ddg_core::graph::{BuildError, Fault};
use ddg_core::worker::AnyWorker;
use ddg_core::{Automa, Context, GraphAutoma, free};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::hooked::publish_whole;
use super::state::State;
use super::{AgentEnd, AgentFailed, AgentOutcome, Limit, ReActAutoma, Task};
use crate::memory::ActiveAgent;
use crate::message::{Message, ToolArguments, ToolCall};
use crate::model::ChatReply;
use crate::subturn::TurnState;
use crate::tool::{ToolInput, ToolSpec};

/// The beginning of the names of the tools that hand a conversation over.
const TRANSFER: &str = "transfer_to_";

/// Result of calls in the same reply as a handoff.
const NOT_CALLED: &str = "not called, since the conversation was handed over";

/// An agent to which another agent may hand its conversation over, with
/// [`ReActAutoma::handoff`](crate::ReActAutoma::handoff).
///
/// The model hands over by the tool `transfer_to_` with the name of the other agent. From then on
/// the other agent has the conversation: its instructions, tools, memory, hooks and limits are in
/// force. It also has the next runs of the conversation, until it hands the conversation over
/// itself: [`Conversation::standing`](crate::memory::Conversation::standing) says who has it, and
/// [`AgentOutcome::agent`](crate::AgentOutcome::agent) who has answered.
///
/// The agent of the run is around the others, so its [hooks](crate::hook::Hook) and
/// [observers](crate::observe::Observer) hold for them as well. The others may only hand over as
/// [`may_hand_to`](Self::may_hand_to) says.
///
/// ```
/// use ddg_agentic::prelude::*;
/// use ddg_agentic::react::{Carries, Handoff};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let billing = ScriptedModel::new().text("Your invoice is paid.").text("You paid it in May.");
/// let billing = ReActAutoma::new(billing).name("billing").system("You know invoices.");
/// let transfer = ToolCall::new("call_1", "transfer_to_billing", json!({ "reason": "an invoice" }));
/// let desk = ReActAutoma::new(ScriptedModel::new().calls([transfer])).name("desk").handoff(
///     Handoff::to(billing)
///         .description("Questions about invoices.")
///         .carries(Carries::LastMessages(4))
///         .may_hand_to(["desk"]),
/// );
/// let agent = Agent::new(desk)?;
/// let outcome = agent.run("ada", "Is my invoice paid?").await?;
/// assert_eq!((outcome.agent.as_str(), outcome.text().as_str()), ("billing", "Your invoice is paid."));
/// let outcome = agent.run("ada", "When?").await?;
/// assert_eq!((outcome.agent.as_str(), outcome.text().as_str()), ("billing", "You paid it in May."));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Handoff {
    agent: ReActAutoma,
    description: String,
    carries: Carries,
    may_hand_to: Vec<String>,
}

/// The part of a conversation that an agent sees to which it is handed over. All messages stay in
/// the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carries {
    /// The whole conversation.
    #[default]
    Everything,
    /// This number of messages before the handoff. A tool call is never without its result.
    LastMessages(usize),
    /// The last message of the person.
    Nothing,
}

/// A conversation was handed over. Published as the event `handoff`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HandedOver {
    /// The agent that had the conversation.
    pub from: String,
    /// The agent that has it now.
    pub to: String,
    /// Why, in the words of the model; may be empty.
    pub reason: String,
}

/// A handoff as an agent offers it to its model.
#[derive(Clone, Debug)]
pub(super) struct Transfer {
    to: String,
    description: String,
}

/// The agents of a team that are not its host, by name, as workers.
pub(super) type Members = IndexMap<String, AnyWorker>;

impl Handoff {
    /// Creates a handoff to `agent`, by its [name](ReActAutoma::name).
    pub fn to(agent: ReActAutoma) -> Self {
        Self {
            agent,
            description: String::new(),
            carries: Carries::default(),
            may_hand_to: Vec::new(),
        }
    }

    /// Sets when to hand over, for the model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the part of the conversation that the other agent sees. Defaults to all of it.
    #[must_use]
    pub fn carries(mut self, carries: Carries) -> Self {
        self.carries = carries;
        self
    }

    /// Sets the agents to which the other agent may hand the conversation over: others of the same
    /// team, or the agent that has the handoffs, by name. Defaults to none.
    #[must_use]
    pub fn may_hand_to<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.may_hand_to = names.into_iter().map(Into::into).collect();
        self
    }

    pub(super) fn read_inputs(&self) -> Vec<ToolInput> {
        self.agent.read_inputs()
    }

    fn name(&self) -> &str {
        self.agent.own_name()
    }
}

impl HandedOver {
    /// The name of the event.
    pub const NAME: &str = "handoff";
}

impl Transfer {
    fn spec(&self) -> ToolSpec {
        let parameters = json!({
            "type": "object",
            "properties": { "reason": { "type": "string", "description": "Why." } },
            "additionalProperties": false,
        });
        let description =
            format!("Hands the conversation over to {}. {}", self.to, self.description);
        ToolSpec::new(tool_name(&self.to), description.trim_end(), parameters)
    }
}

/// The name of the tool that hands over to the agent `name`.
fn tool_name(name: &str) -> String {
    let usable = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{TRANSFER}{}", name.chars().map(usable).collect::<String>())
}

impl ReActAutoma {
    /// Lets the agent hand its conversation over to another one. The two and all others that are
    /// added are a team, in which each has its own name.
    #[must_use]
    pub fn handoff(mut self, handoff: Handoff) -> Self {
        self.handoffs.push(handoff);
        self
    }

    pub(super) fn own_name(&self) -> &str {
        &self.name
    }

    /// The agents to which this agent may hand over.
    fn transfers(&self) -> Vec<Transfer> {
        let own = self.handoffs.iter().map(|handoff| Transfer {
            to: handoff.name().to_owned(),
            description: handoff.description.clone(),
        });
        own.chain(self.transfers_in_team.iter().cloned()).collect()
    }

    /// The tools that hand over.
    pub(super) fn transfer_specs(&self, turn: &Arc<TurnState>) -> Vec<ToolSpec> {
        // A child has one task; its parent reads the answer.
        match turn.config() {
            Some(_) => Vec::new(),
            None => self.transfers().iter().map(Transfer::spec).collect(),
        }
    }

    /// Faults in the settings.
    pub(super) fn handoff_faults(&self) -> Vec<String> {
        let mut names = vec![self.name.as_str()];
        let mut faults = Vec::new();
        for handoff in &self.handoffs {
            let name = handoff.name();
            if names.iter().any(|other| tool_name(other) == tool_name(name)) {
                faults.push(format!(
                    "two agents of a team are named `{name}`: give each a name of its own with `name`"
                ));
            }
            names.push(name);
            if !handoff.agent.handoffs.is_empty() {
                faults.push(format!(
                    "`{name}` has handoffs of its own: add them all to `{}`, and say with \
                     `may_hand_to` which hands over to which",
                    self.name
                ));
            }
        }
        for handoff in &self.handoffs {
            for to in &handoff.may_hand_to {
                if !names.contains(&to.as_str()) || to == handoff.name() {
                    faults.push(format!(
                        "`{}` may hand over to `{to}`, which is no other agent of the team: {}",
                        handoff.name(),
                        names.join(", ")
                    ));
                }
            }
        }
        for transfer in self.transfers() {
            let tool = tool_name(&transfer.to);
            if self.tools.contains(&tool) {
                faults.push(format!(
                    "a tool is named `{tool}`, with which the conversation is handed over: rename it"
                ));
            }
        }
        faults
    }

    /// Builds the other agents of the team, and declares them so that snapshots find them again.
    pub(super) fn declare_members(&self, graph: &mut GraphAutoma) -> Result<(), BuildError> {
        if self.handoffs.is_empty() {
            return Ok(());
        }
        let mut members = Members::new();
        for handoff in &self.handoffs {
            let name = handoff.name().to_owned();
            let mut agent = handoff.agent.clone();
            agent.mailboxes = Arc::clone(&self.mailboxes);
            agent.is_member = true;
            agent.transfers_in_team = self.transfers_of(handoff);
            if let Some(files) = &self.files
                && agent.shares_files()
            {
                agent = agent.files(files.clone());
            }
            let worker = AnyWorker::new(agent.build()?.into_graph());
            graph.declare_worker(format!("agent:{name}"), worker.clone(), free())?;
            members.insert(name, worker);
        }
        _ = self.members.set(members);
        Ok(())
    }

    fn transfers_of(&self, handoff: &Handoff) -> Vec<Transfer> {
        let to = |name: &String| Transfer {
            to: name.clone(),
            description: match self.handoffs.iter().find(|other| other.name() == name) {
                Some(other) => other.description.clone(),
                None => String::new(),
            },
        };
        handoff.may_hand_to.iter().map(to).collect()
    }

    /// The handoff that a reply asks for: the call, and the name of the other agent.
    pub(super) fn asked_handoff(
        &self,
        reply: &ChatReply,
        state: &State,
        turn: &Arc<TurnState>,
    ) -> Option<(ToolCall, String)> {
        if turn.config().is_some() {
            return None;
        }
        let transfers = self.transfers();
        reply.message.tool_calls.iter().find_map(|call| {
            let is_withheld = state.withheld.contains(&call.name);
            let to = transfers.iter().find(|transfer| tool_name(&transfer.to) == call.name)?;
            (!is_withheld).then(|| (call.clone(), to.to.clone()))
        })
    }

    /// Hands the conversation over to the agent `to`.
    pub(super) async fn hand_over(
        &self,
        mut state: State,
        reply: ChatReply,
        (asked, to): (ToolCall, String),
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        if std::mem::take(&mut state.is_held) {
            publish_whole(&reply.message, &reply, cx);
        }
        let place = state.conversation.messages.len();
        state.say(&reply.message);
        for call in &reply.message.tool_calls {
            state.conversation.messages.push(match call.id == asked.id {
                true => Message::tool_result(call, format!("handed over to {to}")),
                false => Message::tool_error(call, NOT_CALLED),
            });
        }
        let reason = match &asked.arguments {
            ToolArguments::Json(arguments) => arguments.get("reason").and_then(Json::as_str),
            ToolArguments::Malformed(_) => None,
        };
        let reason = reason.unwrap_or_default().to_owned();
        cx.emit(HandedOver::NAME, HandedOver { from: self.name.clone(), to: to.clone(), reason });
        if self.is_member {
            self.end(state, AgentEnd::HandedOver { to, place }, turn, cx).await;
            return Ok(());
        }
        self.pass_to(state, to, place, turn, cx).await
    }

    /// Continues with the agent `to`, which was asked for by the message at `place`.
    async fn pass_to(
        &self,
        mut state: State,
        to: String,
        place: usize,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<(), AgentFailed> {
        state.n_handoffs += 1;
        if state.n_handoffs > self.limits.handoffs {
            let (limit, reached) = (Limit::Handoffs, format!("{} handoffs", self.limits.handoffs));
            let end = AgentEnd::StoppedByLimit { limit, reached };
            return Err(self.fail(state, end, None, turn, cx).await);
        }
        let carries = self.handoffs.iter().find(|handoff| handoff.name() == to);
        let from = match carries.map(|handoff| handoff.carries) {
            Some(Carries::LastMessages(most)) => place.saturating_sub(most),
            Some(Carries::Nothing) => place,
            Some(Carries::Everything) | None => 0,
        };
        state.conversation.standing.active = Some(ActiveAgent::new(to, from));
        self.begin_active(state, cx);
        Ok(())
    }

    /// Whether another agent of the team has the conversation.
    pub(super) fn has_active(&self, state: &mut State) -> bool {
        let Some(active) = &state.conversation.standing.active else { return false };
        let members = self.members.get();
        if members.is_some_and(|members| members.contains_key(&active.name)) {
            return true;
        }
        // A member keeps what its host has written there.
        if !self.is_member {
            tracing::warn!(agent = %active.name, "the agent of a conversation does not exist any more");
            state.conversation.standing.active = None;
        }
        false
    }

    /// Lets the agent that has the conversation continue.
    pub(super) fn begin_active(&self, mut state: State, cx: &Context) {
        let active = state.conversation.standing.active.clone();
        let worker = active.as_ref().and_then(|active| self.members.get()?.get(&active.name));
        let (Some(active), Some(worker)) = (active, worker) else { return };
        state.n_begun += 1;
        let number = match state.nth {
            None | Some(0) => state.n_begun.to_string(),
            Some(nth) => format!("{}_of_{nth}", state.n_begun),
        };
        let key = format!("agent_{}_{number}", active.name);
        let task = Task {
            conversation: state.conversation.clone(),
            messages: Vec::new(),
            mailbox: state.mailbox.clone(),
            nth: state.nth,
            from: active.from,
            n_admitted: Some(state.n_admitted),
        };
        cx.add_worker(key.clone(), worker.clone(), free());
        cx.ferry_to(key.clone(), (task,));
        Self::take_back_after(key, cx);
        state.keep(cx);
    }

    /// Continues with the outcome of another agent of the team. Returns the state if this agent has
    /// the conversation again.
    pub(super) async fn hear_member(
        &self,
        mut state: State,
        outcome: AgentOutcome,
        turn: &Arc<TurnState>,
        cx: &Context,
    ) -> Result<Option<State>, AgentFailed> {
        let AgentOutcome { end, conversation, usage, turns, agent, files, .. } = outcome;
        state.n_admitted = conversation.messages.len();
        state.conversation = conversation;
        state.usage += usage;
        state.n_turns_of_others += turns;
        state.files.extend(files);
        match end {
            AgentEnd::HandedOver { to, .. }
                if to == self.name && state.n_handoffs < self.limits.handoffs =>
            {
                state.n_handoffs += 1;
                state.conversation.standing.active = None;
                state.answered_by = None;
                Ok(Some(state))
            }
            AgentEnd::HandedOver { to, place } => {
                self.pass_to(state, to, place, turn, cx).await?;
                Ok(None)
            }
            end => {
                state.answered_by = Some(agent);
                self.end(state, end, turn, cx).await;
                Ok(None)
            }
        }
    }
}

/// Converts faults of handoffs.
pub(super) fn faults_of(agent: &ReActAutoma) -> impl Iterator<Item = Fault> {
    agent.handoff_faults().into_iter().map(|what| Fault::Refused { what })
}
