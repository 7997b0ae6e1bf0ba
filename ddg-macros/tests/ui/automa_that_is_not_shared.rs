use ddg_core::prelude::*;

struct Agent {
    _count: std::cell::Cell<u32>,
}

#[automa]
impl Agent {
    #[worker(start)]
    fn start(x: i64) -> i64 {
        x
    }
}

fn main() {}
