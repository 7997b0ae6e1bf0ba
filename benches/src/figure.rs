//! The figures: what is reported.

use serde::{Deserialize, Serialize};

use crate::baselines::{FUTURES_UNORDERED, SPAWN};
use crate::measure::Measured;
use crate::subject::Kind;
use crate::workload::Workload;

/// What one engine has shown with one workload of one size.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// The workload's name.
    pub workload: &'static str,
    /// The workload's size.
    pub size: usize,
    /// The engine's name.
    pub engine: &'static str,
    /// What sort of engine.
    pub kind: Kind,
    /// The median time of a round, divided by its workers.
    pub ns_per_worker: f64,
    /// That, in terms of one task of a `JoinSet` per worker in the same workload and process.
    pub ratio_to_spawn: Option<f64>,
    /// That, in terms of all workers in one `FuturesUnordered`.
    pub ratio_to_unordered: Option<f64>,
    /// The allocations of a round, divided by its workers.
    pub allocs_per_worker: f64,
    /// How much more memory than before a round it used at a time.
    pub peak_bytes: usize,
    /// All bytes allocated in a round, those included that were freed again.
    pub allocated_bytes: usize,
}

/// An engine that has no figure for a workload.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The workload's name.
    pub workload: &'static str,
    /// The workload's size.
    pub size: usize,
    /// The engine's name.
    pub engine: &'static str,
    /// Why.
    pub reason: String,
}

/// All that was found out.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// By workload, size and engine, in the order they were measured.
    pub all: Vec<Figure>,
    /// Who could not do what.
    pub refusals: Vec<Refusal>,
}

impl Figures {
    /// Adds those of one workload.
    pub fn add(&mut self, workload: &Workload, measured: Vec<Measured>) {
        let n = workload.n_workers() as f64;
        let ns_of = |engine| {
            let measured = measured.iter().find(|measured| measured.engine == engine);
            measured.and_then(|measured| Some(measured.cost.as_ref().ok()?.ns))
        };
        let (spawn_ns, unordered_ns) = (ns_of(SPAWN), ns_of(FUTURES_UNORDERED));
        for Measured { engine, kind, cost, .. } in measured {
            match cost {
                Ok(cost) => self.all.push(Figure {
                    workload: workload.name(),
                    size: workload.size(),
                    engine,
                    kind,
                    ns_per_worker: cost.ns / n,
                    ratio_to_spawn: spawn_ns.map(|ns| cost.ns / ns),
                    ratio_to_unordered: unordered_ns.map(|ns| cost.ns / ns),
                    allocs_per_worker: cost.allocated.count as f64 / n,
                    peak_bytes: cost.allocated.peak,
                    allocated_bytes: cost.allocated.bytes,
                }),
                Err(reason) => self.refusals.push(Refusal {
                    workload: workload.name(),
                    size: workload.size(),
                    engine,
                    reason,
                }),
            }
        }
    }

    /// The figure of an engine, if it has one.
    pub fn find(&self, workload: &str, size: usize, engine: &str) -> Option<&Figure> {
        self.all.iter().find(|figure| {
            (figure.workload, figure.size, figure.engine) == (workload, size, engine)
        })
    }

    /// The engines, in the order of their kind and then as they were measured.
    pub fn engines(&self) -> Vec<(&'static str, Kind)> {
        let refused = self.refusals.iter().map(|refusal| (refusal.engine, Kind::Peer));
        let mut engines = Vec::new();
        for engine in self.all.iter().map(|figure| (figure.engine, figure.kind)).chain(refused) {
            if !engines.iter().any(|(name, _)| *name == engine.0) {
                engines.push(engine);
            }
        }
        engines.sort_by_key(|(_, kind)| *kind);
        engines
    }

    /// The workloads with their sizes, in the order they were measured.
    pub fn workloads(&self) -> Vec<(&'static str, usize)> {
        let mut workloads = Vec::new();
        for workload in self.all.iter().map(|figure| (figure.workload, figure.size)) {
            if !workloads.contains(&workload) {
                workloads.push(workload);
            }
        }
        workloads
    }

    /// One JSON object per line and figure.
    ///
    /// # Errors
    /// A figure is not a number.
    pub fn to_json_lines(&self) -> serde_json::Result<String> {
        let lines: Result<Vec<_>, _> = self.all.iter().map(serde_json::to_string).collect();
        Ok(lines?.join("\n") + "\n")
    }
}

/// Figures of an earlier run, as [`Figures::to_json_lines`] has written them.
#[derive(Clone, Debug)]
pub struct Earlier(Vec<Line>);

#[derive(Clone, Debug, Deserialize)]
struct Line {
    workload: String,
    size: usize,
    engine: String,
    ns_per_worker: f64,
}

impl Earlier {
    /// Reads the lines.
    ///
    /// # Errors
    /// A line is not such a figure.
    pub fn from_json_lines(lines: &str) -> serde_json::Result<Self> {
        lines.lines().map(serde_json::from_str).collect::<Result<_, _>>().map(Self)
    }

    /// The time of an engine, if it has one.
    pub fn ns_per_worker(&self, workload: &str, size: usize, engine: &str) -> Option<f64> {
        let sought = (workload, size, engine);
        let mut lines = self.0.iter();
        let line = lines.find(|line| (&*line.workload, line.size, &*line.engine) == sought)?;
        Some(line.ns_per_worker)
    }
}
