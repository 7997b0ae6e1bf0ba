//! How a stored run is driven while its lease lasts, and waits for its store.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{Either, select};

use super::{Journal, lock};
use crate::checkpoint::Checkpoint;
use crate::durable::hold::{LONGEST_PAUSE, Standing, pauses};
use crate::durable::keeper;
use crate::run::RunError;

/// The result of driving a stored run.
pub(crate) enum Attempt<T> {
    Ended(Result<T, RunError>),
    /// The run was interrupted because its lease may have expired. If the lease is regained, the
    /// run continues from its last written state.
    Interrupted,
}

impl Journal {
    /// Renews a lease that may have expired, after a step whose state is not written.
    ///
    /// # Errors
    /// If the store fails, or the lease is held by somebody else.
    pub(in crate::durable) async fn rest(&self) -> Result<(), RunError> {
        match self.hold.leased().may_have_expired() {
            true => Ok(self.waiting_for(self.hold.leased().regain()).await?),
            false => Ok(()),
        }
    }

    /// Awaits `store` while nothing else of the run is running.
    pub(super) async fn waiting_for<T>(&self, store: impl Future<Output = T>) -> T {
        self.waiting.store(true, Ordering::Relaxed);
        let done = store.await;
        self.waiting.store(false, Ordering::Relaxed);
        done
    }

    /// Drives the run of `automa` until it ends, is cancelled, or stops because of its lease.
    pub(crate) async fn drive<T>(
        &self,
        automa: &str,
        run: impl Future<Output = Result<T, RunError>>,
    ) -> Attempt<T> {
        let mut standing = self.hold.standing();
        let run_out = async {
            // While the run waits for the store nothing is running, so its lease may expire.
            let stops = |now: &Standing| match now {
                Standing::Held => false,
                Standing::RunOut => !self.waiting.load(Ordering::Relaxed),
                Standing::Lost => true,
            };
            match standing.wait_for(stops).await.map(|now| *now) {
                Ok(Standing::Lost) => Attempt::Ended(Err(self.hold.leased().why_lost().into())),
                _ => Attempt::Interrupted,
            }
        };
        let attempt = async {
            let broken = self.is_broken.cancelled();
            futures::pin_mut!(run_out, broken, run);
            match select(run_out, select(broken, run)).await {
                Either::Left((stopped, _)) => stopped,
                Either::Right((Either::Left(_), _)) => {
                    let error = lock(&self.broken).take();
                    Attempt::Ended(Err(
                        error.unwrap_or_else(|| self.hold.leased().why_lost().into())
                    ))
                }
                Either::Right((Either::Right((ended, _)), _)) => Attempt::Ended(ended),
            }
        };
        match self.cancelled.run_until_cancelled(attempt).await {
            Some(attempt) => attempt,
            None => Attempt::Ended(Err(RunError::Cancelled { automa: automa.to_owned() })),
        }
    }

    /// Awaits `store` until the lease is lost.
    pub(super) async fn until_lost<T>(
        &self,
        store: impl Future<Output = Result<T, RunError>>,
    ) -> Result<T, RunError> {
        let mut standing = self.hold.standing();
        let lost = standing.wait_for(|now| *now == Standing::Lost).map(|_| ());
        futures::pin_mut!(lost, store);
        match select(lost, store).await {
            Either::Left(_) => Err(self.hold.leased().why_lost().into()),
            Either::Right((done, _)) => done,
        }
    }

    /// Waits until a lease that may have expired is renewed, and nothing of the interrupted run is
    /// running. Returns the last written state of the run.
    ///
    /// # Errors
    /// If another process has acquired the run, or the store is unavailable for too long.
    pub(crate) async fn regain(&self) -> Result<Option<Checkpoint>, RunError> {
        let regained = async {
            self.hold.acting().tasks_ended().await;
            let leased = self.hold.leased();
            leased.regain().await?;
            Ok(leased.read(|| leased.store().latest(self.run())).await?)
        };
        self.until_lost(regained).await
    }
}

/// Executes `action`, and retries it for up to `patience` while the store is unavailable. The
/// argument of `action` is whether an earlier try may have taken effect.
///
/// # Errors
/// The errors of `action`; the last one if the store is unavailable for too long.
pub(crate) async fn patiently<T, F>(
    patience: Duration,
    mut action: impl FnMut(bool) -> F,
) -> Result<T, RunError>
where
    F: Future<Output = Result<T, RunError>>,
{
    let began = Instant::now();
    let mut pauses = pauses();
    let mut again = false;
    loop {
        match action(again).await {
            Err(RunError::Store(error)) if error.is_transient() && began.elapsed() < patience => {
                tracing::warn!(%error, "a store is unavailable");
                again = true;
                keeper::sleep(pauses.next().unwrap_or(LONGEST_PAUSE)).await;
            }
            done => return done,
        }
    }
}
