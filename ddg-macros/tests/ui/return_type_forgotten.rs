use ddg_core::prelude::*;

struct Agent;

#[automa]
impl Agent {
    #[worker(start, output)]
    async fn start(&self, x: i64) {
        x + 1
    }
}

fn main() {}
