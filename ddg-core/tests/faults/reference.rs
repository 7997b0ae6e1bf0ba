//! The naive engine that the tests of the engine compare with.
#![allow(dead_code, unused_imports, reason = "the tests of the engine use all of it")]

#[path = "../it/reference/binding.rs"]
mod binding;
#[path = "../it/reference/engine.rs"]
pub(crate) mod engine;
#[path = "../it/reference/graph.rs"]
mod graph;
#[path = "../it/reference/program.rs"]
mod program;
#[path = "../it/reference/run.rs"]
mod run;

pub(crate) use binding::most_taken;
pub(crate) use graph::{Graph, Placed};
pub(crate) use program::{
    Ask, Called, Gives, Kind, Mapping, Program, Takes, Turn, Worker, digest, joined,
};
pub(crate) use run::{End, Execution, Group, Report, Run, failed, unused};

/// What `program` does.
pub(crate) fn run(program: &Program) -> Report {
    let mut run = Run::begin(program);
    while run.step(program) {}
    run.report()
}
