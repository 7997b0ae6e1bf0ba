use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(start)]
    async fn other(&self) -> i64 {
        0
    }

    #[worker(dependencies = [start, other])]
    async fn f(&self, _x: i64, _cx: &Context) {}
}

fn main() {}
