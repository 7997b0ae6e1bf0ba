//! The tokens that all turns below a root share, and the usage of models by a turn.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::Usage;

/// The tokens that all turns below a root may still use.
pub(super) struct Budget(Option<AtomicI64>);

impl Budget {
    pub(super) fn new(tokens: Option<u64>) -> Self {
        Self(tokens.map(|tokens| AtomicI64::new(tokens.try_into().unwrap_or(i64::MAX))))
    }

    pub(super) fn spend(&self, usage: Usage) {
        if let Some(left) = &self.0 {
            left.fetch_sub(usage.total().try_into().unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.as_ref().is_some_and(|left| left.load(Ordering::Relaxed) <= 0)
    }
}

/// The usage of each model in a turn and all turns below it.
#[derive(Default)]
pub(super) struct Meter {
    by_model: Mutex<BTreeMap<String, Usage>>,
    /// The meter of the turn around.
    around: Option<Arc<Meter>>,
}

impl Meter {
    pub(super) fn below(around: Option<&Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { by_model: Mutex::default(), around: around.cloned() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Usage>> {
        self.by_model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn count(&self, model: &str, usage: Usage) {
        *self.lock().entry(model.to_owned()).or_default() += usage;
        if let Some(around) = &self.around {
            around.count(model, usage);
        }
    }
}
