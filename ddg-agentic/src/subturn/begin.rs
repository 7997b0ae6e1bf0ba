//! How a child begins: the checks of its configuration, and its slot.

use std::sync::Arc;

use ddg_core::Context;
use ddg_core::run::Question;
use ddg_core::snapshot::Snapshot;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::child::UnderWay;
use super::ledger::{Begun, Kind, Origin};
use super::state::TurnState;
use super::{ChildResult, ChildTools, Delivery, SubTurn, SubTurnError};
use crate::model::ChatModel;
use crate::tool::Toolbox;

/// The resolved agent and model of a child.
pub(super) struct Made {
    /// The name of its agent.
    pub(super) agent: String,
    /// The name of its model.
    pub(super) model: String,
    pub(super) switched: Option<Arc<dyn ChatModel>>,
}

/// Result of beginning a child.
pub(super) enum Started {
    /// The child is active.
    UnderWay { id: String, under_way: UnderWay },
    /// The child had begun before its parent was continued, and the parent repeats that execution.
    Again { id: String, result: Option<ChildResult> },
    /// The same, and the child waits for a person.
    Waits,
}

impl TurnState {
    /// Begins a child, after waiting for a slot.
    ///
    /// # Errors
    /// If the child may not begin. No child exists then.
    ///
    /// # Cancel safety
    /// If the future is dropped, no child has begun.
    pub(super) async fn begin(
        self: &Arc<Self>,
        config: SubTurn,
        kind: Kind,
        origin: Origin,
        cx: &Context,
    ) -> Result<Started, SubTurnError> {
        self.check_open()?;
        if let Some(max) = self.settings.depth.filter(|max| self.depth >= *max) {
            let (parent, child) = (&self.name, config.agent_name().unwrap_or(&self.agent.name));
            let depth = self.depth;
            tracing::warn!(%parent, %child, depth, max, "a child agent would be too deep");
            return Err(SubTurnError::DepthLimit { depth: self.depth, max });
        }
        let made = self.make(&config)?;
        self.recover().await;
        let origin = self.origin(origin);
        if !self.is_new()
            && let Some((id, result)) = self.with(|ledger, _| ledger.find(&origin, &config))
        {
            if let Some(begun) = self.with(|ledger, _| ledger.claim(&id))
                && kind == Kind::Spawned
            {
                self.go_on(&id, begun, None);
            }
            return self.again(id, result, kind, made, cx).await;
        }
        let slot = self.slot().await?;
        let begun = Begun {
            origin,
            kind,
            config: config.clone(),
            agent: made.agent.clone(),
            model: made.model.clone(),
            within: self.run.kickoffs(),
        };
        let id = self.with(|ledger, events| {
            if ledger.is_over() || self.is_resting() {
                return Err(SubTurnError::OutsideTurn);
            }
            if self.control.cancelled().is_cancelled() {
                return Err(SubTurnError::Cancelled);
            }
            let id = ledger.begin(begun.clone());
            events.push_back(self.spawned(&id, config));
            Ok(id)
        })?;
        let under_way = self.start(&id, begun, &made, slot, None);
        Ok(Started::UnderWay { id, under_way })
    }

    /// Returns a child that had begun before the run was continued.
    async fn again(
        self: &Arc<Self>,
        id: String,
        result: Option<ChildResult>,
        kind: Kind,
        made: Made,
        cx: &Context,
    ) -> Result<Started, SubTurnError> {
        // A spawned child that has not ended was begun again by `recover`.
        if result.is_some() || kind == Kind::Spawned {
            return Ok(Started::Again { id, result });
        }
        let Some((begun, rests)) = self.with(|ledger, _| ledger.unfinished(&id)) else {
            return Ok(Started::Again { id, result: None });
        };
        let answered = rests.as_ref().and_then(|rests| answered(&id, rests, cx));
        if answered.is_none() && rests.as_ref().is_some_and(asks) {
            return Ok(Started::Waits);
        }
        let slot = self.slot().await?;
        self.with(|_, events| events.push_back(self.spawned(&id, begun.config.clone())));
        let under_way = self.start(&id, begun, &made, slot, answered.or(rests));
        Ok(Started::UnderWay { id, under_way })
    }

    /// Checks the configuration of a child, and resolves its agent and model.
    pub(super) fn make(&self, config: &SubTurn) -> Result<Made, SubTurnError> {
        let invalid = |why: String| SubTurnError::InvalidConfig { why };
        if Handle::try_current().is_err() {
            return Err(invalid("it runs as a task of its own: run within a tokio runtime".into()));
        }
        let settings = &self.settings;
        let named = config.agent_name().map(|name| {
            let known = || settings.agents.keys().map(String::as_str).collect::<Vec<_>>();
            let found = settings.agents.get(name);
            found.ok_or_else(|| invalid(unknown("agent", name, &known())))
        });
        let named = named.transpose()?;
        let switched = config.model_name().map(|name| {
            let switched = || self.model().switched(name);
            let known = || settings.models.keys().map(String::as_str).collect::<Vec<_>>();
            let model = settings.models.get(name).cloned().or_else(switched);
            model.ok_or_else(|| invalid(unknown("model", name, &known())))
        });
        let switched = switched.transpose()?;
        if let (ChildTools::These(names), None) = (config.which_tools(), named) {
            let missing = names.iter().find(|name| !self.tools().may_have(name));
            if let Some(name) = missing {
                let known: Vec<_> = self.tools().names().collect();
                return Err(invalid(unknown("tool", name, &known)));
            }
        }
        if config.goes_to() != Delivery::Parent && !settings.reaches_user() {
            let why = "its result is for the user, and nobody shows it: set `SubTurns::to_user`";
            return Err(invalid(why.into()));
        }
        let model = match (&switched, named) {
            (Some(model), _) => model.name().to_owned(),
            (None, Some(named)) => named.model.clone(),
            (None, None) => self.model().name().to_owned(),
        };
        let agent = config.agent_name().unwrap_or(&self.agent.name).to_owned();
        // A child of the same agent asks the model of its parent.
        let inherited = || named.is_none().then(|| Arc::clone(self.model()));
        Ok(Made { agent, model, switched: switched.or_else(inherited) })
    }

    /// Waits for a slot, if the number of active children is limited.
    async fn slot(&self) -> Result<Option<OwnedSemaphorePermit>, SubTurnError> {
        let Some(slots) = &self.slots else { return Ok(None) };
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return Ok(Some(slot));
        }
        let place = async {
            let place = Arc::clone(slots).acquire_owned();
            let place = self.control.cancelled().run_until_cancelled(place).await;
            match place {
                Some(Ok(slot)) => Ok(Some(slot)),
                Some(Err(_)) | None => Err(SubTurnError::Cancelled),
            }
        };
        match self.settings.slot_wait {
            None => place.await,
            Some(waited) => timeout(waited, place).await.unwrap_or_else(|_| {
                let slots = self.settings.slots.unwrap_or_default();
                Err(SubTurnError::SlotTimeout { slots, waited })
            }),
        }
    }
}

/// Whether a paused run asks a person.
pub(super) fn asks(run: &Snapshot) -> bool {
    !run.questions().is_empty()
}

/// The paused run of a child with answers to its questions, if the execution of `cx` was
/// interrupted because of them.
pub(super) fn answered(id: &str, rests: &Snapshot, cx: &Context) -> Option<Snapshot> {
    let given = cx.resumed_inside(&id.into())?;
    let open = given.questions();
    let is_answered = |question: &Question| {
        let is_open = open.iter().any(|open| open.id == question.id);
        !is_open && given.clone().withdraw_answer(&question.id).is_ok()
    };
    rests.questions().iter().any(is_answered).then_some(given)
}

/// Formats: there is no model `x`; there are: a, b.
fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match known {
        [] => format!("there is no {what} `{name}`; there are none"),
        known => format!("there is no {what} `{name}`; there are: {}", known.join(", ")),
    }
}

impl ChildTools {
    /// The tools of a child, out of `all`. If the child is of the same agent as its parent, they
    /// are out of `parents`, the tools of the parent.
    pub(super) fn of(&self, all: &Toolbox, parents: Option<&Toolbox>) -> Toolbox {
        let inherited = parents.unwrap_or(all);
        match self {
            Self::These(names) if !names.is_empty() => inherited.only(names),
            Self::Inherit | Self::These(_) => inherited.clone(),
            Self::None => Toolbox::default(),
        }
    }
}
