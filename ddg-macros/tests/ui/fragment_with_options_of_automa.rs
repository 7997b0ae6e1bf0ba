use ddg_core::prelude::*;

struct Agent;

#[automa(fragment = tools, name = "agent", output = i64)]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }
}

fn main() {}
