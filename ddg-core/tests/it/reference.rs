//! A second, naive engine, for comparison with the real one.
//!
//! It follows the rules of the Dynamic Step in the order of the document, with lists and maps of
//! keys. It searches the whole graph for every question, has no clock and no tasks, and keeps
//! nothing that it can compute. It runs a [`Program`]: a graph, and a script of each worker's
//! effects in each step.

mod binding;
pub(crate) mod engine;
mod graph;
mod program;
mod run;

pub(crate) use binding::most_taken;
pub(crate) use graph::{Graph, Placed};
pub(crate) use program::{
    Ask, Called, Gives, Kind, Mapping, Program, Takes, Turn, Worker, digest, joined,
};
pub(crate) use run::{End, Execution, Group, Report, Run, failed, unused};

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

/// The same, and every kickoff.
pub(crate) fn executed(program: &Program) -> (Report, Vec<Execution>) {
    let mut run = Run::begin(program);
    while run.step(program) {}
    let executions = std::mem::take(&mut run.executions);
    (run.report(), executions)
}
