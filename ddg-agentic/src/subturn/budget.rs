//! The tokens that all turns below a root share.

use std::sync::atomic::{AtomicI64, Ordering};

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
