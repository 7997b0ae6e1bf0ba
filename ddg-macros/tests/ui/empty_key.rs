use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(key = "")]
    async fn f(&self) {}

    #[worker(dependencies = [""])]
    async fn g(&self) {}
}

fn main() {}
