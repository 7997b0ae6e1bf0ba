//! The builder of toolboxes.

use std::any::type_name;
use std::sync::Arc;

use indexmap::IndexMap;
use indexmap::map::Entry as Place;

use super::{Entry, Offered, Source, Toolbox, ToolboxError, ToolboxFault, Tools};
use crate::tool::automa::call_automa;
use crate::tool::{States, Tool, ToolOptions, ToolSource};

/// The builder of a toolbox, created by [`Toolbox::builder`].
///
/// ```
/// use ddg_agentic::{Toolbox, tool};
/// use ddg_agentic::tool::ToolOptions;
///
/// /// Pays somebody.
/// #[tool]
/// async fn pay(to: String, euros: u32) -> String {
///     format!("{to} has {euros} euros more")
/// }
///
/// let error = Toolbox::builder()
///     .with_options(pay::tool(), ToolOptions::new().approval())
///     .with(pay::tool())
///     .build()
///     .unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "toolbox: two tools are named `pay`: a model could not tell them apart; rename one",
/// );
/// ```
#[derive(Default)]
pub struct ToolboxBuilder {
    tools: Vec<(Arc<dyn Tool>, ToolOptions)>,
    sources: Vec<Arc<Source>>,
    states: States,
    faults: Vec<ToolboxFault>,
}

impl ToolboxBuilder {
    /// Adds a tool.
    #[must_use]
    pub fn with(self, tool: impl Tool) -> Self {
        self.with_options(tool, ToolOptions::new())
    }

    /// Adds a tool with options.
    #[must_use]
    pub fn with_options(mut self, tool: impl Tool, options: ToolOptions) -> Self {
        self.tools.push((Arc::new(tool), options));
        self
    }

    /// Adds tools of one type, in order.
    #[must_use]
    pub fn with_all<T: Tool>(self, tools: impl IntoIterator<Item = T>) -> Self {
        tools.into_iter().fold(self, Self::with)
    }

    /// Adds a source of tools that may change while an agent runs, such as an MCP server. Its tools
    /// come after the others, and a name that is taken is left out.
    #[must_use]
    pub fn source(self, source: impl ToolSource) -> Self {
        self.source_with_options(source, ToolOptions::new())
    }

    /// Adds a source whose tools have these options.
    #[must_use]
    pub fn source_with_options(mut self, source: impl ToolSource, options: ToolOptions) -> Self {
        self.sources.push(Arc::new(Source::new(Arc::new(source), options)));
        self
    }

    /// Adds a state for the tools that have a parameter [`State<T>`](crate::tool::State), whether
    /// they were added before or after.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(self, state: T) -> Self {
        self.shared_state(Arc::new(state))
    }

    /// Adds a state that is shared with other code.
    #[must_use]
    pub fn shared_state<T: Send + Sync + 'static>(mut self, state: Arc<T>) -> Self {
        if !self.states.insert(state) {
            self.faults.push(ToolboxFault::DuplicateState { ty: type_name::<T>() });
        }
        self
    }

    /// Builds the toolbox.
    ///
    /// # Errors
    /// All faults together: names that are taken or that providers refuse, missing descriptions and
    /// states, and parameters without a schema of an object.
    pub fn build(self) -> Result<Toolbox, ToolboxError> {
        let Self { tools, sources, states, mut faults } = self;
        let mut offered = IndexMap::new();
        for (tool, options) in tools {
            let Some(entry) = Entry::new(tool, options, &states, &mut faults) else { continue };
            let entry = Arc::new(entry);
            let automa = entry.tool.as_automa().map(|automa| call_automa(&entry, automa));
            let automa = automa.transpose().unwrap_or_else(|error| {
                faults.push(ToolboxFault::Automa { tool: entry.name().to_owned(), error });
                None
            });
            match offered.entry(entry.name().to_owned()) {
                Place::Occupied(taken) => {
                    faults.push(ToolboxFault::DuplicateName { name: taken.key().clone() });
                }
                Place::Vacant(place) => {
                    place.insert(Offered { entry, automa });
                }
            }
        }
        if !faults.is_empty() {
            return Err(ToolboxError { faults });
        }
        let specs = offered.values().map(|offered| offered.entry.spec.clone()).collect();
        Ok(Toolbox(Arc::new(Tools { offered, specs, states, sources, ..Tools::default() })))
    }
}
