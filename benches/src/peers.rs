//! Other crates that do what this engine does, each written as its documentation says it is fastest.
//!
//! What a worker does and what depends on what is a `plan::Plan`; an `engine::Engine` is what
//! most of them are, and gives the rounds of the workloads that are graphs. One file per crate says
//! the rest, and why what it cannot do cannot be done.

mod engine;
mod plan;

mod adk_graph;
mod async_dag;
mod dagrs;
mod dagx;
mod graph_flow;
mod juncture_core;
mod swiftide_tasks;

#[cfg(test)]
mod tests;

use crate::subject::Peer;

/// All of them, those that cannot be built here too.
pub fn peers() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(async_dag::AsyncDag),
        Box::new(graph_flow::GraphFlow),
        Box::new(swiftide_tasks::SwiftideTasks),
        Box::new(dagx::Dagx),
        Box::new(juncture_core::JunctureCore),
        Box::new(dagrs::Dagrs),
        Box::new(adk_graph::AdkGraph),
    ]
}
