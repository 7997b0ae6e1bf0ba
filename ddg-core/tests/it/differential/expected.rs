//! What the reference says of a program, as the workers, hooks, subscribers and spans tell it.

use std::collections::BTreeMap;

use super::Case;
use super::life::Played;
use super::observed::{Seen, by_events, by_hooks, by_spans};
use crate::random_graphs::stage::plain_line;
use crate::random_graphs::{Difference, difference};
use crate::reference::{self, Execution, Report};

/// How somebody tells of a kickoff.
type Tells = fn(&Execution) -> String;

/// What the reference says.
pub(super) struct Expected {
    /// As the workers tell it. Those without a context know neither step nor cause.
    pub(super) inside: Report,
    pub(super) executions: Vec<Execution>,
}

impl Expected {
    pub(super) fn of(case: &Case) -> Self {
        let (report, executions) = reference::executed(&case.program);
        let mut trace = Vec::new();
        let mut plain = BTreeMap::new();
        for step in executions.chunk_by(|one, other| one.step == other.step) {
            if let Some(sees) = step.iter().find(|execution| !execution.worker.is_plain()) {
                trace.push(format!("step {}: {}", sees.step, sees.graph));
            }
            for Execution { step, worker, cause, called, n_before, .. } in step {
                match worker.is_plain() {
                    true => *plain.entry(plain_line(&worker.key, called)).or_insert(0) += 1,
                    false => trace.push(format!(
                        "step {step}: {} ({cause}) {called} #{n_before}",
                        worker.key
                    )),
                }
            }
        }
        trace.extend(plain.into_iter().map(|(line, n)| format!("{line}, {n} times")));
        Self { inside: Report { trace, end: report.end }, executions }
    }

    /// Whether no two workers run at the same time.
    pub(super) fn is_lone(&self) -> bool {
        self.executions.is_sorted_by(|one, next| one.step < next.step)
    }

    /// How it differs from what was played in a way.
    pub(super) fn difference(&self, way: &str, played: &Played) -> Option<Difference> {
        if played.report != self.inside {
            return Some(difference(way, &self.inside, &played.report));
        }
        let seen: [(_, _, Tells); 3] = [
            ("hooks", &played.hooks, by_hooks),
            ("events", &played.events, by_events),
            ("spans", &played.spans, by_spans),
        ];
        for (who, seen, line) in seen {
            let numbers = 0_u64..;
            let expected: Seen = numbers.zip(self.executions.iter().map(line)).collect();
            if let Some(seen) = seen
                && *seen != expected
            {
                let lines = |seen: &Seen| Report {
                    trace: seen.iter().map(|(id, line)| format!("{id}: {line}")).collect(),
                    end: self.inside.end.clone(),
                };
                return Some(difference(
                    &format!("{way}, as {who} tell"),
                    &lines(&expected),
                    &lines(seen),
                ));
            }
        }
        None
    }
}
