use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self, #[from("strat")] _a: i64, #[from(fetch, default = 0)] _b: i64) {}
}

fn main() {}
