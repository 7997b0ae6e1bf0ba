use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [helper])]
    async fn f(&self, _x: i64) {}

    fn helper(&self) {}
}

fn main() {}
