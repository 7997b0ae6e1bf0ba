//! What the machine and the clock allow, without any scheduling.

use std::time::Duration;

use crate::shape::{Shape, Work};
use crate::subject::Prepare;
use crate::work::compute;

/// The computing of `shape`, dealt out evenly to plain threads.
pub(super) fn threads(shape: &Shape, threads: usize) -> Prepare {
    let n = shape.work.iter().filter(|work| **work == Work::Compute).count();
    Box::new(move || {
        Box::pin(async move {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..n / threads).for_each(|_| compute()));
                }
            });
        })
    })
}

/// The sleeps of the branch that takes longest, one after the other.
pub(super) fn longest_branch(shape: &Shape) -> Prepare {
    let mut branches: Vec<Vec<Duration>> = Vec::new();
    for (dependencies, work) in shape.dependencies.iter().zip(&shape.work) {
        if dependencies.is_empty() {
            branches.push(Vec::new());
        }
        if let (Some(branch), Work::Sleep(duration)) = (branches.last_mut(), work) {
            branch.push(*duration);
        }
    }
    let longest = branches.into_iter().max_by_key(|branch| branch.iter().sum::<Duration>());
    let longest = longest.unwrap_or_default();
    Box::new(move || {
        let longest = longest.clone();
        Box::pin(async move {
            for sleep in longest {
                tokio::time::sleep(sleep).await;
            }
        })
    })
}
