//! A part of a toolbox.

use std::sync::Arc;

use super::{Pick, Toolbox};

impl Toolbox {
    /// The tools with these names, in the order of this toolbox, and no others of its
    /// [sources](crate::tool::ToolSource), also later. They share their limits of concurrent calls
    /// with the tools of this toolbox.
    #[must_use]
    pub fn only<T: AsRef<str>>(&self, names: &[T]) -> Self {
        self.filtered(
            |name| names.iter().any(|wanted| wanted.as_ref() == name),
            || Pick::Only(owned(names)),
        )
    }

    /// All tools but those that are named.
    #[must_use]
    pub fn without<T: AsRef<str>>(&self, names: &[T]) -> Self {
        self.filtered(
            |name| names.iter().all(|unwanted| unwanted.as_ref() != name),
            || Pick::Without(owned(names)),
        )
    }

    fn filtered(&self, keep: impl Fn(&str) -> bool, pick: impl Fn() -> Pick) -> Self {
        if self.names().all(&keep) && !self.has_sources() {
            return self.clone();
        }
        let mut tools = self.0.shared();
        tools.offered.retain(|name, _| keep(name));
        tools.sourced.retain(|name, _| keep(name));
        tools.specs = tools.specs.iter().filter(|spec| keep(&spec.name)).cloned().collect();
        if self.has_sources() {
            tools.picks.push(pick());
        }
        Self(Arc::new(tools))
    }
}

fn owned<T: AsRef<str>>(names: &[T]) -> Arc<[String]> {
    names.iter().map(|name| name.as_ref().to_owned()).collect()
}
