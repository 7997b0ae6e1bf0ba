use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self, #[from] _a: i64, #[from()] _b: i64, #[from = "start"] _c: i64) {}
}

fn main() {}
