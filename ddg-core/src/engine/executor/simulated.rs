//! The executor for tests: the caller chooses which worker continues.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use futures::FutureExt;
use futures::task::AtomicWaker;

use super::Executor;
use crate::engine::call::{Execution, Launched, launch};
use crate::engine::{Ended, Job, Jobs, Kickoff, RunCore, Spares};

/// Polls one execution at a time, chosen by `choose`.
pub(in crate::engine) struct Simulated<F> {
    choose: F,
    /// The executions that have not ended, in kickoff order.
    actors: Vec<Actor>,
    /// Woken when any of them can continue.
    outer: Arc<AtomicWaker>,
}

struct Actor {
    kickoff: Kickoff,
    state: ActorState,
    cue: Arc<Cue>,
}

enum ActorState {
    Waiting(Box<Job>),
    Running(Execution),
    /// Placeholder while the execution is being started or polled.
    Starting,
}

/// Wakes an actor.
struct Cue {
    given: AtomicBool,
    outer: Arc<AtomicWaker>,
}

impl Wake for Cue {
    fn wake(self: Arc<Self>) {
        self.given.store(true, Ordering::Release);
        self.outer.wake();
    }
}

impl<F: FnMut(&[Kickoff]) -> usize> Simulated<F> {
    pub(in crate::engine) fn new(choose: F) -> Self {
        Self { choose, actors: Vec::new(), outer: Arc::default() }
    }

    /// The indices of the actors that can continue.
    fn ready(&self, max_concurrency: usize) -> Vec<usize> {
        let given = |(place, actor): (usize, &Actor)| {
            actor.cue.given.load(Ordering::Acquire).then_some(place)
        };
        self.actors.iter().take(max_concurrency).enumerate().filter_map(given).collect()
    }
}

impl Actor {
    fn new(core: &RunCore, job: Job, outer: &Arc<AtomicWaker>) -> Self {
        let kickoff = Kickoff {
            id: job.id,
            worker: job.worker,
            body: Arc::clone(core.body(&job)),
            cause: job.cause.clone(),
            step: job.step,
        };
        // A new actor can always continue: it has not been polled.
        let cue = Cue { given: AtomicBool::new(true), outer: Arc::clone(outer) };
        Self { kickoff, state: ActorState::Waiting(Box::new(job)), cue: Arc::new(cue) }
    }

    /// Starts or polls the execution once. Returns its end, if it has ended.
    fn get_on(&mut self, core: &Arc<RunCore>, spares: &mut Spares) -> Option<Ended> {
        // Cleared before polling, so that a wake during the poll is not lost.
        self.cue.given.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self.cue));
        let mut task = TaskContext::from_waker(&waker);
        let mut execution = match std::mem::replace(&mut self.state, ActorState::Starting) {
            ActorState::Waiting(mut job) => match launch(core, &mut job, spares, Some(&mut task)) {
                Launched::Ended(ended) => return Some(ended),
                Launched::Running(execution) => {
                    self.state = ActorState::Running(execution);
                    return None;
                }
            },
            ActorState::Running(execution) => execution,
            ActorState::Starting => return None,
        };
        match execution.poll_unpin(&mut task) {
            Poll::Ready(ended) => Some(ended),
            Poll::Pending => {
                self.state = ActorState::Running(execution);
                None
            }
        }
    }
}

impl<F: FnMut(&[Kickoff]) -> usize> Executor for Simulated<F> {
    fn is_idle(&self) -> bool {
        self.actors.is_empty()
    }

    fn takes_lone_jobs(&self) -> bool {
        false
    }

    fn time_passes(&self) -> bool {
        true
    }

    fn start(
        &mut self,
        core: &Arc<RunCore>,
        jobs: &mut Jobs,
        _: &mut Vec<Ended>,
        _: &mut Spares,
        _: &mut TaskContext<'_>,
    ) {
        self.actors.extend(jobs.drain().map(|job| Actor::new(core, job, &self.outer)));
    }

    /// When there are enough ends, a choice past the end lets them settle before anything else
    /// continues.
    fn poll_ended(
        &mut self,
        core: &Arc<RunCore>,
        ended: &mut Vec<Ended>,
        enough: usize,
        spares: &mut Spares,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        self.outer.register(task.waker());
        while !self.actors.is_empty() {
            let is_enough = ended.len() >= enough;
            let ready = self.ready(core.max_concurrency);
            if ready.is_empty() {
                return if is_enough { Poll::Ready(()) } else { Poll::Pending };
            }
            let kickoffs: Vec<_> =
                ready.iter().map(|place| self.actors[*place].kickoff.clone()).collect();
            let choice = (self.choose)(&kickoffs);
            if is_enough && choice >= ready.len() {
                return Poll::Ready(());
            }
            let chosen = ready[choice.min(ready.len() - 1)];
            if let Some(end) = self.actors[chosen].get_on(core, spares) {
                self.actors.remove(chosen);
                ended.push(end);
            }
        }
        Poll::Ready(())
    }
}
