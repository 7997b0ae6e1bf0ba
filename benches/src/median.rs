//! The median of a few timed rounds.

use std::future::Future;
use std::time::Instant;

const ROUNDS: usize = 21;

/// The median time of a round in ns, divided by `n`.
pub async fn median_ns<F: Future>(n: usize, mut round: impl FnMut() -> F) -> f64 {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        std::hint::black_box(round().await);
        times.push(began.elapsed().as_nanos() as f64 / n as f64);
    }
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}
