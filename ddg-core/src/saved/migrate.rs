//! Migrates a saved state to a declaration that has changed.

use std::collections::BTreeMap;

use super::fingerprint::Fingerprint;
use super::{Saved, SnapshotError};
use crate::key::Key;
use crate::machine::Cause;
use crate::values::Value;

impl Saved {
    /// Accepts every declaration.
    pub(crate) fn accept_changes(&mut self) {
        self.declared = None;
    }

    /// Renames the worker `old` to `new`.
    ///
    /// # Errors
    /// If there is no state of `old`, or there is state of `new`.
    pub(crate) fn rename(&mut self, old: &Key, new: &Key) -> Result<(), SnapshotError> {
        let automa = || self.automa.clone();
        if !self.knows(old) {
            return Err(SnapshotError::NotInSnapshot { automa: automa(), key: old.clone() });
        }
        if self.knows(new) {
            let (old, new) = (old.clone(), new.clone());
            return Err(SnapshotError::AlreadyInSnapshot { automa: automa(), old, new });
        }
        if let Some(declared) = &mut self.declared {
            declared.rename(old, new);
        }
        self.graph.rename(old, new);
        let follow = |key: &mut Key| {
            if key == old {
                *key = new.clone();
            }
        };
        for due in &mut self.due {
            follow(&mut due.worker);
            if let Cause::Ferry { by } = &mut due.cause {
                follow(by);
            }
        }
        for interrupted in &mut self.interrupted {
            follow(&mut interrupted.worker);
            if let Cause::Ferry { by } = &mut interrupted.cause {
                follow(by);
            }
        }
        for running in self.running.values_mut() {
            follow(&mut running.worker);
            if let Cause::Ferry { by } = &mut running.cause {
                follow(by);
            }
        }
        for (path, progress) in &mut self.progress {
            if path.around().next().is_none() {
                progress.rename(old, new);
            }
        }
        rename(&mut self.crossed, old, new);
        self.crossed.values_mut().flatten().for_each(follow);
        rename(&mut self.outputs, old, new);
        rename(&mut self.departed, old, new);
        rename(&mut self.dealt, old, new);
        self.dealt.values_mut().for_each(|dealt| rename(dealt, old, new));
        rename(&mut self.locals, old, new);
        rename(&mut self.kept, old, new);
        rename(&mut self.latest, old, new);
        self.held.iter_mut().chain(&mut self.after_nobody).for_each(follow);
        for answered in &mut self.answered {
            answered.result.rename(old, new);
        }
        self.output_worker.iter_mut().for_each(follow);
        Ok(())
    }

    /// Removes all state of the worker `key`.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn forget(&mut self, key: &Key) -> Result<(), SnapshotError> {
        if !self.knows(key) {
            let automa = self.automa.clone();
            return Err(SnapshotError::NotInSnapshot { automa, key: key.clone() });
        }
        self.graph.forget(key);
        self.running.retain(|_, running| running.worker != *key);
        self.due.retain(|due| due.worker != *key);
        self.interrupted.retain(|interrupted| interrupted.worker != *key);
        // The workers that begin next are numbered anew, so what they have reached is dropped.
        self.forget_next();
        self.crossed.remove(key);
        self.crossed.values_mut().for_each(|crossed| crossed.retain(|on| on != key));
        self.crossed.retain(|_, crossed| !crossed.is_empty());
        self.outputs.remove(key);
        self.departed.remove(key);
        self.dealt.remove(key);
        self.dealt.values_mut().for_each(|dealt| _ = dealt.remove(key));
        self.dealt.retain(|_, dealt| !dealt.is_empty());
        self.locals.remove(key);
        self.kept.remove(key);
        self.latest.remove(key);
        self.held.retain(|held| held != key);
        self.after_nobody.retain(|added| added != key);
        self.answered.retain(|answered| answered.result.worker() != key);
        if self.output_worker.as_ref() == Some(key) {
            self.output_worker = None;
            self.result = Value::null();
        }
        Ok(())
    }

    fn knows(&self, key: &Key) -> bool {
        self.reached().contains(key)
            || self.graph.knows(key)
            || self.locals.contains_key(key)
            || self.departed.contains_key(key)
            || self.declared.iter().flat_map(Fingerprint::keys).any(|have| have == key)
    }
}

fn rename<T>(map: &mut BTreeMap<Key, T>, old: &Key, new: &Key) {
    if let Some(value) = map.remove(old) {
        map.insert(new.clone(), value);
    }
}
