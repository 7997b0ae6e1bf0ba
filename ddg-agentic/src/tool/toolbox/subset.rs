//! A part of a toolbox.

use std::sync::Arc;

use super::{Offered, Toolbox, Tools};

impl Toolbox {
    /// The tools with these names, in the order of this toolbox. They share their limits of
    /// concurrent calls with the tools of this toolbox.
    #[must_use]
    pub fn only<T: AsRef<str>>(&self, names: &[T]) -> Self {
        self.filtered(|name| names.iter().any(|wanted| wanted.as_ref() == name))
    }

    /// All tools but those that are named.
    #[must_use]
    pub fn without<T: AsRef<str>>(&self, names: &[T]) -> Self {
        self.filtered(|name| names.iter().all(|unwanted| unwanted.as_ref() != name))
    }

    fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        if self.names().all(&keep) {
            return self.clone();
        }
        let offered = self.0.offered.iter().filter(|(name, _)| keep(name));
        let offered = offered.map(|(name, Offered { entry, automa })| {
            let offered = Offered { entry: Arc::clone(entry), automa: automa.clone() };
            (name.clone(), offered)
        });
        let specs = self.0.specs.iter().filter(|spec| keep(&spec.name)).cloned().collect();
        let states = self.0.states.clone();
        Self(Arc::new(Tools { offered: offered.collect(), specs, states }))
    }
}
