//! Makes an `Arc` of a store a store.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{
    Checkpoint, CheckpointStore, Claim, Entry, Lease, Page, Rest, RunFilter, RunId, RunRecord,
    RunStatus, SignalRecord, StepRecord, StoreFuture,
};

impl<S: CheckpointStore + ?Sized> CheckpointStore for Arc<S> {
    fn create<'a>(
        &'a self,
        run: &'a RunId,
        automa: &'a str,
        claim: &'a Claim,
    ) -> StoreFuture<'a, Lease> {
        (**self).create(run, automa, claim)
    }

    fn acquire<'a>(&'a self, run: &'a RunId, claim: &'a Claim) -> StoreFuture<'a, Lease> {
        (**self).acquire(run, claim)
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        (**self).renew(lease)
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        (**self).release(lease)
    }

    fn put<'a>(
        &'a self,
        lease: &'a Lease,
        status: RunStatus,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        (**self).put(lease, status, entries)
    }

    fn rest<'a>(
        &'a self,
        lease: &'a Lease,
        rest: &'a Rest,
        entries: &'a [Entry],
    ) -> StoreFuture<'a, ()> {
        (**self).rest(lease, rest, entries)
    }

    fn signal<'a>(&'a self, run: &'a RunId, name: &'a str, body: &'a [u8]) -> StoreFuture<'a, ()> {
        (**self).signal(run, name, body)
    }

    fn signals<'a>(&'a self, run: &'a RunId, after: u64) -> StoreFuture<'a, Vec<SignalRecord>> {
        (**self).signals(run, after)
    }

    fn now(&self) -> StoreFuture<'_, SystemTime> {
        (**self).now()
    }

    fn latest<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Option<Checkpoint>> {
        (**self).latest(run)
    }

    fn at<'a>(&'a self, run: &'a RunId, step: u64) -> StoreFuture<'a, Checkpoint> {
        (**self).at(run, step)
    }

    fn steps<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, Vec<StepRecord>> {
        (**self).steps(run)
    }

    fn find<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, RunRecord> {
        (**self).find(run)
    }

    fn list<'a>(
        &'a self,
        filter: &'a RunFilter,
        page: &'a Page,
    ) -> StoreFuture<'a, Vec<RunRecord>> {
        (**self).list(filter, page)
    }

    fn fork<'a>(&'a self, run: &'a RunId, step: u64, fork: &'a RunId) -> StoreFuture<'a, ()> {
        (**self).fork(run, step, fork)
    }

    fn delete<'a>(&'a self, run: &'a RunId) -> StoreFuture<'a, ()> {
        (**self).delete(run)
    }

    fn delete_older_than<'a>(
        &'a self,
        age: Duration,
        filter: &'a RunFilter,
    ) -> StoreFuture<'a, u64> {
        (**self).delete_older_than(age, filter)
    }
}
