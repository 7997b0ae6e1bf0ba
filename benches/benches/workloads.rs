//! Every workload with this engine and with one spawn per worker: `cargo bench -p benches
//! --bench workloads`, with a workload's name behind `--` for that one alone.

use std::time::Duration;

use benches::baselines::{self, SPAWN};
use benches::ddg;
use benches::measure::timed;
use benches::subject::Prepare;
use benches::workload::Workload;
use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};

criterion_group!(benches, workloads);
criterion_main!(benches);

fn workloads(criterion: &mut Criterion) {
    for workload in Workload::all() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(workload.threads())
            .enable_all()
            .build()
            .expect("the machine has threads");
        let mut group = criterion.benchmark_group(workload.name());
        group.sampling_mode(SamplingMode::Flat).sample_size(10);
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
        let spawn = baselines::subjects(&workload).into_iter().find(|other| other.engine == SPAWN);
        for subject in [ddg::subject(&workload)].into_iter().chain(spawn) {
            let Ok(prepare) = subject.prepare else { continue };
            let mut prepare = Some(prepare);
            let id = BenchmarkId::new(subject.engine, workload.size());
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|rounds| time_on(&runtime, &mut prepare, rounds as usize));
            });
        }
    }
}

/// The time of some rounds in a task of the runtime, where users are.
fn time_on(runtime: &Runtime, prepare: &mut Option<Prepare>, rounds: usize) -> Duration {
    let mut taken = prepare.take().expect("it was put back after the last turn");
    let task = async move {
        let time = timed(&mut taken, rounds).await;
        (taken, time)
    };
    let (taken, time) = runtime.block_on(runtime.spawn(task)).expect("no engine fails");
    *prepare = Some(taken);
    time
}
