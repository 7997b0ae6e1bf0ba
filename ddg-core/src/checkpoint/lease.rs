//! Leases: the right to continue a run.

use std::time::{Duration, SystemTime};

use super::{Arrival, Owner, RunId, StoreError};
use crate::clock::{from_ms, millis};

/// A request for a lease: the owner, and the time to live.
///
/// The default is this process, for 30 seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The owner.
    pub owner: Owner,
    /// The time after which the lease expires unless it is renewed.
    pub ttl: Duration,
    /// How long a run waits for an unavailable store after its lease may have expired; 5 minutes by
    /// default.
    pub patience: Duration,
    /// Whether the lease is taken from its holder.
    pub force: bool,
    /// How many attempts in a row to continue a run may end with the death of their process; `None`
    /// for any number.
    pub max_attempts: Option<u64>,
    /// Whether a run that is created is inside another, which continues it.
    pub inner: bool,
    /// Whether a run that is acquired and has not ended is cancelled.
    pub cancels: bool,
    /// When the run came; `None` if that is when the lease is requested.
    pub(crate) arrival: Option<Arrival>,
}

/// The right to write to a run's journal, until another process acquires the run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// The fencing token, which grows each time the run changes hands.
    pub token: u64,
    /// The time after which the lease expires, counted from the last renewal.
    pub ttl: Duration,
    /// The [failed attempts](super::RunRecord::attempts) of the run before this lease.
    pub attempts: u64,
    /// When the run came.
    pub(crate) arrival: Arrival,
}

/// The holder of a run's lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// The owner.
    pub owner: Owner,
    /// When the lease expires unless it is renewed.
    pub until: SystemTime,
}

impl Claim {
    /// A claim of `owner` for `ttl`.
    pub fn new(owner: Owner, ttl: Duration) -> Self {
        Self {
            owner,
            ttl,
            patience: PATIENCE,
            force: false,
            max_attempts: None,
            inner: false,
            cancels: false,
            arrival: None,
        }
    }

    /// A claim of this process for `ttl`.
    pub fn this_process(ttl: Duration) -> Self {
        Self::new(Owner::this_process(), ttl)
    }

    /// Sets how long a run waits for an unavailable store after its lease may have expired.
    ///
    /// Until then, a run waits in any case. When the lease may have expired, the workers of the run
    /// are cancelled, and it waits for `patience` more. If the store becomes available and no other
    /// process has acquired the run, it continues from its last written state.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Takes the lease from its holder.
    ///
    /// This is for people who know that the holder is gone for good, for example with its machine.
    /// A holder that is still active is refused at its next write, and stops.
    #[must_use]
    pub fn by_force(self) -> Self {
        Self { force: true, ..self }
    }

    /// Claims a run that is inside another. A run that is created so is continued with the other,
    /// and is not listed as [to be continued](super::RunFilter::due).
    #[must_use]
    pub fn inner(self) -> Self {
        Self { inner: true, ..self }
    }

    /// Cancels the run whose lease is acquired, in the same transaction: its status is cancelled
    /// then, unless it has ended. A holder that it is [taken](Self::by_force) from never sees it
    /// as taken but not yet cancelled.
    #[must_use]
    pub fn cancelling(self) -> Self {
        Self { cancels: true, ..self }
    }

    /// When the run came: now, unless that is known.
    pub(crate) fn arrival(&self) -> Arrival {
        self.arrival.unwrap_or_else(Arrival::next)
    }

    /// Sets how many attempts in a row to continue a run may end with the death of their process,
    /// without having written a state. Then the run is not continued again: it ends with
    /// [`StoreError::Attempts`], and its status is failed. At least 1.
    ///
    /// By default any number may for a run that is run by its id, and 5 for runs that a
    /// [`RunService`](super::RunService) or
    /// [`StoredRuns::resume_all`](super::StoredRuns::resume_all) continues.
    #[must_use]
    pub fn max_attempts(self, n: u64) -> Self {
        Self { max_attempts: Some(n.max(1)), ..self }
    }
}

impl Lease {
    /// The lease of `run` with the token `token`, after no failed attempt.
    pub fn new(run: RunId, token: u64, ttl: Duration) -> Self {
        Self { run, token, ttl, attempts: 0, arrival: Arrival::next() }
    }
}

impl Holder {
    /// A holder `owner` whose lease expires at `until`.
    pub fn new(owner: Owner, until: SystemTime) -> Self {
        Self { owner, until }
    }
}

impl Default for Claim {
    fn default() -> Self {
        Self::this_process(Duration::from_secs(30))
    }
}

/// Default time that a run waits for an unavailable store.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// A run's lease as a store keeps it.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) token: u64,
    pub(super) owner: Option<Owner>,
    pub(super) until_ms: i64,
    /// The failed attempts since a state was last written.
    pub(super) attempts: u64,
}

impl Hold {
    /// The holder, if the lease has not expired and its process has not ended.
    pub(super) fn holder(&self, now_ms: i64) -> Option<Holder> {
        let owner = self.owner.as_ref().filter(|owner| {
            let lasts = now_ms < self.until_ms;
            lasts && !owner.has_ended()
        })?;
        Some(Holder { owner: owner.clone(), until: from_ms(self.until_ms) })
    }

    /// Checks that `claim` may have the lease: it is free, or claimed by force.
    pub(super) fn admits_claim(
        &self,
        run: &RunId,
        claim: &Claim,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if claim.force { Ok(()) } else { self.is_free(run, now_ms) }
    }

    /// Checks that the lease is free.
    pub(super) fn is_free(&self, run: &RunId, now_ms: i64) -> Result<(), StoreError> {
        let Some(Holder { owner, until }) = self.holder(now_ms) else { return Ok(()) };
        let left = until.duration_since(from_ms(now_ms)).unwrap_or_default();
        Err(StoreError::Held { run: run.clone(), owner, left })
    }

    /// Acquires the lease for `claim`. Returns the lease and the hold to store.
    pub(super) fn taken(&self, run: &RunId, claim: &Claim, now_ms: i64) -> (Lease, Self) {
        // A holder that did not release the lease has died, or has been too slow.
        let attempts = self.attempts + u64::from(self.owner.is_some());
        // A new token for each holder: writes with an older one are refused from now on.
        let lease = Lease {
            run: run.clone(),
            token: self.token + 1,
            ttl: claim.ttl,
            attempts,
            arrival: claim.arrival(),
        };
        let owner = Some(claim.owner.clone());
        let hold = Self { token: lease.token, owner, until_ms: lease.until_ms(now_ms), attempts };
        (lease, hold)
    }

    /// Fails if `lease` is not the current one. An expired lease passes as long as nobody has
    /// acquired the run since.
    pub(super) fn admits(&self, lease: &Lease) -> Result<(), StoreError> {
        if self.token == lease.token && self.owner.is_some() {
            return Ok(());
        }
        Err(StoreError::Fenced { run: lease.run.clone(), by: self.owner.clone() })
    }

    /// The hold of a run that nobody has held yet.
    pub(super) fn new() -> Self {
        Self { token: 0, owner: None, until_ms: 0, attempts: 0 }
    }

    /// This hold without its owner. The token stays, so that the next one is greater.
    pub(super) fn freed(&self) -> Self {
        Self { owner: None, until_ms: 0, ..*self }
    }
}

impl Lease {
    /// When the lease expires if it is renewed now.
    pub(super) fn until_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(millis(self.ttl))
    }
}
