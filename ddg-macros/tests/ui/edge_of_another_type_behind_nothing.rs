use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(start)]
    async fn nothing(&self) {}

    #[worker(dependencies = [nothing, start])]
    async fn f(&self, _text: Vec<String>) {}
}

fn main() {}
