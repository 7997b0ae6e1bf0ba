use ddg_core::prelude::*;

#[automa]
mod agent {}

fn main() {}
