use ddg_core::prelude::*;

struct Agent;

impl Agent {
    #[worker(start)]
    async fn start(&self, #[from("start")] x: i64) -> i64 {
        x
    }
}

#[worker(start)]
async fn start(x: i64) -> i64 {
    x
}

fn main() {}
