//! The options of a run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::RunBuilder;
use crate::args::IntoArgs;
use crate::checkpoint::{CheckpointPolicy, CheckpointStore, Claim};
use crate::engine::PollClock;
use crate::feedback::{Posted, ReplyTo, Request};
use crate::key::Key;
use crate::machine::Pace;
use crate::path::WorkerPath;
use crate::run::active::{ActiveRun, InnerPlace};
use crate::run::plan::Origin;
use crate::run::stored::Place;
use crate::saved::Snapshot;
use crate::values::Data;

impl<T> RunBuilder<T> {
    /// Begins with these arguments, instead of those or the snapshot that the run was created with.
    /// So a run can be configured before its arguments are known.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("double");
    /// automa.add_func_as_worker("double", async |x: i64| 2 * x, start().output())?;
    /// let run = automa.run(()).pace(Pace::Rolling);
    /// assert_eq!(run.args(args!(21)).output::<i64>().await?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn args(mut self, args: impl IntoArgs) -> Self {
        self.plan.origin = Origin::Args(args.into_args());
        self
    }

    /// Continues from `snapshot`, instead of what the run was created with.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.plan.origin = Origin::Snapshot(Box::new(snapshot));
        self
    }

    /// Sets the pace of this run instead of the one that the automa is
    /// [set](crate::GraphAutoma::set_pace) to. Nested automata keep theirs.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.plan.options().pace = Some(pace);
        self
    }

    /// Cancels the run if it takes longer than `after`: its workers are cancelled as by
    /// [`RunHandle::cancel`], and it ends with [`RunError::DeadlineExceeded`].
    ///
    /// The time counts from when the run begins. A stored run can be resumed from its last step;
    /// the deadline is then that of the new builder, and starts anew.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BuildError> {
    /// let mut automa = GraphAutoma::new("slow");
    /// automa.add_func_as_worker("wait", async || std::future::pending::<()>().await, start())?;
    /// let late = automa.run(()).deadline(Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!(late.to_string(), "automa `slow`: exceeded its deadline of 1ms");
    /// # Ok(())
    /// # }
    /// ```
    pub fn deadline(mut self, after: Duration) -> Self {
        self.plan.options().deadline = Some(after);
        self
    }

    /// Limits the steps of this run together with those of all automata nested in it and of runs
    /// [inside](Self::inside) it, at any depth. When `steps` have been taken, the next step of any of
    /// them fails with [`RunError::TotalStepLimit`](crate::run::RunError::TotalStepLimit), and so
    /// does the run.
    ///
    /// [`set_max_steps`](crate::GraphAutoma::set_max_steps) limits each run of one automa, which
    /// counts its own steps only. The count of a stored run is saved with its states.
    ///
    /// ```
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BuildError> {
    /// let mut inner = GraphAutoma::new("inner");
    /// inner.add_func_as_worker("again", async |cx: Context| cx.ferry_to("again", ()), start())?;
    /// let mut outer = GraphAutoma::new("outer");
    /// outer.add_worker("inner", inner, start())?;
    /// outer.set_max_steps(10);                             // does not count the steps of `inner`
    /// let error = outer.run(()).max_total_steps(10).await.unwrap_err();
    /// assert!(error.to_string().contains("reached the limit of steps of the whole run, 10"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_total_steps(mut self, steps: u64) -> Self {
        self.plan.options().max_total_steps = Some(steps);
        self
    }

    /// Measures workers by the clock `now` instead of that of the system.
    ///
    /// How long a worker keeps its thread decides on which thread it is polled next: workers that
    /// are known to take at most 2 µs are polled by the task of the run, and all others are shared
    /// out among the threads of the runtime. Results never depend on it. A test that passes a clock
    /// decides how long each worker seems to take. Every thread may call `now`.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Instant;
    /// # use ddg_core::prelude::*;
    /// # #[tokio::main(flavor = "multi_thread", worker_threads = 2)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut automa = GraphAutoma::new("light");
    /// automa.add_func_as_worker("a", async || tokio::task::id().to_string(), start())?;
    /// automa.add_func_as_worker("b", async || tokio::task::id().to_string(), start())?;
    /// let same = async |a: String, b: String| a == b;
    /// automa.add_func_as_worker("same", same, after(["a", "b"]).output())?;
    ///
    /// // Nothing takes any time by this clock.
    /// let now = Instant::now();
    /// automa.run(()).poll_clock(move || now).spawn().await?;
    /// // So both are known to be light, and the task of the run polls them.
    /// assert!(automa.run(()).poll_clock(move || now).spawn().output::<bool>().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn poll_clock(mut self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.plan.options().poll_clock = Some(PollClock::new(now));
        self
    }

    /// Handles messages as [`GraphAutoma::on_post`](crate::GraphAutoma::on_post), for this run
    /// only. Takes precedence over the handler of the automa.
    pub fn on_post<E: Data>(
        mut self,
        handle: impl Fn(E, &WorkerPath) + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().handlers.on_post(handle);
        self
    }

    /// Handles requests as [`GraphAutoma::on_request`](crate::GraphAutoma::on_request), for this
    /// run only. Takes precedence over the handler of the automa.
    pub fn on_request<E: Request>(
        mut self,
        handle: impl Fn(E, ReplyTo<E::Reply>) + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().handlers.on_request(handle);
        self
    }

    /// Handles everything else as [`GraphAutoma::on_any_post`](crate::GraphAutoma::on_any_post),
    /// for this run only. Takes precedence over the handler of the automa.
    pub fn on_any_post(mut self, handle: impl Fn(Posted) + Send + Sync + 'static) -> Self {
        self.plan.options().handlers.on_any_post(handle);
        self
    }

    /// Makes this a run inside `run`, under `key`. The automa of `run` has no worker for this run
    /// and does not wait for it, so this run can outlive the worker that begins it, and `run`
    /// itself.
    ///
    /// Otherwise this run behaves like a nested automa. Run inputs and callbacks of `run` reach it.
    /// The handlers of the outermost run receive what its workers post and request; its own
    /// handlers have no effect. The outermost run publishes its events, with its path, while the
    /// outermost run is active.
    ///
    /// If `run` is stored, this run is stored as `RUN/key` with the same policy. If `run` is itself
    /// inside the stored run, the keys in between come before `key`. If the store has this run
    /// paused, answers in the [snapshot](Self::snapshot) of this builder count for its questions.
    /// A place that was set with [`stored_in`](Self::stored_in) before is replaced.
    ///
    /// Cancelling `run` does not cancel this run, which has a [handle](RunHandle) of its own.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use ddg_core::prelude::*;
    /// use ddg_core::run::ActiveRun;
    ///
    /// /// The active run, attached to itself.
    /// struct Here(ActiveRun);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut part = GraphAutoma::new("part");
    /// part.add_func_as_worker("path", async |cx: Context| cx.path().to_string(), start().output())?;
    ///
    /// let mut whole = GraphAutoma::new("whole");
    /// whole.add_func_as_worker("ask", move |cx: Context| {
    ///     let here: Arc<Here> = cx.attached().expect("attached below");
    ///     part.run(()).inside(&here.0, "part-1").output::<String>()
    /// }, start().output())?;
    /// whole.attach(|run| Here(run.clone()));
    /// assert_eq!(whole.run(()).output::<String>().await?, "part-1/path");
    /// # Ok(())
    /// # }
    /// ```
    pub fn inside(mut self, run: &ActiveRun, key: impl Into<Key>) -> Self {
        let key = key.into();
        let options = self.plan.options();
        if let Some(InnerPlace { place, checkpoints, claim }) = run.inner_place(&key) {
            options.place = Some(place);
            options.checkpoints = checkpoints;
            options.claim = Some(claim);
        }
        options.within = Some(run.within(key));
        self
    }

    /// Makes this a run inside `run`, under `key`, which is not stored for that reason.
    pub(crate) fn part_of(mut self, run: &ActiveRun, key: Key) -> Self {
        let options = self.plan.options();
        options.within = Some(run.within(key));
        options.is_part = true;
        self
    }

    /// Attaches a value as [`GraphAutoma::attach`](crate::GraphAutoma::attach), for this run only.
    /// Replaces a value of the same type that the automa attaches.
    pub fn attach<A: Send + Sync + 'static>(
        mut self,
        make: impl Fn(&ActiveRun) -> A + Send + Sync + 'static,
    ) -> Self {
        self.plan.options().attachments.add(make);
        self
    }

    /// Keeps the run in `store` under `id`, so that it survives its process. If the store has the
    /// run, it continues from its last state; the arguments or the snapshot of this builder are
    /// used only if the store does not have it.
    ///
    /// A run that has ended is not run again: its outcome is read without a lease, and nothing is
    /// written.
    ///
    /// The store is cloned, which is cheap; an `Arc` of a store is a store. Whether `id` is a valid
    /// run id is checked when the run begins.
    pub fn stored_in(
        mut self,
        store: &(impl CheckpointStore + Clone + 'static),
        id: impl AsRef<str>,
    ) -> Self {
        self.plan.options().place = Some(Place::new(Arc::new(store.clone()), id.as_ref()));
        self
    }

    /// Sets when a [stored](Self::stored_in) run is written.
    pub fn checkpoints(mut self, checkpoints: CheckpointPolicy) -> Self {
        self.plan.options().checkpoints = checkpoints;
        self
    }

    /// Sets the owner of a [stored](Self::stored_in) run's lease and its time to live. The default
    /// is this process, for 30 seconds. The lease is renewed while the run is active.
    pub fn claim(mut self, claim: Claim) -> Self {
        self.plan.options().claim = Some(claim);
        self
    }
}
