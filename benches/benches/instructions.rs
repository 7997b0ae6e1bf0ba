//! How many instructions a round of each workload takes, counted by callgrind: figures that do not
//! depend on the machine's load. `.ci/instructions` runs it and compares with those of
//! `benches/instructions/figures.txt`.
//!
//! What is counted is one run, with dropping what it gave but not the graph, on a runtime of one
//! thread (there the engine never looks at the clock), after a first one that is not counted. Nor is
//! what the C library does about memory that was freed before.

#![expect(missing_docs, unused_qualifications, reason = "gungraun's macros")]

use std::hint::black_box;

use benches::ddg::{self, payload, wide};
use benches::shape::{Shape, Work};
use benches::subject::{Prepare, Round};
use benches::workload::{Phase, Workload, fan_spread};
use ddg_core::prelude::*;
use gungraun::{
    Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use tokio::runtime::{Builder, Runtime};

/// One round, where it runs, and what it runs.
struct Ready {
    runtime: Runtime,
    round: Round,
    graph: Prepare,
}

/// The second of these rounds.
fn second(mut graph: Prepare) -> Ready {
    let runtime = Builder::new_current_thread().build().expect("a runtime of one thread");
    runtime.block_on(graph());
    let round = graph();
    // The C library puts what was freed in order at the next large request. Made here, since it
    // would count for the round otherwise: 70 instructions per declared worker.
    drop(black_box(Vec::<u8>::with_capacity(1 << 20)));
    Ready { runtime, round, graph }
}

/// The second round of a workload.
fn ready(workload: &Workload) -> Ready {
    second(ddg::subject(workload).prepare.expect("this engine runs all workloads"))
}

/// The second run of an automa that takes no arguments.
fn run(automa: Result<GraphAutoma, BuildError>) -> Ready {
    second(automa.and_then(|automa| ddg::runs(automa, ())).expect("nothing is wrong with it"))
}

/// The same shape, whose workers each yield once.
fn yielding(shape: Shape) -> Workload {
    Workload::Static(shape.doing("yielding", |_| Work::Yield))
}

fn layers() -> Shape {
    Shape::layers(8, 8)
}

fn grow(bystanders: usize) -> Workload {
    Workload::Grow { bystanders, rounds: 10, width: 100 }
}

/// Two dependencies per worker.
fn build(workers: usize) -> Workload {
    Workload::Build { shape: Shape::random(workers, 2), phase: Phase::All }
}

#[library_benchmark]
#[bench::chain_10(ready(&Workload::Static(Shape::chain(10))))]
#[bench::chain_1000(ready(&Workload::Static(Shape::chain(1_000))))]
#[bench::chain_u64_1000(run(payload::numbers(1_000)))]
#[bench::chain_yield_1000(ready(&yielding(Shape::chain(1_000))))]
#[bench::fan_1000(ready(&Workload::Static(Shape::fan(1_000))))]
#[bench::fan_yield_1000(ready(&Workload::Static(fan_spread(1_000))))]
#[bench::layers_control_8x8(ready(&Workload::Static(layers())))]
#[bench::layers_control_32x32(ready(&Workload::Static(Shape::layers(32, 32))))]
#[bench::layers_merge_8x8(ready(&Workload::Static(layers().reading())))]
#[bench::layers_merge_32x32(ready(&Workload::Static(Shape::layers(32, 32).reading())))]
#[bench::layers_yield_32x32(ready(&yielding(Shape::layers(32, 32))))]
#[bench::tree_1023(ready(&Workload::Static(Shape::tree(1_023))))]
#[bench::loop_1000(ready(&Workload::Loop { jumps: 1_000 }))]
#[bench::loop_100_watched(second(wide::watched(100, 100).expect("nothing is wrong with it")))]
#[bench::moved_100(ready(&Workload::PayloadMoved { length: 100, bytes: 1_024 }))]
#[bench::grow_among_10(ready(&grow(10)))]
#[bench::grow_among_10000(ready(&grow(10_000)))]
#[bench::start_10000(ready(&Workload::Start { workers: 10_000 }))]
#[bench::start_100000(ready(&Workload::Start { workers: 100_000 }))]
#[bench::build_1000(ready(&build(1_000)))]
#[bench::kickoffs_10(run(wide::kickoffs(10)))]
#[bench::kickoffs_10000(run(wide::kickoffs(10_000)))]
#[bench::ferries_10(run(wide::ferries(10)))]
#[bench::ferries_10000(run(wide::ferries(10_000)))]
#[bench::questions_10(run(wide::questions(10)))]
#[bench::questions_10000(run(wide::questions(10_000)))]
#[bench::answers_10(second(wide::answers(10).expect("nothing is wrong with it")))]
#[bench::answers_10000(second(wide::answers(10_000).expect("nothing is wrong with it")))]
#[bench::removals_10(run(wide::removals(10)))]
#[bench::removals_10000(run(wide::removals(10_000)))]
fn count(ready: Ready) -> (Runtime, Prepare) {
    let Ready { runtime, round, graph } = ready;
    runtime.block_on(black_box(round));
    (runtime, graph)
}

/// The C library chooses its `memcpy` by the processor: these are features that it shall not use,
/// so that all processors count alike.
const TUNABLES: &str = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX_Fast_Unaligned_Load,\
    -ERMS,-FSRM,-BMI2,-SSE4_2,-SSE4_1,-SSSE3";

library_benchmark_group!(name = rounds; benchmarks = count);
main!(
    config = LibraryBenchmarkConfig::default()
        .env("GLIBC_TUNABLES", TUNABLES)
        .tool(Callgrind::with_args(["--cache-sim=no"]));
    library_benchmark_groups = rounds
);
