use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(start)]
    #[cfg(windows)]
    async fn there(&self) -> i64 {
        0
    }

    #[worker(dependencies = [start, there])]
    async fn f(&self, _a: i64, _b: i64) {}

    #[worker]
    async fn g(&self, #[from(there)] _x: i64) {}
}

fn main() {}
