use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    const LIMIT: u32 = 3;
}

fn main() {}
