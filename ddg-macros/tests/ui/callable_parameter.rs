use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    fn f(_call: fn(i64) -> i64) {}

    #[worker(start)]
    fn g(_at: *const u8) {}
}

fn main() {}
