use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker]
    async fn f(&self, _a: impl Into<i64>, _b: &dyn std::fmt::Debug, _c: Vec<impl Into<i64>>) {}
}

fn main() {}
