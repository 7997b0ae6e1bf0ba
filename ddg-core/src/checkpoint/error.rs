//! Errors of stores.

use std::time::Duration;

use super::{Owner, RunId};
use crate::error::BoxError;
use crate::printable::shown;
use crate::report::Told;

/// A store refused or failed. Nothing was changed, unless the variant says that this is unknown.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The run does not exist.
    #[error(
        "there is no run `{run}` in the store: it was never created, or has been deleted",
        run = shown(.run)
    )]
    UnknownRun {
        /// The run.
        run: RunId,
    },
    /// A run with this id exists already.
    #[error(
        "there is a run `{run}` already: resume it, delete it, or choose another id",
        run = shown(.run)
    )]
    RunExists {
        /// The run.
        run: RunId,
    },
    /// The journal has no state of the step.
    #[error(
        "run `{run}` has no state of step {step}{}",
        last_step(.last).unwrap_or_else(|| "; its journal is empty".to_owned()),
        run = shown(.run)
    )]
    UnknownStep {
        /// The run.
        run: RunId,
        /// The step.
        step: u64,
        /// The last step that has a state.
        last: Option<u64>,
    },
    /// An entry breaks a rule of the journal.
    #[error(
        "run `{run}`: {entry} cannot be put: {rule}{}",
        last_step(.last).unwrap_or_default(),
        run = shown(.run), entry = shown(.entry)
    )]
    OutOfOrder {
        /// The run.
        run: RunId,
        /// The entry.
        entry: String,
        /// The last step that has a state.
        last: Option<u64>,
        /// The rule.
        rule: &'static str,
    },
    /// The lease of the run is held.
    #[error(
        "run `{run}` is held by {owner} for another {left:?}: wait until its lease expires, stop \
         it there, or continue with a fork of the run",
        run = shown(.run), owner = shown(.owner)
    )]
    Held {
        /// The run.
        run: RunId,
        /// The holder.
        owner: Owner,
        /// The time until the lease expires, unless it is renewed.
        left: Duration,
    },
    /// The attempts to continue the run have ended with the death of their process, as often as the
    /// [claim](super::Claim::max_attempts) allows.
    #[error(
        "run `{run}` has failed: {attempts} attempts in a row to continue it have ended with the \
         death of their process, before they had written a state; run it again when the cause is mended",
        run = shown(.run)
    )]
    Attempts {
        /// The run.
        run: RunId,
        /// The number of attempts.
        attempts: u64,
    },
    /// The run has ended, so it cannot receive a signal.
    #[error("run `{run}` is {status}: it takes no signal any more", run = shown(.run))]
    Ended {
        /// The run.
        run: RunId,
        /// Its status.
        status: super::RunStatus,
    },
    /// The lease is not the run's current one.
    #[error(
        "run `{run}` is no longer held by this lease, {}: stop here, because what this process \
         has not written is lost",
        new_owner(.by),
        run = shown(.run)
    )]
    Fenced {
        /// The run.
        run: RunId,
        /// The current or last holder.
        by: Option<Owner>,
    },
    /// The tables were written by a newer version of this crate.
    #[error(
        "{store} has tables of version {found}, but this program knows versions up to {known}: \
         run it with a newer ddg-core",
        store = shown(.store)
    )]
    NewerSchema {
        /// The store.
        store: String,
        /// The version of its tables.
        found: u64,
        /// The newest version that this crate knows.
        known: u64,
    },
    /// The store could not be opened.
    #[error("{store} cannot be opened: {}; {hint}", Told(&**.source), store = shown(.store))]
    Open {
        /// The store.
        store: String,
        /// The error of the store's driver.
        r#source: BoxError,
        /// What to check.
        hint: &'static str,
    },
    /// The store was unavailable for longer than the [`Claim`](super::Claim) of the run allows. The
    /// state written before is kept; the run can be run again when the store is available.
    #[error(
        "run `{run}` has waited for its store for {waited:?}, and its lease may have expired{}: \
         run it again when the store is available",
        last.as_deref().map(|error| format!("; {error}")).unwrap_or_default(),
        run = shown(.run)
    )]
    Away {
        /// The run.
        run: RunId,
        /// How long the run has waited.
        waited: Duration,
        /// The last error of the store; `None` if the store did not answer.
        last: Option<Box<StoreError>>,
    },
    /// The store itself failed. Whether a change was made is unknown; the call can be repeated.
    #[error("{store} could not {action}: {}", Told(&**.source), store = shown(.store))]
    Backend {
        /// The store.
        store: String,
        /// The operation that failed.
        action: &'static str,
        /// The error of the store's driver.
        r#source: BoxError,
    },
}

impl StoreError {
    /// Whether a retry may succeed: the store itself failed, and its cause may pass without
    /// intervention. A damaged file or a missing table does not.
    ///
    /// Runs wait for such a store as long as their [claim](super::Claim) allows.
    pub fn is_transient(&self) -> bool {
        match self {
            #[cfg(any(feature = "sqlite", feature = "postgres"))]
            Self::Backend { source, .. } => super::sql::is_transient(&**source),
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Self::Backend { .. } => true,
            _ => false,
        }
    }
}

fn last_step(last: &Option<u64>) -> Option<String> {
    last.map(|last| format!("; its last state is that of step {last}"))
}

fn new_owner(by: &Option<Owner>) -> String {
    match by {
        Some(owner) => format!("{} has taken it", shown(owner)),
        None => "it has been released".to_owned(),
    }
}

crate::__debug_is_display!(StoreError);
