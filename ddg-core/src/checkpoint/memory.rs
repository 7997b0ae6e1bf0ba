//! A store in memory.

mod kept;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures::FutureExt;

use super::journal::End;
use super::lease::Hold;
use super::{
    Checkpoint, CheckpointStore, Claim, Entry, Lease, Page, Rest, RunFilter, RunId, RunRecord,
    RunStatus, SignalRecord, StepRecord, StoreError, StoreFuture,
};
use crate::clock::{Clock, from_ms, millis, to_ms};
use kept::{Kept, State};

/// A store in memory. A clone is the same store.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    runs: Arc<Mutex<BTreeMap<RunId, Kept>>>,
    clock: Clock,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the time from `now` instead of the system's clock.
    #[must_use]
    pub fn with_clock(self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock::new(now), ..self }
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<RunId, Kept>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `read` with a run.
    fn read<T>(
        &self,
        run: &RunId,
        read: impl FnOnce(&Kept) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.runs().get(run).ok_or_else(|| unknown(run)).and_then(read)
    }

    /// Calls `write` with a run. `write` must check everything before it changes anything.
    fn write<T>(
        &self,
        run: &RunId,
        write: impl FnOnce(&mut Kept) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.runs().get_mut(run).ok_or_else(|| unknown(run)).and_then(write)
    }

    fn add(&self, run: &RunId, kept: Kept) -> Result<(), StoreError> {
        let mut runs = self.runs();
        if runs.contains_key(run) {
            return Err(StoreError::RunExists { run: run.clone() });
        }
        runs.insert(run.clone(), kept);
        Ok(())
    }

    fn append(&self, lease: &Lease, rest: Rest, entries: &[Entry]) -> Result<(), StoreError> {
        let now_ms = self.clock.now_ms();
        self.write(&lease.run, |kept| {
            kept.hold.admits(lease)?;
            let append = kept.end.append(&lease.run, entries)?;
            kept.end = append.end;
            kept.updated_ms = now_ms;
            kept.hold.until_ms = lease.until_ms(now_ms);
            if !entries.is_empty() || rest.status != RunStatus::Running {
                kept.hold.attempts = 0;
            }
            kept.rest = rest;
            kept.wake_for_signals(from_ms(now_ms));
            if !append.states.is_empty() {
                kept.results.clear();
            }
            for entry in append.states {
                let state = State { entry: entry.clone(), written_ms: now_ms };
                kept.states.insert(entry.step, state);
            }
            kept.results.extend(append.results.into_iter().map(|(k, body)| (k, body.to_vec())));
            Ok(())
        })
    }

    fn forked(&self, run: &RunId, step: u64) -> Result<Kept, StoreError> {
        let now_ms = self.clock.now_ms();
        self.read(run, |kept| kept.forked(run, step, now_ms))
    }
}

impl CheckpointStore for MemoryStore {
    fn create<'a>(
        &'a self,
        run: &'a RunId,
        automa: &'a str,
        claim: &'a Claim,
    ) -> StoreFuture<'a, Lease> {
        async move {
            let now_ms = self.clock.now_ms();
            let (lease, hold) = Hold::new().taken(run, claim, now_ms);
            let kept = Kept {
                automa: automa.to_owned(),
                origin: None,
                inner: claim.inner,
                created_ms: now_ms,
                updated_ms: now_ms,
                hold,
                end: End::default(),
                states: BTreeMap::new(),
                results: BTreeMap::new(),
                rest: Rest::new(RunStatus::Running),
                signals: Vec::new(),
            };
            self.add(run, kept).map(|()| lease)
        }
        .boxed()
    }

    fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease> {
        async move {
            let now_ms = self.clock.now_ms();
            self.write(run, |kept| {
                kept.hold.admits_claim(run, claim, now_ms)?;
                let (lease, hold) = kept.hold.taken(run, claim, now_ms);
                kept.hold = hold;
                if claim.cancels && kept.rest.status.may_be_cancelled() {
                    kept.rest = Rest::new(RunStatus::Cancelled);
                    kept.hold.attempts = 0;
                    kept.updated_ms = now_ms;
                }
                Ok(lease)
            })
        }
        .boxed()
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        async move {
            let now_ms = self.clock.now_ms();
            self.write(&lease.run, |kept| {
                kept.hold.admits(lease)?;
                kept.hold.until_ms = lease.until_ms(now_ms);
                Ok(())
            })
        }
        .boxed()
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        async move {
            self.write(&lease.run, |kept| {
                if kept.hold.admits(lease).is_ok() {
                    kept.hold = kept.hold.freed();
                }
                Ok(())
            })
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        status: RunStatus,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        async move { self.append(lease, Rest::new(status), entries) }.boxed()
    }

    fn rest<'a>(
        &'a self,
        lease: &'a Lease,
        rest: &'a Rest,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        async move { self.append(lease, rest.clone(), entries) }.boxed()
    }

    fn signal<'a>(&'a self, run: &'a RunId, name: &'a str, body: &'a [u8]) -> StoreFuture<'a, ()> {
        async move {
            let now = from_ms(self.clock.now_ms());
            self.write(run, |kept| {
                let number = kept.signals.len() as u64 + 1;
                kept.signals.push(SignalRecord::new(number, name, body));
                kept.wake_for_signals(now);
                Ok(())
            })
        }
        .boxed()
    }

    fn signals<'a>(&'a self, run: &'a RunId, after: u64) -> StoreFuture<'a, Vec<SignalRecord>> {
        async move {
            let is_later = |signal: &&SignalRecord| signal.number > after;
            self.read(run, |kept| Ok(kept.signals.iter().filter(is_later).cloned().collect()))
        }
        .boxed()
    }

    fn now(&self) -> StoreFuture<'_, SystemTime> {
        async move { Ok(from_ms(self.clock.now_ms())) }.boxed()
    }

    fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>> {
        async move {
            self.read(run, |kept| kept.end.step.map(|step| kept.checkpoint(run, step)).transpose())
        }
        .boxed()
    }

    fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint> {
        async move { self.read(run, |kept| kept.checkpoint(run, step)) }.boxed()
    }

    fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>> {
        async move {
            let record = |state: &State| StepRecord {
                step: state.entry.step,
                written: from_ms(state.written_ms),
                n_bytes: state.entry.body.len() as u64,
            };
            self.read(run, |kept| Ok(kept.states.values().map(record).collect()))
        }
        .boxed()
    }

    fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord> {
        async move {
            let now_ms = self.clock.now_ms();
            self.read(run, |kept| Ok(kept.record(run, now_ms)))
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        filter: &'a RunFilter,
        page: &'a Page,
    ) -> StoreFuture<'a, Vec<RunRecord>> {
        async move {
            let now_ms = self.clock.now_ms();
            let runs = self.runs();
            let mut found: Vec<_> = runs.iter().collect();
            found.sort_by_key(|(run, kept)| (kept.created_ms, *run));
            if !page.oldest_first {
                found.reverse();
            }
            if let Some(place) = &page.after {
                let place = (to_ms(place.created), &place.run);
                let is_later = |of: (i64, &RunId)| match page.oldest_first {
                    true => of > place,
                    false => of < place,
                };
                found.retain(|(run, kept)| is_later((kept.created_ms, *run)));
            }
            let records = found.into_iter().map(|(run, kept)| kept.record(run, now_ms));
            let passing = records.filter(|record| filter.passes(record, from_ms(now_ms)));
            Ok(passing.take(page.limit).collect())
        }
        .boxed()
    }

    fn fork<'a>(&'a self, run: &'a RunId, step: u64, fork: &'a RunId) -> StoreFuture<'a, ()> {
        async move { self.forked(run, step).and_then(|kept| self.add(fork, kept)) }.boxed()
    }

    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()> {
        async move {
            let now_ms = self.clock.now_ms();
            let mut runs = self.runs();
            let kept = runs.get(run).ok_or_else(|| unknown(run))?;
            kept.hold.is_free(run, now_ms)?;
            runs.remove(run);
            Ok(())
        }
        .boxed()
    }

    fn delete_older_than<'a>(
        &'a self,
        age: Duration,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, u64> {
        async move {
            let now_ms = self.clock.now_ms();
            let before_ms = now_ms.saturating_sub(millis(age));
            let mut runs = self.runs();
            let n_before = runs.len();
            runs.retain(|run, kept| {
                let held = now_ms < kept.hold.until_ms;
                let passes = || filter.passes(&kept.record(run, now_ms), from_ms(now_ms));
                held || kept.updated_ms > before_ms || !passes()
            });
            Ok((n_before - runs.len()) as u64)
        }
        .boxed()
    }
}

fn unknown(run: &RunId) -> StoreError {
    StoreError::UnknownRun { run: run.clone() }
}
