//! An active run, seen from inside it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use futures::FutureExt;

use super::builder::inner_builder;
use super::stored::Place;
use super::{RunBuilder, RunEnd, RunError};
use crate::args::IntoArgs;
use crate::checkpoint::{CheckpointPolicy, Claim, StoreError};
use crate::context::LocalSpace;
use crate::durable::replay;
use crate::engine::{RunCore, Within};
use crate::event::EventKind;
use crate::key::Key;
use crate::machine::KickoffId;
use crate::path::WorkerPath;
use crate::saved::Snapshot;
use crate::values::{Data, Value};

/// An active run, seen from inside it. It is passed to the function that
/// [attaches](crate::GraphAutoma::attach) a value to the run, which uses it to begin further runs
/// inside the run and to access state that is saved with it.
///
/// Cloning is cheap. An attached value may keep its `ActiveRun`, because the value is dropped when
/// the run ends.
#[derive(Clone)]
pub struct ActiveRun(Arc<RunCore>);

/// The place in the store of a run that is inside a stored run.
pub(super) struct InnerPlace {
    pub(super) place: Place,
    pub(super) checkpoints: CheckpointPolicy,
    /// The claim of the stored run around it.
    pub(super) claim: Claim,
}

impl ActiveRun {
    pub(crate) fn new(core: Arc<RunCore>) -> Self {
        Self(core)
    }

    /// The automa's name.
    pub fn automa(&self) -> &str {
        self.0.automa()
    }

    /// The path of the run in the runs around it; `None` if it is the outermost run.
    pub fn path(&self) -> Option<&WorkerPath> {
        self.0.path.as_deref()
    }

    /// Whether the run has a journal of its own in a store, from which it can be resumed.
    pub fn is_stored(&self) -> bool {
        self.0.journal().is_some()
    }

    /// Whether this run, or a run around it, has a journal and continues from a state that was
    /// written earlier. So runs inside it may be in the store already.
    pub fn is_resumed(&self) -> bool {
        let mut core = Some(&self.0);
        while let Some(run) = core {
            if run.journal().is_some_and(|journal| journal.is_resumed()) {
                return true;
            }
            core = run.around_it();
        }
        false
    }

    /// The kickoffs of the nested automata from the outermost run to this one. They tell several
    /// kickoffs of one nested automa apart, which have the same [path](Self::path).
    pub fn kickoffs(&self) -> Vec<KickoffId> {
        let mut kickoffs = Vec::new();
        let mut core = Some(&self.0);
        while let Some(run) = core {
            kickoffs.extend(run.kickoff);
            core = run.around_it();
        }
        kickoffs.reverse();
        kickoffs
    }

    /// Whether runs inside this one are stored, because this run or a run around it is stored.
    pub fn stores_inside(&self) -> bool {
        let mut core = Some(&self.0);
        while let Some(run) = core {
            if run.journal().is_some() {
                return true;
            }
            core = run.around_it();
        }
        false
    }

    /// The value of this type that is attached to this run, or to the nearest run around it that
    /// has one.
    pub fn attached<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.attached()
    }

    /// The value of this type that is attached to the nearest run around this one that has one.
    /// What is attached to this run itself is ignored.
    pub fn attached_around<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.0.around_it()?.attached()
    }

    /// The [local space](crate::Context::local) of a worker, which is saved with the run. `None` if
    /// there is no such worker.
    pub fn local_space(&self, worker: impl Into<Key>) -> Option<LocalSpace> {
        let worker = self.0.machine().view().find(worker.into().as_str())?;
        Some(LocalSpace::new(self.0.local(worker)))
    }

    /// Publishes an event about `worker` to the subscribers of the run, as
    /// [`Context::emit`](crate::Context::emit) does. The event belongs to no kickoff, so its
    /// kickoff is `u64::MAX`, a number that no kickoff has.
    pub fn emit(
        &self,
        worker: impl Into<Key>,
        name: impl Into<Cow<'static, str>>,
        data: impl Data,
    ) {
        if self.0.feed().is_watched() {
            let (worker, name, data) = (worker.into(), name.into(), Value::new(data));
            let step = self.0.machine().steps();
            self.0
                .emit(step, EventKind::Custom { worker, kickoff: KickoffId(u64::MAX), name, data });
        }
    }

    /// Makes the run await the future of `wait` before it pauses for a person, or ends because it
    /// was [stopped](crate::run::RunHandle::stop). So what belongs to the run can come to a state
    /// that is saved with it. Runs that end otherwise do not wait.
    ///
    /// `wait` is called once, after the last step. It is dropped when the run ends.
    pub fn before_pause<F>(&self, wait: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.attached.before_pause(Box::new(move || wait().boxed()));
    }

    /// Calls `tell` with the end of the run, before its attachments are dropped. It is called
    /// exactly once, however the run ends, also if it is cancelled or dropped. It must not block.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use ddg_core::prelude::*;
    /// use ddg_core::run::RunEnd;
    ///
    /// struct Watch;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ends: Arc<Mutex<Vec<RunEnd>>> = Arc::default();
    /// let mut automa = GraphAutoma::new("parse");
    /// automa.add_func_as_worker("parse", async |text: String, cx: Context| {
    ///     cx.attached::<Watch>();
    ///     text.parse::<i64>()
    /// }, start().output())?;
    /// let told = Arc::clone(&ends);
    /// automa.attach(move |run| {
    ///     let told = Arc::clone(&told);
    ///     run.at_end(move |end| told.lock().unwrap().push(end.clone()));
    ///     Watch
    /// });
    /// assert_eq!(automa.run(args!("7")).output::<i64>().await?, 7);
    /// assert!(automa.run(args!("x")).await.is_err());
    /// let ends = ends.lock().unwrap();
    /// assert!(matches!(ends[..], [RunEnd::Finished, RunEnd::Failed { .. }]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn at_end(&self, tell: impl FnOnce(&RunEnd) + Send + 'static) {
        self.0.attached.at_end(Box::new(tell));
    }

    /// The `tracing` span of the run, for spans of what belongs to the run. If it is disabled, the
    /// span in which the run was started.
    pub fn span(&self) -> tracing::Span {
        self.0.attached.span()
    }

    /// Builds a further run of the same automa, which can begin [inside](RunBuilder::inside) this
    /// one or elsewhere. The automa is not compiled again.
    pub fn run_again(&self, args: impl IntoArgs) -> RunBuilder {
        inner_builder(&self.0.program, args.into_args())
    }

    /// The stored state of the run `key` inside this one. `None` if the store has no such run, or
    /// neither this run nor a run around it is stored.
    ///
    /// # Errors
    /// If the store fails, or the stored state is damaged.
    pub async fn stored_inside(&self, key: impl Into<Key>) -> Result<Option<Snapshot>, RunError> {
        let Some(inner) = self.inner_place(&key.into()) else { return Ok(None) };
        let (store, id) = inner.place.into_parts()?;
        match store.latest(&id).await {
            Ok(Some(checkpoint)) => Ok(Some(replay(&checkpoint)?)),
            Ok(None) | Err(StoreError::UnknownRun { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn within(&self, key: Key) -> Within {
        Within { outer: Arc::clone(&self.0), key }
    }

    /// The place of the run `key` inside this one; `None` if neither this run nor a run around it
    /// is stored.
    pub(super) fn inner_place(&self, key: &Key) -> Option<InnerPlace> {
        // The keys from the stored run to this one.
        let (mut core, mut keys) = (&self.0, vec![key.as_str()]);
        let stored = loop {
            if let Some(journal) = core.journal() {
                break journal;
            }
            let outer = core.around_it()?;
            if let Some(path) = &core.path {
                let below = outer.path.as_ref().map_or(0, |path| path.len());
                keys.extend(path.last(path.len() - below));
            }
            core = outer;
        };
        keys.push(stored.run().as_str());
        keys.reverse();
        Some(InnerPlace {
            place: Place::new(Arc::clone(stored.store()), &keys.join("/")),
            checkpoints: stored.checkpoints(),
            claim: stored.claimed().clone().inner(),
        })
    }
}

impl fmt::Debug for ActiveRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path() {
            Some(path) => write!(f, "ActiveRun({path})"),
            None => write!(f, "ActiveRun({:?})", self.automa()),
        }
    }
}
