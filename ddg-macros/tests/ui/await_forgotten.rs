use ddg_core::prelude::*;

async fn twice(x: i64) -> i64 {
    2 * x
}

struct Agent;

#[automa]
impl Agent {
    #[worker(start, output)]
    async fn start(&self, x: i64) -> i64 {
        twice(x)
    }
}

fn main() {}
