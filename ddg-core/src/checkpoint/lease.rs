//! The right to go on with a run.

use std::time::{Duration, SystemTime};

use super::clock::{from_ms, millis};
use super::{Owner, RunId, StoreError};

/// Who wants a lease, and for how long at a time.
///
/// By default this process, for 30 seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Who.
    pub owner: Owner,
    /// How long a lease lasts that nobody renews.
    pub ttl: Duration,
}

/// The right to write to a run's journal, until somebody else has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Grows each time that the run changes hands.
    pub token: u64,
    /// How long it lasts from each time that it is renewed.
    pub ttl: Duration,
}

/// Who holds a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Who.
    pub owner: Owner,
    /// Until when, unless it is renewed.
    pub until: SystemTime,
}

impl Claim {
    /// That `owner` wants it, for `ttl` at a time.
    pub fn new(owner: Owner, ttl: Duration) -> Self {
        Self { owner, ttl }
    }

    /// This process, for `ttl` at a time.
    pub fn this_process(ttl: Duration) -> Self {
        Self { owner: Owner::this_process(), ttl }
    }
}

impl Lease {
    /// The right to write to the journal of `run` with this `token`, for `ttl` at a time.
    pub fn new(run: RunId, token: u64, ttl: Duration) -> Self {
        Self { run, token, ttl }
    }
}

impl Holder {
    /// That `owner` has it, until then.
    pub fn new(owner: Owner, until: SystemTime) -> Self {
        Self { owner, until }
    }
}

impl Default for Claim {
    fn default() -> Self {
        Self::this_process(Duration::from_secs(30))
    }
}

/// A run's lease as a store keeps it.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) token: u64,
    pub(super) owner: Option<Owner>,
    pub(super) until_ms: i64,
}

impl Hold {
    /// Who has it, if somebody has.
    pub(super) fn holder(&self, now_ms: i64) -> Option<Holder> {
        let owner = self.owner.as_ref().filter(|owner| {
            let lasts = now_ms < self.until_ms;
            lasts && !owner.has_ended()
        })?;
        Some(Holder { owner: owner.clone(), until: from_ms(self.until_ms) })
    }

    /// Fails if somebody has it.
    pub(super) fn is_free(&self, run: &RunId, now_ms: i64) -> Result<(), StoreError> {
        let Some(Holder { owner, until }) = self.holder(now_ms) else { return Ok(()) };
        let left = until.duration_since(from_ms(now_ms)).unwrap_or_default();
        Err(StoreError::Held { run: run.clone(), owner, left })
    }

    /// The lease of who takes it, and what is to be kept of it.
    pub(super) fn taken(&self, run: &RunId, claim: &Claim, now_ms: i64) -> (Lease, Self) {
        let lease = Lease { run: run.clone(), token: self.token + 1, ttl: claim.ttl };
        let owner = Some(claim.owner.clone());
        let hold = Self { token: lease.token, owner, until_ms: lease.until_ms(now_ms) };
        (lease, hold)
    }

    /// Fails if `lease` is an older one.
    pub(super) fn admits(&self, lease: &Lease) -> Result<(), StoreError> {
        if self.token == lease.token && self.owner.is_some() {
            return Ok(());
        }
        Err(StoreError::Fenced { run: lease.run.clone(), by: self.owner.clone() })
    }

    /// Nobody's.
    pub(super) fn free(token: u64) -> Self {
        Self { token, owner: None, until_ms: 0 }
    }
}

impl Lease {
    /// Until when it lasts if it is renewed now.
    pub(super) fn until_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(millis(self.ttl))
    }
}
