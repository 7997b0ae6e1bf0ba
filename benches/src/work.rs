//! What a worker does, and what computing for a millisecond is.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::shape::Work;

/// A worker that does `work`. Sleeping is behind a pointer, so that those who don't sleep are small.
pub async fn work(work: Work) {
    match work {
        Work::Nothing => {}
        Work::Yield => tokio::task::yield_now().await,
        Work::Compute => compute(),
        Work::Sleep(duration) => Box::pin(tokio::time::sleep(duration)).await,
    }
}

/// Computes as much as takes about a millisecond on an idle core. The amount is found out once per
/// process and then fixed, so that workers that get in each other's way take longer.
pub fn compute() {
    static ROUNDS: OnceLock<u64> = OnceLock::new();
    spin(*ROUNDS.get_or_init(rounds_per_millisecond));
}

fn rounds_per_millisecond() -> u64 {
    const PROBE: u64 = 200_000;
    let best = (0..20).map(|_| {
        let began = Instant::now();
        spin(PROBE);
        began.elapsed()
    });
    let best = best.min().unwrap_or(Duration::from_millis(1)).as_nanos().max(1);
    (u128::from(PROBE) * 1_000_000 / best) as u64
}

fn spin(rounds: u64) {
    let mut x = black_box(1_u64);
    for _ in 0..rounds {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    black_box(x);
}
