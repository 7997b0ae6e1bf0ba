use ddg_core::prelude::*;

struct Agent;

#[automa(fragments = Self::tools)]
impl Agent {
    #[worker(start)]
    async fn start(&self, x: i64) -> i64 {
        x
    }
}

fn main() {}
