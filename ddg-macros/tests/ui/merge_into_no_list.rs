use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }

    #[worker(dependencies = [start], merge)]
    async fn f(&self, _all: u8) {}

    #[worker(dependencies = [start], merge)]
    async fn g(&self, _cx: &Context) {}
}

fn main() {}
