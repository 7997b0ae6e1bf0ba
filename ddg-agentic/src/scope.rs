//! The scope of a run of an agent: its hooks, observers and span, found by everything inside it.

mod chain;
mod model_act;
mod tool_act;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use ddg_core::Context;
use ddg_core::context::LocalSpace;
use ddg_core::run::{ActiveRun, RunEnd, RunScope};
use tracing::Span;

pub(crate) use chain::{Asked, Called};
pub(crate) use model_act::ModelAct;
pub(crate) use tool_act::{CallAct, ToolAct};

use crate::gen_ai::AgentSpan;
use crate::hook::{DynHook, HookRun, HookStop};
use crate::model::{ChatModel, Usage};
use crate::observe::{Feeds, Moment, MomentKind, ObserverRef};

/// The hooks, observers and span of a run of an agent. It is attached to the run, so everything
/// inside the run finds it, and the scope of an agent inside knows the scope around it.
pub(crate) struct Scope {
    /// The name of the agent.
    agent: String,
    around: Option<Arc<Scope>>,
    /// The hooks in the order in which they decide.
    links: Vec<Link>,
    /// The local space with which decisions are saved.
    space: Option<LocalSpace>,
    /// For a run without a local space.
    unsaved: Mutex<Option<HookStop>>,
    feeds: Feeds,
    /// The path of the run inside the outermost run.
    run: String,
    conversation: Arc<OnceLock<String>>,
    span: Arc<AgentSpan>,
    records_content: bool,
}

/// The settings of an agent for the scopes of its runs.
pub(crate) struct Scoped<'a> {
    pub(crate) agent: &'a str,
    pub(crate) model: &'a dyn ChatModel,
    pub(crate) hooks: &'a [Arc<dyn DynHook>],
    pub(crate) observers: &'a [ObserverRef],
    pub(crate) records_content: bool,
}

/// A hook with the scope that it stops.
struct Link {
    hook: Arc<dyn DynHook>,
    /// `None` for the scope itself.
    owner: Option<Arc<Scope>>,
}

/// The scope around a run that a tool has begun by itself.
#[derive(Clone)]
pub(crate) struct Inherited {
    scope: Arc<Scope>,
    /// The span of the tool call.
    span: Span,
}

/// The result of a gate.
#[derive(Debug)]
pub(crate) enum Gate<T> {
    Pass(T),
    Refused { hook: String, why: String },
}

/// The local value with the reason why a hook stops the run.
const STOP: &str = "hook_stop";

/// The local value with what a person always allows.
const ALLOWED: &str = "always_allowed";

impl Scope {
    /// Creates the scope of a run of `agent`. Its decisions are saved in the local space of
    /// `worker`.
    pub(crate) fn new(of: &Scoped<'_>, run: &ActiveRun, worker: &str) -> Self {
        let Scoped { agent, hooks, .. } = *of;
        let inside = run.attached_around::<Self>();
        let inherited = match inside {
            Some(_) => None,
            None => run.attached::<Inherited>(),
        };
        let around = inside.or_else(|| inherited.as_ref().map(|of| Arc::clone(&of.scope)));
        let outer = around.iter().flat_map(|around| {
            around.links.iter().map(|link| Link {
                hook: Arc::clone(&link.hook),
                owner: Some(link.owner.clone().unwrap_or_else(|| Arc::clone(around))),
            })
        });
        let outer: Vec<_> = outer.collect();
        let is_outer = |hook: &Arc<dyn DynHook>| {
            let same = |link: &Link| std::ptr::addr_eq(Arc::as_ptr(&link.hook), Arc::as_ptr(hook));
            outer.iter().any(same)
        };
        let own = hooks.iter().filter(|hook| !is_outer(hook));
        let own = own.map(|hook| Link { hook: Arc::clone(hook), owner: None });
        let links = own.collect::<Vec<_>>().into_iter().chain(outer).collect();
        let feeds = Feeds::new(of.observers, around.as_ref().map(|around| &around.feeds));
        let parent = match &around {
            Some(_) if inherited.is_some() => {
                inherited.as_ref().map_or_else(|| run.span(), |of| of.span.clone())
            }
            // The call of a tool is between an agent and an agent among its tools.
            Some(around) => match run.attached_around::<CallAct>() {
                Some(call) if call.is_within(around) => call.span(),
                _ => around.span.span().clone(),
            },
            None => run.span(),
        };
        let span = Arc::new(AgentSpan::new(&parent, agent, of.model));
        let scope = Self {
            agent: agent.to_owned(),
            around,
            links,
            space: run.local_space(worker),
            unsaved: Mutex::default(),
            feeds,
            run: run.path().map(ToString::to_string).unwrap_or_default(),
            conversation: Arc::default(),
            span: Arc::clone(&span),
            records_content: of.records_content,
        };
        scope.tell(MomentKind::RunStarted);
        let (agent, path) = (scope.path(), scope.run.clone());
        let feeds = scope.feeds.clone();
        let (conversation, around) = (Arc::clone(&scope.conversation), scope.around.clone());
        let records_content = of.records_content;
        run.at_end(move |end| {
            let around = around.as_ref().and_then(|around| around.conversation());
            let conversation = conversation.get().map(String::as_str).or(around);
            let conversation = conversation.map(str::to_owned);
            match end {
                // The message of an error can be what a tool or a model says.
                RunEnd::Failed { error } if records_content => span.failed("_OTHER", error),
                RunEnd::Failed { .. } => span.failed("_OTHER", "the run failed"),
                RunEnd::Cancelled => span.failed("cancelled", "cancelled"),
                _ => {}
            }
            let end = end.clone();
            let kind = match end.is_error() {
                true => MomentKind::RunFailed { end },
                false => MomentKind::RunEnded { end },
            };
            feeds.tell(&Moment { agent, run: path, conversation, kind });
        });
        scope
    }

    /// The scope around a worker.
    pub(crate) fn of(cx: &Context) -> Option<Arc<Self>> {
        let inherited = || cx.attached::<Inherited>().map(|of| Arc::clone(&of.scope));
        cx.attached::<Self>().or_else(inherited)
    }

    /// The scope around a run.
    pub(crate) fn around(run: &ActiveRun) -> Option<Arc<Self>> {
        let inherited = || run.attached::<Inherited>().map(|of| Arc::clone(&of.scope));
        run.attached_around::<Self>().or_else(inherited)
    }

    /// What runs get that a tool begins by itself, whose call has this span: they are inside this
    /// run.
    pub(crate) fn of_begun(self: &Arc<Self>, span: Span) -> RunScope {
        let inherited = Inherited { scope: Arc::clone(self), span };
        RunScope::new().attach(move |_| inherited.clone())
    }

    /// Tells the observers what happens.
    pub(crate) fn tell(&self, kind: MomentKind) {
        if !self.feeds.is_empty() {
            self.feeds.tell(&Moment {
                agent: self.path(),
                run: self.run.clone(),
                conversation: self.conversation().map(str::to_owned),
                kind,
            });
        }
    }

    /// Whether there are observers.
    pub(crate) fn is_observed(&self) -> bool {
        !self.feeds.is_empty()
    }

    /// The id of the conversation.
    pub(crate) fn conversation(&self) -> Option<&str> {
        let own = self.conversation.get().map(String::as_str);
        own.or_else(|| self.around.as_ref()?.conversation())
    }

    /// Sets the id of the conversation.
    pub(crate) fn is_about(&self, conversation: Option<&str>) {
        if let Some(id) = conversation
            && self.conversation.set(id.to_owned()).is_ok()
        {
            self.span.conversation(id);
        }
    }

    /// The span of the run.
    pub(crate) fn span(&self) -> &Span {
        self.span.span()
    }

    pub(crate) fn records_content(&self) -> bool {
        self.records_content
    }

    /// Records the usage of the run.
    pub(crate) fn used(&self, usage: Usage) {
        self.span.usage(usage);
    }

    /// The scope around a worker, if it has hooks.
    pub(crate) fn with_hooks(cx: &Context) -> Option<Arc<Self>> {
        Self::of(cx).filter(|scope| !scope.links.is_empty())
    }

    /// Whether the pieces of a reply may be published before the hooks have decided.
    pub(crate) fn passes_pieces(&self) -> bool {
        self.links.iter().all(|link| link.hook.passes_pieces())
    }

    /// The names of the agents from the outermost one to this one.
    pub(crate) fn path(&self) -> String {
        match &self.around {
            Some(around) => format!("{}/{}", around.path(), self.agent),
            None => self.agent.clone(),
        }
    }

    /// The scope of the outermost run.
    fn root(&self) -> &Self {
        self.around.as_ref().map_or(self, |around| around.root())
    }

    /// Whether no agent is around this one.
    pub(crate) fn is_root(&self) -> bool {
        self.around.is_none()
    }

    /// Begins a run: forgets what was kept of the run before, and takes what the person has always
    /// allowed in the conversation.
    pub(crate) fn begins(&self, allowed: &BTreeSet<String>) {
        let Some(space) = &self.space else { return };
        space.remove(STOP);
        space.remove(ALLOWED);
        if self.is_root() && !allowed.is_empty() {
            space.set(ALLOWED, allowed.clone());
        }
    }

    /// What the person always allows.
    pub(crate) fn allowed(&self) -> BTreeSet<String> {
        let space = self.root().space.as_ref();
        space.and_then(|space| space.get(ALLOWED)).unwrap_or_default()
    }

    /// Remembers that the person always allows these.
    pub(crate) fn allow(&self, keys: impl IntoIterator<Item = String>) {
        if let Some(space) = &self.root().space {
            space.update(ALLOWED, |allowed: &mut BTreeSet<String>| allowed.extend(keys));
        }
    }

    /// Why a hook has stopped this run, or a run around it.
    pub(crate) fn stopped(&self) -> Option<HookStop> {
        if self.links.is_empty() {
            return None;
        }
        let saved = self.space.as_ref().and_then(|space| space.get(STOP));
        let stop = saved.or_else(|| lock(&self.unsaved).clone());
        stop.or_else(|| self.around.as_ref()?.stopped())
    }

    /// Stops the run of the hook of `link`.
    fn stop(&self, link: &Link, stop: HookStop) -> HookStop {
        let owner = link.owner.as_deref().unwrap_or(self);
        match &owner.space {
            Some(space) => {
                space.update(STOP, |first: &mut Option<HookStop>| {
                    first.get_or_insert_with(|| stop.clone());
                });
            }
            None => _ = lock(&owner.unsaved).get_or_insert_with(|| stop.clone()),
        }
        stop
    }

    /// The run in which the hook of `link` decides.
    fn seen_by(&self, link: &Link, cx: &Context) -> HookRun {
        HookRun { agent: self.agent.clone(), is_own: link.owner.is_none(), cx: cx.clone() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks: Vec<_> = self.links.iter().map(|link| link.hook.name()).collect();
        write!(f, "Scope({}, {hooks:?})", self.path())
    }
}
