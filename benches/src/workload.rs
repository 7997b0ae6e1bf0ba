//! What every engine is asked to do.

use std::time::Duration;

use crate::dice::Dice;
use crate::shape::{Shape, Work};

/// A workload of one size. Its workers do nothing unless said.
#[derive(Clone, Debug)]
pub enum Workload {
    /// A graph that does not change: one run per round.
    Static(Shape),
    /// The same with branches of uneven length in time, settled as soon as any worker has ended,
    /// for the engines that have a choice.
    Rolling(Shape),
    /// `cpu`: a shape that computes, on a runtime of this many threads.
    Cpu {
        /// A fan.
        shape: Shape,
        /// Of the runtime.
        threads: usize,
    },
    /// Two workers that jump to each other, without a dependency, `jumps` times in one run.
    Loop {
        /// In one run.
        jumps: usize,
    },
    /// `rounds` times in one run, a worker adds `width` workers and jumps to each, a worker that
    /// is added with them reads what they give (`u64`s, as one list), and removes them and itself.
    Grow {
        /// Declared workers that never run.
        bystanders: usize,
        /// In one run.
        rounds: usize,
        /// Workers added per round.
        width: usize,
    },
    /// A run of an automa of which only one worker ever runs.
    Start {
        /// Declared workers.
        workers: usize,
    },
    /// The first worker makes a `vec![0_u8; bytes]`; each passes on what it is given, in a pointer
    /// that can be shared where the engine knows no better.
    PayloadChain {
        /// Workers in a row.
        length: usize,
        /// Of the payload.
        bytes: usize,
    },
    /// The same, but each takes the `Vec<u8>` itself and gives it on.
    PayloadMoved {
        /// Workers in a row.
        length: usize,
        /// Of the payload.
        bytes: usize,
    },
    /// The first worker makes a `vec![0_u8; bytes]`; `width` workers read its length, each of the
    /// same one; the last adds up what they give.
    PayloadFan {
        /// Workers that read.
        width: usize,
        /// Of the payload.
        bytes: usize,
    },
    /// Declaring a graph and making it ready to run: up to its first kickoff.
    Build {
        /// What is declared.
        shape: Shape,
        /// Which part of it is timed.
        phase: Phase,
    },
    /// `runs` concurrent runs of a chain of `workers`. The worker in the middle (number
    /// `workers / 2`) waits at a [`Gate`](crate::gate::Gate) that opens once all runs have come
    /// to it.
    Many {
        /// At the same time.
        runs: usize,
        /// Of each run.
        workers: usize,
    },
}

/// A part of building.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// From an empty graph to the first kickoff.
    All,
    /// Adding workers with their dependencies.
    Declare,
    /// Checking the graph.
    Validate,
    /// Starting a run, up to and with its first worker.
    Start,
}

const MIB: usize = 1 << 20;

impl Workload {
    /// All that is measured, in the order of the report.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        all.extend([10, 100, 1_000, 10_000, 100_000].map(|n| Self::Static(Shape::chain(n))));
        all.extend([10, 1_000, 10_000].map(|width| Self::Static(Shape::fan(width))));
        all.extend([10, 1_000, 10_000].map(|width| Self::Static(fan_spread(width))));
        all.push(Self::Static(Shape { name: "layers-control", ..Shape::layers(32, 32) }));
        all.push(Self::Static(Shape { name: "layers-merge", ..Shape::layers(32, 32).reading() }));
        all.push(Self::Static(Shape::tree(1_023)));
        all.push(Self::Static(yielding("chain-yield", Shape::chain(1_000))));
        all.push(Self::Static(yielding("layers-yield", Shape::layers(32, 32))));
        all.push(Self::Loop { jumps: 10_000 });
        all.extend([10, 1_000, 100_000].map(|bystanders| Self::Grow {
            bystanders,
            rounds: 100,
            width: 100,
        }));
        all.extend([10, 1_000, 100_000].map(|workers| Self::Start { workers }));
        all.push(Self::PayloadChain { length: 100, bytes: MIB });
        all.push(Self::PayloadMoved { length: 100, bytes: MIB });
        all.push(Self::PayloadFan { width: 100, bytes: MIB });
        all.extend([1, 2].map(|threads| Self::Cpu { shape: computing_fan(64), threads }));
        all.push(Self::Static(uneven(64, 10)));
        all.push(Self::Rolling(Shape { name: "uneven-rolling", ..uneven(64, 10) }));
        all.extend(
            [Phase::All, Phase::Declare, Phase::Validate, Phase::Start]
                .map(|phase| Self::Build { shape: Shape::random(10_000, 2), phase }),
        );
        all.push(Self::Many { runs: 10_000, workers: 10 });
        all
    }

    /// Its name in the report.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Static(shape) | Self::Rolling(shape) | Self::Cpu { shape, .. } => shape.name,
            Self::Loop { .. } => "loop",
            Self::Grow { .. } => "grow",
            Self::Start { .. } => "start",
            Self::PayloadChain { .. } => "payload-chain",
            Self::PayloadMoved { .. } => "payload-moved",
            Self::PayloadFan { .. } => "payload-fan",
            Self::Build { phase: Phase::All, .. } => "build",
            Self::Build { phase: Phase::Declare, .. } => "build-declare",
            Self::Build { phase: Phase::Validate, .. } => "build-validate",
            Self::Build { phase: Phase::Start, .. } => "build-start",
            Self::Many { .. } => "many",
        }
    }

    /// What tells it from others of the same name.
    pub fn size(&self) -> usize {
        match self {
            Self::Static(shape) | Self::Rolling(shape) | Self::Build { shape, .. } => shape.size,
            Self::Cpu { threads, .. } => *threads,
            Self::Loop { jumps } => *jumps,
            Self::Grow { bystanders, .. } => *bystanders,
            Self::Start { workers } => *workers,
            Self::PayloadChain { length, .. } | Self::PayloadMoved { length, .. } => *length,
            Self::PayloadFan { width, .. } => *width,
            Self::Many { runs, .. } => *runs,
        }
    }

    /// How many workers a round runs, or adds or builds where this is what is measured.
    pub fn n_workers(&self) -> usize {
        match self {
            Self::Static(shape)
            | Self::Rolling(shape)
            | Self::Cpu { shape, .. }
            | Self::Build { shape, .. } => shape.n_workers(),
            Self::Loop { jumps } => *jumps,
            Self::Grow { rounds, width, .. } => rounds * width,
            Self::Start { .. } => 1,
            Self::PayloadChain { length, .. } | Self::PayloadMoved { length, .. } => *length,
            Self::PayloadFan { width, .. } => width + 2,
            Self::Many { runs, workers } => runs * workers,
        }
    }

    /// The graph, where the workload is to run one that does not change.
    pub fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Static(shape) | Self::Cpu { shape, .. } => Some(shape),
            _ => None,
        }
    }

    /// Threads of the runtime that it is measured on.
    pub fn threads(&self) -> usize {
        match self {
            Self::Cpu { threads, .. } => *threads,
            _ => 2,
        }
    }

    /// What grows with the size.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Static(shape) if shape.name.starts_with("fan") => "workers wide",
            Self::Static(shape) if shape.name == "uneven" => "branches",
            Self::Rolling(_) => "branches",
            Self::Cpu { .. } => "threads",
            Self::Loop { .. } => "jumps",
            Self::Grow { .. } => "bystanders",
            Self::Many { .. } => "runs",
            Self::Static(_)
            | Self::Start { .. }
            | Self::PayloadChain { .. }
            | Self::PayloadMoved { .. }
            | Self::PayloadFan { .. }
            | Self::Build { .. } => "workers",
        }
    }
}

/// A fan whose workers can't end where they are started.
pub fn fan_spread(width: usize) -> Shape {
    Shape::fan(width).doing("fan-spread", |worker| match worker {
        0 => Work::Nothing,
        last if last > width => Work::Nothing,
        _ => Work::Yield,
    })
}

/// A shape whose workers each yield once, as real workers do.
pub fn yielding(name: &'static str, shape: Shape) -> Shape {
    shape.doing(name, |_| Work::Yield)
}

/// A fan whose workers compute, but for the first and the last.
pub fn computing_fan(width: usize) -> Shape {
    Shape::fan(width).doing("cpu", |worker| match worker {
        0 => Work::Nothing,
        last if last > width => Work::Nothing,
        _ => Work::Compute,
    })
}

/// Branches of workers that sleep 1 to 20 ms each.
pub fn uneven(branches: usize, length: usize) -> Shape {
    let mut dice = Dice::new(11);
    let sleeps: Vec<_> = (0..branches * length).map(|_| 1 + dice.below(20) as u64).collect();
    Shape::branches(branches, length)
        .doing("uneven", |worker| Work::Sleep(Duration::from_millis(sleeps[worker])))
}
