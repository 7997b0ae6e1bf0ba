//! What a worker waits for: a person's answer, a time, a signal.

use std::time::SystemTime;

use super::{Context, InteractionError};
use crate::clock::to_ms;
use crate::engine::Pending;
use crate::machine::Question;
use crate::values::{Answer, Data, Value};

impl Context {
    /// Asks a person, and returns the answer as an `R`.
    ///
    /// If there is no answer yet, the run pauses: the other workers of the step run to their end,
    /// and the run ends with an [`Outcome`](crate::Outcome) that has the
    /// [questions](crate::Outcome::questions) and a [snapshot](crate::Outcome::snapshot). Pass the
    /// error on with `?`.
    ///
    /// When the question is [answered](crate::snapshot::Snapshot::answer) and the run is
    /// [resumed](crate::GraphAutoma::resume), in this process or another, the worker runs again
    /// from the top with the same arguments, and its n-th question gets the n-th answer. So it
    /// repeats what it does before a question, and should ask the same questions again. The effects
    /// of an interrupted execution (ferries, edits of the graph) do not count.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// async fn pay(amount: u32, cx: Context) -> Result<String, WorkerError> {
    ///     let allowed: bool = cx.interact_with_human(format!("Pay {amount} euros?"))?;
    ///     Ok(if allowed { "paid" } else { "kept" }.to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("shop");
    /// automa.add_func_as_worker("pay", pay, start().output())?;
    ///
    /// let paused = automa.run(args!(30)).await?;
    /// let questions = paused.questions();
    /// assert_eq!(questions[0].content.get::<String>()?, "Pay 30 euros?");
    ///
    /// let mut snapshot = paused.snapshot()?;
    /// snapshot.answer(&questions[0].id, true)?;
    /// assert_eq!(automa.resume(snapshot).await?.into_output::<String>()?, "paid");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no answer yet, or the answer is not an `R`.
    pub fn interact_with_human<R: Answer>(
        &self,
        question: impl Data,
    ) -> Result<R, InteractionError> {
        let (n, answer) = self.next_answer();
        let id = Question::id_of(&self.path(), self.0.kickoff.id.0, n);
        if let Some(answer) = answer {
            return answer.get().map_err(|source| InteractionError::Mismatch { id, source });
        }
        let question = Question {
            id: id.clone(),
            worker: self.path().to_string(),
            content: Value::new(question),
        };
        self.0.requests.wait_for(Pending::Question { question, answer: None });
        Err(InteractionError::Waiting { id })
    }

    /// Waits until `time`, without a thread, a task or memory if the run is
    /// [stored](crate::run::RunBuilder::stored_in).
    ///
    /// It pauses the run as a [question](Self::interact_with_human) does: pass the error on with
    /// `?`. When the time has come, the worker runs again from the top, and this call returns. The
    /// first `time` counts, so it may be computed from the current time. A stored run ends with an
    /// [`Outcome`](crate::Outcome) that [says when it wakes](crate::Outcome::wake_at); a
    /// [`RunService`](crate::checkpoint::RunService) continues it then, in this process or another.
    /// Any other run waits in its process.
    ///
    /// While a worker waits, the run is held back as by a question: the others of its step run to
    /// their end, and no further worker starts. For a short wait that holds back nothing else,
    /// sleep within the worker.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use ddg_core::prelude::*;
    ///
    /// async fn remind(cx: Context) -> Result<String, WorkerError> {
    ///     cx.sleep_until(SystemTime::now() + Duration::from_millis(5))?;
    ///     Ok("It is time.".to_owned())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("reminder");
    /// automa.add_func_as_worker("remind", remind, start().output())?;
    /// assert_eq!(automa.run(()).output::<String>().await?, "It is time.");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the time has not come yet.
    pub fn sleep_until(&self, time: SystemTime) -> Result<(), InteractionError> {
        if self.next_answer().1.is_some() {
            return Ok(());
        }
        let until_ms = to_ms(time);
        self.0.requests.wait_for(Pending::Time { until_ms, has_come: false });
        Err(InteractionError::Asleep { until: time })
    }

    /// Waits for the next signal called `name`, and returns its content as a `T`.
    ///
    /// It pauses the run as [`sleep_until`](Self::sleep_until) does. Signals are sent with
    /// [`StoredRuns::signal`](crate::checkpoint::StoredRuns::signal) to a stored run, from any
    /// process, and with [`RunHandle::signal`](crate::run::RunHandle::signal). They are kept from
    /// the start of the run, in order, and each is received once: by the first kickoff in kickoff
    /// order that waits for its name. A run without a store and without a handle pauses, because
    /// nobody can send it a signal.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// async fn ship(cx: Context) -> Result<String, WorkerError> {
    ///     let euros: u32 = cx.signal("paid")?;
    ///     Ok(format!("shipped for {euros} euros"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("order");
    /// automa.add_func_as_worker("ship", ship, start().output())?;
    /// let run = automa.run(()).spawn();
    /// run.signal("paid", 30_u32).await?;
    /// assert_eq!(run.output::<String>().await?, "shipped for 30 euros");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no such signal yet, or it is not a `T`.
    pub fn signal<T: Data>(&self, name: impl Into<String>) -> Result<T, InteractionError> {
        let name = name.into();
        if let Some(received) = self.next_answer().1 {
            return received
                .get()
                .map_err(|source| InteractionError::SignalMismatch { name, source });
        }
        let pending = Pending::Signal { name: name.clone(), received: None };
        self.0.requests.wait_for(pending);
        Err(InteractionError::NoSignal { name })
    }

    /// Counts a question, a time or a signal that is waited for. Returns its index, and the answer
    /// if it has come.
    fn next_answer(&self) -> (usize, Option<&Value>) {
        let n = self.0.requests.next_question();
        (n, self.0.replay.as_ref().and_then(|replay| replay.answers.get(n)))
    }

    /// Whether a [question](Self::interact_with_human) of this execution waits for an answer. If
    /// so, an error that the worker ends with interrupts it, and must not be treated as a failure.
    ///
    /// Use it if a worker calls other people's code and handles its errors.
    ///
    /// ```
    /// use ddg_core::prelude::*;
    ///
    /// async fn pay(cx: &Context) -> Result<String, String> {
    ///     cx.interact_with_human("Pay?".to_owned()).map_err(|error| error.to_string())
    /// }
    ///
    /// async fn try_to_pay(cx: Context) -> Result<String, WorkerError> {
    ///     match pay(&cx).await {
    ///         Err(error) if cx.is_waiting() => Err(WorkerError::msg(error)),
    ///         Err(error) => Ok(format!("not paid: {error}")),
    ///         Ok(receipt) => Ok(receipt),
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("shop");
    /// automa.add_func_as_worker("pay", try_to_pay, start().output())?;
    /// assert!(automa.run(()).await?.is_paused());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_waiting(&self) -> bool {
        self.0.requests.is_waiting()
    }
}
