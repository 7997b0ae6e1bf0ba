use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [strat], merge, unpack)]
    async fn f(&mut self, _x: impl Into<i64>) -> &str {
        "x"
    }
}

fn main() {}
