use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start])]
    async fn f(&self, _text: String) {}

    #[worker(dependencies = [start])]
    async fn g(&self, _text: &str) {}
}

fn main() {}
