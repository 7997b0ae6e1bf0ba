//! The tools of a toolbox that come from sources, as they are when somebody needs them.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::join_all;
#[cfg(feature = "mcp")]
use futures::future::select_all;
use indexmap::IndexMap;
use tokio::sync::Semaphore;

use super::{Entry, Toolbox, Tools};
use crate::tool::{States, ToolError, ToolList, ToolOptions, ToolSource, ToolSpec};

/// A source of a toolbox, with the tools that it had when it was asked last.
pub(super) struct Source {
    source: Arc<dyn ToolSource>,
    options: ToolOptions,
    listed: Mutex<Listed>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Listed {
    list: Option<ToolList>,
    entries: Arc<Entries>,
}

/// What outlasts a change of the list.
#[derive(Default)]
struct Known {
    /// The places of concurrent calls, by tool.
    turns: BTreeMap<String, Arc<Semaphore>>,
    /// The names of tools that were left out with a warning.
    left_out: BTreeSet<String>,
}

/// Tools by name, in order.
pub(super) type Entries = IndexMap<String, Arc<Entry>>;

/// A choice among the tools of sources, by name.
#[derive(Clone)]
pub(super) enum Pick {
    Only(Arc<[String]>),
    Without(Arc<[String]>),
}

impl Source {
    pub(super) fn new(source: Arc<dyn ToolSource>, options: ToolOptions) -> Self {
        Self { source, options, listed: Mutex::default(), known: Arc::default() }
    }

    /// The same source for a toolbox with other states.
    pub(super) fn for_other_states(&self) -> Self {
        Self {
            source: Arc::clone(&self.source),
            options: self.options.clone(),
            listed: Mutex::default(),
            known: Arc::clone(&self.known),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.source.name()
    }

    /// The tools that the source has now, or had before if it fails, and their list as it came.
    async fn entries(&self, states: &States) -> (Arc<Entries>, Option<ToolList>) {
        let asked = AssertUnwindSafe(async { self.source.tools().await }).catch_unwind().await;
        let asked = asked.unwrap_or_else(|_| Err(ddg_core::WorkerError::msg("it panicked")));
        let mut listed = lock(&self.listed);
        let list = match asked {
            Ok(list) => list,
            Err(error) => {
                let source = self.name();
                tracing::warn!(source, %error, "a source of tools failed, and keeps its last ones");
                return (Arc::clone(&listed.entries), listed.list.clone());
            }
        };
        let is_same = |last: &ToolList| Arc::ptr_eq(last, &list);
        if !listed.list.as_ref().is_some_and(is_same) {
            *listed = self.listed(list, states);
        }
        (Arc::clone(&listed.entries), listed.list.clone())
    }

    /// Checks the tools of a list.
    fn listed(&self, list: ToolList, states: &States) -> Listed {
        let mut entries = Entries::new();
        for tool in &*list {
            let name = tool.spec().name.clone();
            if tool.as_automa().is_some() {
                let why = "it is an automa: add it to the toolbox itself";
                self.leave_out(&name, why);
                continue;
            }
            let mut faults = Vec::new();
            let entry = Entry::new(Arc::clone(tool), self.options.clone(), states, &mut faults);
            match entry {
                Some(_) if entries.contains_key(&name) => {
                    self.leave_out(&name, "another tool of the source has its name");
                }
                Some(entry) => {
                    let mut known = lock(&self.known);
                    known.left_out.remove(&name);
                    entries.insert(name, Arc::new(entry.sharing_turns(&mut known.turns)));
                }
                None => {
                    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                    self.leave_out(&name, &faults.join("; "));
                }
            }
        }
        let mut known = lock(&self.known);
        known.turns.retain(|name, _| entries.contains_key(name));
        known.left_out.retain(|name| list.iter().any(|tool| tool.spec().name == *name));
        drop(known);
        Listed { list: Some(list), entries: Arc::new(entries) }
    }

    /// Warns that a tool is left out, once until it is not.
    fn leave_out(&self, tool: &str, why: &str) {
        if lock(&self.known).left_out.insert(tool.to_owned()) {
            let source = self.name();
            tracing::warn!(source, tool, why, "a tool of a source is left out");
        }
    }
}

impl Pick {
    fn keeps(&self, name: &str) -> bool {
        match self {
            Self::Only(names) => names.iter().any(|only| only == name),
            Self::Without(names) => names.iter().all(|without| without != name),
        }
    }
}

impl Toolbox {
    /// This toolbox with the tools that its [sources](ToolSource) have now, which
    /// [`specs`](Self::specs), [`names`](Self::names) and [`contains`](Self::contains) then show.
    /// Without sources it is this toolbox.
    ///
    /// # Cancel safety
    /// Nothing changes if the future is dropped.
    pub async fn now(&self) -> Self {
        self.now_beside(|_| false).await
    }

    /// As [`now`](Self::now), without tools whose names are taken.
    pub(crate) async fn now_beside(&self, is_taken: impl Fn(&str) -> bool) -> Self {
        let tools = &self.0;
        if tools.sources.is_empty() {
            return self.clone();
        }
        let asked = join_all(tools.sources.iter().map(|source| source.entries(&tools.states)));
        let mut sourced = Entries::new();
        let mut lists = Vec::with_capacity(tools.sources.len());
        for (source, (entries, list)) in tools.sources.iter().zip(asked.await) {
            lists.push(list);
            for (name, entry) in entries.iter().filter(|(name, _)| tools.keeps(name)) {
                if is_taken(name) || tools.offered.contains_key(name) || sourced.contains_key(name)
                {
                    let why = "its name is taken: give the source a prefix, if it has one";
                    source.leave_out(name, why);
                } else {
                    sourced.insert(name.clone(), Arc::clone(entry));
                }
            }
        }
        let own = tools.offered.values().map(|offered| &offered.entry);
        let specs = own.chain(sourced.values()).map(|entry| entry.spec.clone()).collect();
        Self(Arc::new(Tools { specs, sourced, is_asked: true, lists, ..tools.shared() }))
    }

    /// Waits until a source may have other tools than those of this toolbox, which is one that
    /// [`now`](Self::now) has given. It waits for ever without such sources.
    ///
    /// # Cancel safety
    /// No change is missed if the future is dropped.
    #[cfg(feature = "mcp")]
    pub(crate) async fn changed(&self) {
        let sources = self.0.sources.iter().zip(&self.0.lists);
        let changes: Vec<_> = sources
            .filter_map(|(source, list)| Some(source.source.changed(list.as_ref()?)))
            .collect();
        match changes.is_empty() {
            true => std::future::pending().await,
            false => drop(select_all(changes).await),
        }
    }

    /// Whether the sources of this toolbox have given the same lists to the other one.
    #[cfg(feature = "mcp")]
    pub(crate) fn is_of_same_lists(&self, other: &Self) -> bool {
        let is_same = |(one, other): (&Option<ToolList>, &Option<ToolList>)| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.0.lists.iter().zip(&other.0.lists).all(is_same)
    }

    /// Whether tools come from sources.
    pub(crate) fn has_sources(&self) -> bool {
        !self.0.sources.is_empty()
    }

    /// Whether there is a tool `name`, or a source could have it.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.contains(name) || self.has_sources() && self.0.keeps(name)
    }

    /// The tools that come from sources; none before the sources were asked.
    pub(crate) fn sourced_specs(&self) -> impl Iterator<Item = &ToolSpec> {
        self.0.sourced.values().map(|entry| &entry.spec)
    }

    /// The tool `name`. Sources are asked for it.
    pub(super) async fn found(&self, name: &str) -> Result<Arc<Entry>, ToolError> {
        if let Some(offered) = self.0.offered.get(name) {
            return Ok(Arc::clone(&offered.entry));
        }
        let now = self.now().await;
        if let Some(entry) = now.0.sourced.get(name) {
            return Ok(Arc::clone(entry));
        }
        let known = now.names().map(str::to_owned).collect();
        Err(match self.has_sources() {
            true => ToolError::Gone { name: name.to_owned(), known },
            false => ToolError::unknown(name, known),
        })
    }
}

impl Tools {
    /// Whether a tool of a source is among the chosen ones.
    fn keeps(&self, name: &str) -> bool {
        self.picks.iter().all(|pick| pick.keeps(name))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
