//! Graphs whose cost is measured, and the measuring.

mod median;
mod workload;

pub use median::median_ns;
pub use workload::{chain, fan, looped, tree};
