use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start, c])]
    async fn a(&self, _x: i64) {}

    #[worker(dependencies = [a])]
    async fn b(&self) {}

    #[worker(dependencies = [b])]
    async fn c(&self) {}
}

fn main() {}
