//! A driver for tests: the caller decides which worker gets on next.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use futures::FutureExt;
use futures::task::AtomicWaker;

use super::execution::{Execution, Launched, launch};
use super::kickoff::{Ended, Job, Kickoff};
use super::live::Live;
use super::{Outcome, RunCore, RunError};

/// Drives the same machine as the tokio driver does, with one worker polled at a time.
pub(super) async fn simulate(
    mut live: Live,
    choose: impl FnMut(&[Kickoff]) -> usize,
) -> Result<Outcome, RunError> {
    live.begin();
    let ended = steps(&live.core, choose).await;
    live.end(&ended);
    ended
}

async fn steps(
    core: &Arc<RunCore>,
    mut choose: impl FnMut(&[Kickoff]) -> usize,
) -> Result<Outcome, RunError> {
    let mut jobs = Vec::new();
    let mut ended = Vec::new();
    loop {
        core.machine().begin(&mut jobs)?;
        if jobs.is_empty() {
            core.keep_locals();
            return Ok(Outcome::new(core, false));
        }
        let mut cast = Cast::new(core, &mut jobs);
        while !cast.is_empty() {
            ended.push(cast.next_end(&mut choose).await);
        }
        core.machine().settle(&mut ended)?;
    }
}

/// The workers of a step that have not ended.
struct Cast {
    actors: Vec<Actor>,
    /// Woken when any of them can get on.
    outer: Arc<AtomicWaker>,
}

struct Actor {
    kickoff: Kickoff,
    state: State,
    cue: Arc<Cue>,
}

enum State {
    Ended(Ended),
    Running(Execution),
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

impl Cast {
    fn new(core: &Arc<RunCore>, jobs: &mut Vec<Job>) -> Self {
        let outer = Arc::new(AtomicWaker::new());
        let actors = jobs.drain(..).map(|job| {
            let kickoff = job.kickoff.clone();
            let state = match launch(core, job, None) {
                Launched::Ended(ended) => State::Ended(ended),
                Launched::Running(execution) => State::Running(execution),
            };
            let cue = Cue { given: AtomicBool::new(true), outer: Arc::clone(&outer) };
            Actor { kickoff, state, cue: Arc::new(cue) }
        });
        Self { actors: actors.collect(), outer }
    }

    fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }

    /// Lets actors get on, one at a time as chosen, until one has ended.
    async fn next_end(&mut self, choose: &mut impl FnMut(&[Kickoff]) -> usize) -> Ended {
        loop {
            let ready = self.ready().await;
            let kickoffs: Vec<_> =
                ready.iter().map(|place| self.actors[*place].kickoff.clone()).collect();
            let chosen = ready[choose(&kickoffs).min(ready.len() - 1)];
            if self.get_on(chosen) {
                let actor = self.actors.remove(chosen);
                if let State::Ended(ended) = actor.state {
                    return ended;
                }
            }
        }
    }

    /// The places of the actors that can get on; waits until there is one.
    async fn ready(&self) -> Vec<usize> {
        poll_fn(|task| {
            self.outer.register(task.waker());
            let given = |(place, actor): (usize, &Actor)| {
                actor.cue.given.load(Ordering::Acquire).then_some(place)
            };
            let ready: Vec<_> = self.actors.iter().enumerate().filter_map(given).collect();
            if ready.is_empty() { Poll::Pending } else { Poll::Ready(ready) }
        })
        .await
    }

    /// Polls an actor once; tells whether it has ended.
    fn get_on(&mut self, place: usize) -> bool {
        let actor = &mut self.actors[place];
        actor.cue.given.store(false, Ordering::Release);
        if let State::Running(execution) = &mut actor.state {
            let waker = Waker::from(Arc::clone(&actor.cue));
            match execution.poll_unpin(&mut TaskContext::from_waker(&waker)) {
                Poll::Pending => return false,
                Poll::Ready(ended) => actor.state = State::Ended(ended),
            }
        }
        true
    }
}
