//! The executor for tests: the caller decides which worker gets on next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use futures::FutureExt;
use futures::task::AtomicWaker;

use super::Executor;
use crate::engine::call::{Execution, Launched, launch};
use crate::engine::{Ended, Job, Kickoff, RunCore};

/// Polls one execution at a time, the next one as `choose` says.
pub(in crate::engine) struct Simulated<F> {
    choose: F,
    /// The executions that have not ended, in kickoff order.
    actors: Vec<Actor>,
    /// Woken when any of them can get on.
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
    /// While it is being started.
    Starting,
}

/// Tells that an actor can get on.
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

    /// The places of the actors that can get on.
    fn ready(&self, max_concurrency: usize) -> Vec<usize> {
        let given = |(place, actor): (usize, &Actor)| {
            actor.cue.given.load(Ordering::Acquire).then_some(place)
        };
        self.actors.iter().take(max_concurrency).enumerate().filter_map(given).collect()
    }
}

impl Actor {
    fn new(job: Job, outer: &Arc<AtomicWaker>) -> Self {
        let kickoff = Kickoff {
            id: job.id,
            worker: job.worker,
            body: Arc::clone(&job.payload),
            cause: job.cause.clone(),
            step: job.step,
        };
        let cue = Cue { given: AtomicBool::new(true), outer: Arc::clone(outer) };
        Self { kickoff, state: ActorState::Waiting(Box::new(job)), cue: Arc::new(cue) }
    }

    /// Starts it, or polls it once; returns how it ended, if it has.
    fn get_on(&mut self, core: &Arc<RunCore>) -> Option<Ended> {
        self.cue.given.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self.cue));
        let mut task = TaskContext::from_waker(&waker);
        let mut execution = match std::mem::replace(&mut self.state, ActorState::Starting) {
            ActorState::Waiting(job) => match launch(core, *job, Some(&mut task)) {
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

    fn start(
        &mut self,
        _: &Arc<RunCore>,
        jobs: &mut Vec<Job>,
        _: &mut Vec<Ended>,
        _: &mut TaskContext<'_>,
    ) {
        self.actors.extend(jobs.drain(..).map(|job| Actor::new(job, &self.outer)));
    }

    /// Where there are enough already, a choice past the end means that what has ended is to
    /// settle before anybody else gets on.
    fn poll_ended(
        &mut self,
        core: &Arc<RunCore>,
        ended: &mut Vec<Ended>,
        enough: usize,
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
            if let Some(end) = self.actors[chosen].get_on(core) {
                self.actors.remove(chosen);
                ended.push(end);
            }
        }
        Poll::Ready(())
    }
}
