//! Runs that a worker begins, whose questions are questions of the worker.

use super::{ActiveRun, FromOutcome, RunBuilder};
use crate::context::{Context, InteractionError};
use crate::engine::Pending;
use crate::key::Key;
use crate::saved::Snapshot;
use crate::worker::WorkerError;

impl Context {
    /// Runs `run` as a part of this worker, and returns its result. If it pauses, this worker asks
    /// its questions: the run of the worker pauses, too, and when it is resumed, the worker runs
    /// again from the top, and this call continues `run` with the answers.
    ///
    /// Inputs, callbacks and handlers of the worker's run apply to `run`, as for a nested automa.
    /// Its path is that of the worker. The worker repeats what it does before the call, so it
    /// should make the same calls again.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use ddg_core::prelude::*;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut confirm = GraphAutoma::new("confirm");
    /// confirm.add_func_as_worker("ask", async |what: String, cx: Context| {
    ///     cx.interact_with_human::<bool>(format!("{what}?"))
    /// }, start().output())?;
    /// let confirm = Arc::new(confirm);
    ///
    /// let mut shop = GraphAutoma::new("shop");
    /// shop.add_func_as_worker("pay", move |cx: Context| {
    ///     let confirm = Arc::clone(&confirm);
    ///     async move {
    ///         let is_confirmed = cx.call(confirm.run(args!("Pay"))).await?.into_output::<bool>()?;
    ///         Ok::<_, WorkerError>(if is_confirmed { "paid" } else { "kept" }.to_owned())
    ///     }
    /// }, start().output())?;
    ///
    /// let paused = shop.run(()).await?;
    /// assert_eq!(paused.questions()[0].worker, "pay/ask");
    /// let answered = paused.answer_with(|_| true)?;
    /// assert_eq!(shop.resume(answered).output::<String>().await?, "paid");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If `run` fails or waits for an answer. Pass the error on with `?`.
    ///
    /// # Cancel safety
    /// Dropping the future stops `run`.
    pub async fn call<T: FromOutcome>(&self, run: RunBuilder<T>) -> Result<T, WorkerError> {
        let key = match self.requests().next_call() {
            0 => self.key().clone(),
            n => Key::from(format!("{}.{}", self.key(), n + 1)),
        };
        let within = ActiveRun::new(self.core().clone());
        let run = run.part_of(&within, key.clone());
        let run = match self.resumed_inside(&key) {
            Some(paused) => run.snapshot(paused),
            None => run,
        };
        let outcome = run.outcome().await?;
        if outcome.is_paused() {
            return Err(self.wait_inside(key, outcome.snapshot()?).into());
        }
        Ok(T::from_outcome(outcome)?)
    }

    /// Makes the questions of a paused run that this worker has begun questions of this worker. The
    /// worker passes the error on with `?`; when it runs again,
    /// [`resumed_inside`](Self::resumed_inside) returns the paused run with the answers.
    ///
    /// `key` tells several such runs apart; a run with the key of an earlier one replaces it.
    /// [`call`](Self::call) does all of this for a run that the worker waits for.
    pub fn wait_inside(&self, key: impl Into<Key>, paused: Snapshot) -> InteractionError {
        let (key, questions) = (key.into(), paused.questions());
        let id = questions.into_iter().next().map_or_else(|| key.to_string(), |first| first.id);
        let run = Box::new(paused.into_run());
        self.requests().wait_for(Pending::Begun { key, run });
        InteractionError::Waiting { id }
    }

    /// The paused run `key` that this worker has [waited for](Self::wait_inside) before it ran
    /// again, with the answers so far. `None` if it has waited for none.
    pub fn resumed_inside(&self, key: &Key) -> Option<Snapshot> {
        self.begun(key).map(Snapshot::new)
    }
}
