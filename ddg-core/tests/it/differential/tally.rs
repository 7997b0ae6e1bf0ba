//! What the programs had, so that they are known to reach everything.

use std::collections::BTreeMap;

use super::Case;
use super::expected::Expected;
use super::life::Played;
use crate::reference::{Ask, End, Execution, Kind, Mapping};

/// In how many programs each thing occurred.
#[derive(Default)]
pub(super) struct Tally {
    n_programs: usize,
    n_kickoffs: usize,
    n: BTreeMap<&'static str, usize>,
}

/// What is looked for, and in how many of 1,000 programs it must occur at least.
const REACHED: [(&str, usize); 32] = [
    ("static", 80),
    ("ferries", 350),
    ("adds workers", 220),
    ("removes workers", 150),
    ("adds dependencies", 130),
    ("removes dependencies", 80),
    ("merges", 200),
    ("deals", 30),
    ("unpacks", 12),
    ("suppresses", 80),
    ("injects", 30),
    ("is nested", 60),
    ("is answered", 150),
    ("is answered in parts", 40),
    ("is stopped and resumed", 40),
    ("retries", 80),
    ("yields", 120),
    ("blocks", 60),
    ("has workers without a context", 400),
    ("has lone workers without a context in a row", 20),
    ("has many workers without a context in a step", 15),
    ("has lone steps in a row", 80),
    ("has lone steps only", 80),
    ("has wide steps", 100),
    ("has layers", 60),
    ("runs a worker several times in a step", 150),
    ("waits for loops", 60),
    ("follows nobody", 60),
    ("has more dependencies than a word has bits", 2),
    ("fails", 20),
    ("gives an output", 200),
    ("leaves workers waiting", 200),
];

impl Tally {
    pub(super) fn of(case: &Case, expected: &Expected, played: &Played) -> Self {
        let all = &expected.executions;
        let steps: Vec<_> = all.chunk_by(|one, other| one.step == other.step).collect();
        let any = |holds: &dyn Fn(&Execution) -> bool| all.iter().any(holds);
        let asks = |holds: &dyn Fn(&Ask) -> bool| {
            any(&|one| matches!(one.end, End::Gave(_)) && one.turn.asks.iter().any(holds))
        };
        let by_dependencies = |one: &Execution| one.cause == "dependencies";
        let maps = |mapping| {
            any(&|one| {
                let n = one.worker.dependencies.len();
                one.worker.mapping == mapping && by_dependencies(one) && n > 0
            })
        };
        let in_a_row = |n: usize, holds: &dyn Fn(&&[Execution]) -> bool| {
            steps.windows(n).any(|steps| steps.iter().all(holds))
        };
        let deals = |one: &Execution| match &one.end {
            End::Gave(output) => {
                one.worker.in_order && output.as_array().is_some_and(|list| !list.is_empty())
            }
            End::Failed | End::Asked => false,
        };
        let is_lone = |step: &&[Execution]| step.len() == 1;
        let is_plain = |one: &Execution| one.worker.is_plain();
        let is_layer = |step: &&[Execution]| {
            let alike = |pair: &[Execution]| {
                pair[0].worker.dependencies == pair[1].worker.dependencies
                    && pair
                        .iter()
                        .all(|one| by_dependencies(one) && !one.worker.dependencies.is_empty())
            };
            step.windows(2).any(alike)
        };
        let is_kicked_off_twice = |step: &&[Execution]| {
            let mut keys: Vec<_> = step.iter().map(|one| &one.worker.key).collect();
            keys.sort_unstable();
            keys.windows(2).any(|pair| pair[0] == pair[1])
        };
        let end = &expected.inside.end;
        let has: [(&str, bool); REACHED.len()] = [
            ("static", all.len() > 2 && !asks(&|_| true)),
            ("ferries", asks(&|ask| matches!(ask, Ask::Ferry { .. }))),
            ("adds workers", asks(&|ask| matches!(ask, Ask::Add(_)))),
            ("removes workers", asks(&|ask| matches!(ask, Ask::Remove(_)))),
            ("adds dependencies", asks(&|ask| matches!(ask, Ask::AddDependency(..)))),
            ("removes dependencies", asks(&|ask| matches!(ask, Ask::RemoveDependency(..)))),
            ("merges", maps(Mapping::Merge)),
            ("deals", any(&deals)),
            ("unpacks", maps(Mapping::Unpack)),
            ("suppresses", maps(Mapping::Suppressed)),
            ("injects", any(&|one| one.worker.from.is_some())),
            ("is nested", case.nested.is_some()),
            ("is answered", played.n.n_answered > 0),
            ("is answered in parts", played.n.n_parts > 0),
            ("is stopped and resumed", played.n.n_stops > 0),
            ("retries", any(&|one| one.turn.n_failed_attempts > 0)),
            ("yields", any(&|one| is_plain(one) && one.worker.kind == Kind::Async)),
            ("blocks", any(&|one| is_plain(one) && one.worker.kind == Kind::Blocking)),
            ("has workers without a context", any(&is_plain)),
            (
                "has lone workers without a context in a row",
                in_a_row(2, &|step| is_lone(step) && is_plain(&step[0])),
            ),
            (
                "has many workers without a context in a step",
                in_a_row(1, &|step| step.iter().filter(|one| is_plain(one)).count() > 2),
            ),
            ("has lone steps in a row", in_a_row(4, &is_lone)),
            ("has lone steps only", steps.len() > 2 && expected.is_lone()),
            ("has wide steps", in_a_row(1, &|step| step.len() > 4)),
            ("has layers", in_a_row(1, &is_layer)),
            ("runs a worker several times in a step", in_a_row(1, &is_kicked_off_twice)),
            ("waits for loops", any(&|one| one.worker.after_loops && by_dependencies(one))),
            ("follows nobody", any(&|one| one.worker.waits_for_nobody())),
            (
                "has more dependencies than a word has bits",
                any(&|one| one.worker.dependencies.len() > 64),
            ),
            ("fails", end.contains("failed")),
            ("gives an output", end.starts_with("output") && !end.starts_with("output null")),
            ("leaves workers waiting", end.contains("waiting: `")),
        ];
        let n = has.into_iter().map(|(what, has)| (what, usize::from(has))).collect();
        Self { n_programs: 1, n_kickoffs: all.len(), n }
    }

    pub(super) fn check(&self) {
        let n = self.n_programs;
        println!("{n} programs, {} kickoffs: {:?}", self.n_kickoffs, self.n);
        let too_few = REACHED.iter().filter(|(what, at_least)| self.n[what] < at_least * n / 1000);
        let too_few: Vec<_> = too_few.map(|(what, _)| (what, self.n[what])).collect();
        assert!(too_few.is_empty(), "of {n} programs too few have {too_few:?}");
        assert!(self.n_kickoffs > 5 * n, "only {} kickoffs", self.n_kickoffs);
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.n_programs += other.n_programs;
        self.n_kickoffs += other.n_kickoffs;
        for (what, n) in other.n {
            *self.n.entry(what).or_default() += n;
        }
    }
}
