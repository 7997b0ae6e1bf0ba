use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(detached, start, dependencies = [start], merge)]
    async fn f(&self, _x: Vec<i64>) {}
}

fn main() {}
