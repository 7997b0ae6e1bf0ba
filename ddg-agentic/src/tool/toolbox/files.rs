//! The file manager of a toolbox.

use std::sync::Arc;
use std::time::Duration;

use super::{Offered, Source, Toolbox, ToolboxError, ToolboxFault, Tools};
use crate::files::FileManager;
use crate::tool::automa::call_automa;

impl Toolbox {
    /// The file manager of the tools.
    pub(crate) fn files(&self) -> Option<FileManager> {
        self.0.states.files()
    }

    /// Whether a tool cannot be called without a file manager.
    pub(crate) fn needs_files(&self) -> bool {
        let mut offered = self.0.offered.values();
        offered.any(|offered| offered.entry.tool.file_use().needs_manager)
    }

    /// The time that URLs of files must be valid, if a tool asks for URLs.
    pub(crate) fn file_urls(&self) -> Option<Duration> {
        self.0.offered.values().filter_map(|offered| offered.entry.options.file_urls).max()
    }

    /// Whether the tool runs at the provider.
    pub(crate) fn is_at_provider(&self, tool: &str) -> bool {
        self.entry(tool).is_some_and(|entry| entry.options.at_provider)
    }

    /// The same tools with this file manager. Both toolboxes share their limits of concurrent
    /// calls.
    pub(crate) fn with_files(&self, files: &FileManager) -> Result<Self, ToolboxError> {
        let states = self.0.states.clone().with_files(files.clone());
        let mut faults = Vec::new();
        let own = self.0.offered.values().map(|offered| offered.entry.spec.clone());
        let again = |source: &Arc<Source>| Arc::new(source.for_other_states());
        let mut tools = Tools {
            specs: own.collect(),
            states,
            sources: self.0.sources.iter().map(again).collect(),
            picks: self.0.picks.clone(),
            ..Tools::default()
        };
        for (name, Offered { entry, .. }) in &self.0.offered {
            let entry = match entry.with_states(&tools.states) {
                Ok(entry) => Arc::new(entry),
                Err(missing) => {
                    let fault = ToolboxFault::MissingState { tool: name.clone(), ty: missing.ty };
                    faults.push(fault);
                    continue;
                }
            };
            let automa = entry.tool.as_automa().map(|automa| call_automa(&entry, automa));
            match automa.transpose() {
                Ok(automa) => _ = tools.offered.insert(name.clone(), Offered { entry, automa }),
                Err(error) => faults.push(ToolboxFault::Automa { tool: name.clone(), error }),
            }
        }
        if faults.is_empty() { Ok(Self(Arc::new(tools))) } else { Err(ToolboxError { faults }) }
    }
}
