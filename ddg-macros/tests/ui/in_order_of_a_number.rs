use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start], in_order)]
    async fn f(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start], in_order)]
    async fn g(&self, _x: i64) {}
}

fn main() {}
