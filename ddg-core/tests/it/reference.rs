//! A second engine, as naive as can be, to compare the real one with.
//!
//! It follows the rules of the Dynamic Step in the order in which they are written down: lists
//! and maps of keys, the whole graph looked through again for every question, no clock, no tasks,
//! nothing kept that could be computed anew. What it runs is a [`Program`]: a graph, and a script
//! of what each worker asks for in each step.

mod binding;
pub(crate) mod engine;
mod graph;
mod program;
mod run;

pub(crate) use binding::most_taken;
pub(crate) use graph::Graph;
pub(crate) use program::{
    Ask, Called, Gives, Kind, Mapping, Program, Takes, Turn, Worker, digest, joined,
};
pub(crate) use run::{Group, Report, Run, failed, unused};

/// Runs `program` to its end.
pub(crate) fn run(program: &Program) -> Report {
    grouped(program).0
}

/// The same, and which kickoffs have settled together.
pub(crate) fn grouped(program: &Program) -> (Report, Vec<Group>) {
    let mut run = Run::begin(program);
    while run.step(program) {}
    let groups = std::mem::take(&mut run.groups);
    (run.report(), groups)
}
