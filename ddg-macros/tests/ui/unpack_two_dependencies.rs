use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(start)]
    async fn pair(&self) -> (i64, i64) {
        (1, 2)
    }

    #[worker(dependencies = [pair, start], unpack)]
    async fn f(&self, _a: i64, _b: i64) {}
}

fn main() {}
