//! How many instructions a round of each workload takes, counted by callgrind: figures that do not
//! depend on the machine's load. `.ci/instructions` runs it and compares with those of
//! `benches/instructions/figures.txt`.
//!
//! What is counted is one run, with dropping what it gave but not the graph, on a runtime of one
//! thread (there the engine never looks at the clock), after a first one that is not counted.

#![expect(missing_docs, unused_qualifications, reason = "gungraun's macros")]

use std::hint::black_box;

use benches::ddg;
use benches::shape::Shape;
use benches::subject::{Prepare, Round};
use benches::workload::{Phase, Workload};
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

/// The second round of a workload.
fn ready(workload: &Workload) -> Ready {
    let runtime = Builder::new_current_thread().build().expect("a runtime of one thread");
    let mut graph = ddg::subject(workload).prepare.expect("this engine runs all workloads");
    runtime.block_on(graph());
    let round = graph();
    Ready { runtime, round, graph }
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
#[bench::fan_1000(ready(&Workload::Static(Shape::fan(1_000))))]
#[bench::layers_control_8x8(ready(&Workload::Static(layers())))]
#[bench::layers_merge_8x8(ready(&Workload::Static(layers().reading())))]
#[bench::loop_1000(ready(&Workload::Loop { jumps: 1_000 }))]
#[bench::grow_among_10(ready(&grow(10)))]
#[bench::grow_among_10000(ready(&grow(10_000)))]
#[bench::start_10000(ready(&Workload::Start { workers: 10_000 }))]
#[bench::build_1000(ready(&build(1_000)))]
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
