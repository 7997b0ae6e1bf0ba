//! Takes up again what had begun when the run was left in the middle of a step.

use super::{Ended, Hosts, Jobs, Machine, MachineError, Next, Pace, Replay, UnderWay};

impl<P: Hosts> Machine<P> {
    /// Begins a run that was left in the middle, and waits for executions that run again.
    ///
    /// Executions that were running run again. With the next step, those that have ended go to
    /// `ended`, and nested automata continue where they were.
    ///
    /// # Errors
    /// As those of a step that begins.
    #[cold]
    pub(super) fn take_up(
        &mut self,
        ended: &mut Vec<Ended<P>>,
        jobs: &mut Jobs<P>,
    ) -> Result<Next, Box<MachineError>> {
        let Some(under_way) = self.state.under_way.take() else {
            // The interrupted step has not ended, and ready workers wait for it.
            jobs.clear();
            return Ok(Next::Wait(self.n_awaited()));
        };
        self.resuming = false;
        if self.stopping && under_way.running.is_empty() {
            // No step begins, so what has progressed stays as it is.
            self.state.under_way = Some(under_way);
            return self.begin(jobs);
        }
        let UnderWay { running, ended: mut results, mut inner } = *under_way;
        jobs.clear();
        for running in running {
            let job = self.again(running);
            jobs.push(job);
        }
        if jobs.is_empty() {
            let next = self.begin(jobs)?;
            if next != Next::Run {
                return Ok(next);
            }
        } else if self.pace == Pace::Lockstep {
            // They belong to an earlier step, which settles as a whole.
            self.resuming = true;
        } else if !self.stopping && !self.is_paused() && !self.state.ready.is_empty() {
            let mut step = Jobs::default();
            self.begin(&mut step)?;
            step.drain().for_each(|job| jobs.push(job));
        }
        jobs.retain_mut(|job| {
            if let Some(result) = results.remove(&job.id) {
                ended.push(result);
                return false;
            }
            if let Some(run) = inner.remove(&job.id) {
                let replay =
                    || Box::new(Replay { answers: Vec::new(), inner: None, begun: Vec::new() });
                job.replay.get_or_insert_with(replay).inner = Some(Box::new(run));
            }
            true
        });
        Ok(Next::Run)
    }
}
