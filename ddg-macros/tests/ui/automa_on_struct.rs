use ddg_core::prelude::*;

#[automa]
struct Agent;

fn main() {}
